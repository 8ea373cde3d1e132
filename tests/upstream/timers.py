"""Time by hand: timers that come when a test says so."""

from __future__ import annotations


class Timer:
    """A timer of `Timers`."""

    def __init__(self, timers, at, function):
        self.timers = timers
        self.at = at
        self.function = function

    def cancel(self):
        if self in self.timers.due:
            self.timers.due.remove(self)


class Timers:
    """A clock and its timers (`gateway.upstream.later`)."""

    def __init__(self, now=1000.0):
        self.now = now
        self.due = []

    def clock(self):
        return self.now

    def later(self, seconds, function):
        timer = Timer(self, self.now + seconds, function)
        self.due.append(timer)
        return timer

    def advance(self, seconds=0.0):
        """Lets time go by, and what is due happen."""
        end = self.now + seconds
        while self.due and min(each.at for each in self.due) <= end:
            timer = min(self.due, key=lambda each: each.at)
            self.due.remove(timer)
            self.now = max(self.now, timer.at)
            timer.function()
        self.now = end
