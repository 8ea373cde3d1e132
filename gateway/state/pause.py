"""For how long not to try what was refused: longer each time, until it works again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_SHORTEST: Final = 1.0  # seconds
_LONGEST: Final = 60.0


class Pause:
    """A pause that grows.

    Args:
        clock: Seconds, on a clock that never goes back.
    """

    __slots__ = ("_clock", "_length", "_until")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._length = 0.0
        self._until = 0.0

    @property
    def lasts(self) -> bool:
        """Whether it is not the time to try."""
        return self._length > 0 and self._clock() < self._until

    def refused(self) -> None:
        """Begins a pause, twice as long as the last; not during one."""
        if not self.lasts:
            self._length = min(max(self._length * 2, _SHORTEST), _LONGEST)
            self._until = self._clock() + self._length

    def worked(self) -> None:
        """Makes the next pause a short one. During one it means nothing: it was begun before."""
        if not self.lasts:
            self._length = 0.0
