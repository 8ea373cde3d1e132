"""Tells when nothing has happened for a while. One timer, however often something happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Idleness:
    """A watch that is wound up by `touch`.

    Args:
        loop: Whose clock counts.
        seconds: The time without a touch after which `expired` is called, and again after as much.
        expired: Called at that time.
    """

    __slots__ = ("_expired", "_last", "_loop", "_seconds", "_timer")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, expired: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._expired = expired
        self._last = loop.time()
        self._timer: asyncio.TimerHandle | None = loop.call_later(seconds, self._check)

    def touch(self) -> None:
        """Takes note that something happened."""
        self._last = self._loop.time()

    def stop(self) -> None:
        """Ends the watch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        now = self._loop.time()
        left = self._last + self._seconds - now
        if left <= 0:
            self._last = now
            left = self._seconds
            self._timer = self._loop.call_later(left, self._check)
            self._expired()
        else:
            self._timer = self._loop.call_later(left, self._check)
