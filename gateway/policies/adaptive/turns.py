"""Who goes now, who waits, who is refused: the calls of one upstream, within a limit that moves.

A call that finds a place and nobody before it goes at once. Else it waits in its line, if its turn
can be expected in time: with so many before it, and as many calls ending as do now (Little's law).
One whose turn would come too late is told at once, for to wait in vain helps nobody.

One permit a call that goes, given back exactly once (`end`, or `give_back` where the call was not
made). Sans I/O: a call that waits is woken by what it gave.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.policies.adaptive.gradient import Gradient
from gateway.policies.adaptive.lines import Lines, Priority, Waiter


class Turns:
    """The calls of one upstream.

    Args:
        gradient: How many may go.
        lines: Where the others wait.
        now: Seconds, the same clock as the gradient's.

    Attributes:
        now: Tells the time.
        running: Calls that go now.
    """

    __slots__ = ("_gradient", "_lines", "now", "running")

    def __init__(self, gradient: Gradient, lines: Lines, now: Callable[[], float]) -> None:
        self._gradient = gradient
        self._lines = lines
        self.now = now
        self.running = 0

    def __repr__(self) -> str:
        return f"Turns({self.running} of {self.limit}, {len(self._lines)} waiting)"

    @property
    def limit(self) -> int:
        """How many may go now."""
        return self._gradient.limit

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._lines)

    def go(self) -> bool:
        """Takes a permit, if there is one and nobody waits for it."""
        if not self._is_free():
            # Where no call ends, those that come notice that a probe's time is over.
            if not self._gradient.lapse():
                return False
            self._let_go()
            if not self._is_free():
                return False
        self.running += 1
        return True

    def wait(self, priority: Priority, left: float, wake: Callable[[bool], None]) -> Waiter | None:
        """Has a call wait for a permit.

        Args:
            priority: Its line.
            left: Seconds until the call is over.
            wake: Called once with whether the permit was taken for it. It must not call back.

        Returns:
            The call as one that waits; None where it can't or need not wait: it is refused.
        """
        now = self.now()
        until = now + min(left, self._lines.patience(priority, now))
        if now + self._expected(self._lines.ahead(priority)) >= until:
            return None
        waiter = Waiter(priority, until, wake)
        return waiter if self._lines.join(waiter, now) else None

    def leave(self, waiter: Waiter) -> bool:
        """Has a call wait no longer; returns whether it did: if not, it was woken before."""
        return self._lines.leave(waiter)

    def left(self, waiter: Waiter) -> float:
        """Returns the seconds that a call may still wait."""
        return max(0.0, waiter.until - self.now())

    def end(self, method: str, began: float, *, dropped: bool) -> None:
        """Gives the permit of a call back that was answered, or left without an answer.

        Args:
            method: Its method.
            began: When it went.
            dropped: Whether it ended without an answer.
        """
        latency = self.now() - began
        self._gradient.observe(method, latency, self.running, dropped=dropped)
        self.running -= 1
        self._let_go()

    def give_back(self) -> None:
        """Gives a permit back, of a call that tells nothing of the upstream; others go."""
        self._gradient.passed(self.running)
        self.running -= 1
        self._let_go()

    def _is_free(self) -> bool:
        return self.running < self._gradient.limit and not len(self._lines)

    def _let_go(self) -> None:
        """Lets those who wait go, as far as there are permits."""
        while self.running < self._gradient.limit:
            waiter = self._lines.next(self.now())
            if waiter is None:
                return
            self.running += 1
            waiter.wake(True)

    def _expected(self, ahead: int) -> float:
        """Returns the seconds until the turn of a call that has so many before it."""
        latency = self._gradient.latency
        return 0.0 if latency is None else (ahead + 1) * latency / self._gradient.aim
