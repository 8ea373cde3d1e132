"""Calls that wait: three lines, one a priority, with a bound on all of them together.

Whose turn it is: the first of the highest line that is not empty. Within a line the first that came
is the first that goes. Under overload the newest first would answer more calls in time (Facebook's
adaptive LIFO; Maurer, "Fail at Scale", 2015) where a server can't see that clients have given up;
a gateway sees it, and those calls leave their line. What is taken from there instead is its other
half, controlled delay: a line that has not been empty for `max_wait` does not absorb a burst, it
stands, and makes every call late. Then a call waits a tenth of `max_wait` at most, until the line
has been empty again. So lines are short, their order hardly matters, and first come is fair.

Where all places are taken, a call sheds the youngest of the lowest line below its own: that one has
waited least, and hears of it soonest. A line is asked only when those above it are empty, so low
calls may all be shed while high ones alone are more than the upstream takes: that is what
priorities are for. Nobody waits longer than `max_wait`.

No clock, no event loop: what the time is comes with each question.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

STANDING: Final = 0.1
"""The part of `max_wait` that calls may wait in a line that stands."""


class Priority(IntEnum):
    """Whose turn comes first, and who is shed last."""

    LOW = 0
    NORMAL = 1
    HIGH = 2


class Waiter:
    """A call that waits.

    Attributes:
        priority: Its line.
        until: When it will not wait any longer.
        wake: Called once, when its turn has come or it is shed; not if it leaves by itself.
    """

    __slots__ = ("priority", "until", "wake")

    def __init__(self, priority: Priority, until: float, wake: Callable[[bool], None]) -> None:
        self.priority = priority
        self.until = until
        self.wake = wake


class Lines:
    """The lines.

    Args:
        places: Calls that may wait, in all lines together; 0 for none.
        max_wait: Seconds that a call may wait.
    """

    __slots__ = ("_lines", "_max_wait", "_places", "_since")

    def __init__(self, places: int, max_wait: float) -> None:
        self._places = places
        self._max_wait = max_wait
        # By priority. A dict keeps its order, and anybody in it can leave.
        self._lines: tuple[dict[Waiter, None], ...] = tuple({} for _ in Priority)
        self._since = [0.0 for _ in Priority]  # when each was empty last

    def __len__(self) -> int:
        """The calls that wait."""
        return sum(map(len, self._lines))

    def ahead(self, priority: Priority) -> int:
        """Returns how many calls would have their turn before one that comes now."""
        return sum(map(len, self._lines[priority:]))

    def patience(self, priority: Priority, now: float) -> float:
        """Returns the seconds that a call may wait which comes now."""
        stands = self._lines[priority] and now - self._since[priority] > self._max_wait
        return self._max_wait * STANDING if stands else self._max_wait

    def join(self, waiter: Waiter, now: float) -> bool:
        """Has a call wait; returns whether there was a place. Another may be shed for it."""
        if len(self) >= self._places:
            youngest = self._youngest(waiter.priority)
            if youngest is None:
                return False
            self.leave(youngest)
            youngest.wake(False)
        line = self._lines[waiter.priority]
        if not line:
            self._since[waiter.priority] = now
        line[waiter] = None
        return True

    def leave(self, waiter: Waiter) -> bool:
        """Has a call wait no longer; returns whether it did."""
        line = self._lines[waiter.priority]
        if waiter not in line:
            return False
        del line[waiter]
        return True

    def next(self, now: float) -> Waiter | None:
        """Takes the call out whose turn it is; None where nobody waits. Late ones are shed."""
        for line in reversed(self._lines):
            while line:
                waiter = next(iter(line))
                del line[waiter]
                if waiter.until > now:
                    return waiter
                waiter.wake(False)
        return None

    def _youngest(self, priority: Priority) -> Waiter | None:
        """Returns whom a call of a priority sheds; None for nobody."""
        for line in self._lines[:priority]:
            if line:
                return next(reversed(line))
        return None
