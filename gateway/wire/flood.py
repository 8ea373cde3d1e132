"""Counts frames that bring nothing: many in a short time are an attack (RFC 9113, 10.5)."""

from __future__ import annotations

from collections.abc import Callable

from gateway.wire.failure import ConnectionFailed
from gateway.wire.frames import ErrorCode


class Flood:
    """Counts such frames of one connection; asks the clock only when there are many.

    Args:
        most: How many are allowed within `seconds`.
        seconds: The time.
        clock: Seconds, never going back.
    """

    __slots__ = ("_clock", "_count", "_most", "_seconds", "_since")

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._count = 0
        self._since = clock()

    def allow(self, frames: int) -> None:
        """Lets so many more pass within the time, for which this side has given a reason."""
        self._count -= frames
        if self._count < -self._most:
            # What was allowed long ago, and did not come, is no reason any more.
            now = self._clock()
            if now - self._since >= self._seconds:
                self._count, self._since = -frames, now

    def count(self) -> None:
        """Counts one.

        Raises:
            ConnectionFailed: That is one too many.
        """
        self._count += 1
        if self._count > self._most:
            now = self._clock()
            if now - self._since < self._seconds:
                raise ConnectionFailed(ErrorCode.ENHANCE_YOUR_CALM, "too many frames for nothing")
            self._count, self._since = 0, now
