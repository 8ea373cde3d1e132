"""When a worker that died is started again: at once, then later and later while it keeps dying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FIRST: Final = 0.5  # seconds before the second restart in a row; doubled for each further one
LONGEST: Final = 10.0  # seconds; connections wait in a dead worker's queue, so not for long
STEADY: Final = 60.0  # seconds that a worker lives, after which its earlier deaths are forgotten


def delay(deaths: int) -> float:
    """Returns the seconds until a worker is started again that died before `deaths` times."""
    return 0.0 if deaths == 0 else float(min(FIRST * 2 ** min(deaths - 1, 16), LONGEST))


class Backoff:
    """The deaths of one worker."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Makes one of a worker that never died.

        Args:
            clock: Seconds that only grow.
        """
        self._clock = clock
        self._deaths = 0
        self._began = clock()

    def began(self) -> None:
        """Notes that the worker was started."""
        self._began = self._clock()

    def ended(self) -> float:
        """Notes that it died; returns the seconds until it is to be started again."""
        if self._clock() - self._began >= STEADY:
            self._deaths = 0
        self._deaths += 1
        return delay(self._deaths - 1)
