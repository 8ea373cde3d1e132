"""Server-sent events: how one is written, and when a silent stream needs a keep-alive comment.

The format is WHATWG HTML's section 9.2.6, "Interpreting an event stream". Nothing here waits or
writes: the front does, with the bytes and the delays it is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# An event stream's lines end with CR LF, LF, or CR; `splitlines` would split at more.
_LINE_END = re.compile(r"\r\n|\n|\r")
_NOT_IN_FIELD = re.compile(r"[\r\n]")
_NOT_IN_ID = re.compile(r"[\r\n\0]")


def event(
    data: str | None = None,
    *,
    name: str | None = None,
    identity: str | None = None,
    retry: int | None = None,
) -> bytes:
    """Returns one event.

    Args:
        data: What the client gets; of several lines, each ending reaches it as a line feed. Without
            data a browser dispatches nothing, but takes `identity` and `retry`.
        name: Its type (`event:`); without it, `message`.
        identity: What a client that reconnects sends as `Last-Event-ID` (`id:`).
        retry: Milliseconds to wait before a reconnection.

    Raises:
        ValueError: `name` holds a line ending, `identity` one or a NUL (with which a browser would
            ignore the field), or `retry` is negative.
    """
    lines = []
    if name is not None:
        if _NOT_IN_FIELD.search(name):
            raise ValueError("an event's name can't hold a line ending")
        lines.append(f"event: {name}")
    if identity is not None:
        if _NOT_IN_ID.search(identity):
            raise ValueError("an event's id can't hold a line ending or a NUL")
        lines.append(f"id: {identity}")
    if retry is not None:
        if retry < 0:
            raise ValueError("retry is a number of milliseconds, not negative")
        lines.append(f"retry: {retry}")
    if data is not None:
        lines.extend(f"data: {line}" for line in _LINE_END.split(data))
    return ("\n".join(lines) + "\n\n").encode()


def comment(text: str = "") -> bytes:
    """Returns a comment, which clients ignore: it keeps a silent connection open."""
    lines = (f": {line}" if line else ":" for line in _LINE_END.split(text))
    return ("\n".join(lines) + "\n\n").encode()


KEEP_ALIVE = comment()


class Pacer:
    """Decides when a stream that has been silent is due a keep-alive comment.

    Proxies close connections on which nothing passes, and a client's disappearance shows only when
    something is written (WHATWG HTML 9.2.7 advises a comment every 15 seconds or so).
    """

    __slots__ = ("_clock", "_interval", "_last")

    def __init__(self, interval: float, clock: Callable[[], float]) -> None:
        """Starts at the clock's present time.

        Args:
            interval: Seconds of silence after which a comment is due.
            clock: Seconds, never going back: `loop.time`.
        """
        self._interval = interval
        self._clock = clock
        self._last = clock()

    def sent(self) -> None:
        """Takes note that something was written."""
        self._last = self._clock()

    def remaining(self) -> float:
        """Returns the seconds until a comment is due; 0 when it is."""
        return max(0.0, self._last + self._interval - self._clock())

    @property
    def due(self) -> bool:
        """Whether a comment should be written now."""
        return self.remaining() == 0.0
