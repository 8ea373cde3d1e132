"""Server-sent events: how one is written.

The format is WHATWG HTML's section 9.2.6, "Interpreting an event stream". Nothing here waits or
writes; `event_stream` does.
"""

from __future__ import annotations

import re

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
