"""When to leave a server alone that does not answer: after some failures in a row, for a while.

Then one request may try, and the others go on being refused at once until it has succeeded. The
while doubles with each try that fails. What a failure is, and what is said to who is refused, is
the caller's to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_ENOUGH: Final = 3  # failures in a row
_SHORTEST: Final = 1.0  # seconds
_LONGEST: Final = 16.0


class Outage:
    """Counts failures in a row.

    Args:
        clock: Seconds, on a clock that never goes back.
    """

    __slots__ = ("_clock", "_failures", "_pause", "_trying", "_until")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._pause = _SHORTEST
        self._until = 0.0
        self._trying = False

    def wait(self) -> float:
        """Returns 0 where a request may be made now, else the seconds until one may.

        One that may be made while the server is down is the try: the others wait for its end.
        """
        if self._failures < _ENOUGH:
            return 0.0
        now = self._clock()
        if now < self._until:
            return self._until - now
        self._until = now + self._pause
        self._trying = True
        return 0.0

    def failed(self) -> bool:
        """Takes note of a failure; returns whether it is the one that tells of the outage."""
        self._failures = min(self._failures + 1, _ENOUGH + 1)
        if self._failures < _ENOUGH:
            return False
        if self._failures == _ENOUGH:
            self._until = self._clock() + self._pause
            return True
        if self._trying:  # what was asked before it began says nothing new
            self._trying = False
            self._pause = min(self._pause * 2, _LONGEST)
            self._until = self._clock() + self._pause
        return False

    def succeeded(self) -> None:
        """Takes note that the server answers."""
        self._failures = 0
        self._pause = _SHORTEST
        self._trying = False
