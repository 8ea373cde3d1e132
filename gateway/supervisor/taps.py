"""Who follows requests now: what a worker that is started meanwhile is to follow for them too.

It is told with its start: the connections that waited for it are answered before anybody asks it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

PATIENCE: Final = 15.0
"""Seconds after which who has not asked is forgotten, as workers do (`telemetry.recorder.tap`)."""

_WATCH: Final = "watch"


class Taps:
    """The taps that workers took.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: dict[str, tuple[float, Mapping[str, str]]] = {}

    def took(self, arguments: Mapping[str, str]) -> None:
        """Takes note that somebody has asked, with these arguments of the operation."""
        self._forget()
        self._asked[arguments[_WATCH]] = self._clock(), dict(arguments)

    @property
    def running(self) -> list[Mapping[str, str]]:
        """The arguments of all who ask still."""
        self._forget()
        return [arguments for _, arguments in self._asked.values()]

    def _forget(self) -> None:
        now = self._clock()
        for name, (at, _) in list(self._asked.items()):
            if now - at > PATIENCE:
                del self._asked[name]
