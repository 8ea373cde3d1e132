"""The head of a reply, written: status line, our own fields, the front's, and the framing.

Sans-IO. Framing is RFC 9112 section 6: `Content-Length` for a whole reply, chunks for a streamed
one. Which of them, and whether the connection stays, is for the caller to know.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

SERVER: Final = "gateway"

CLOSE: Final = "Connection: close\r\n"
KEEP_ALIVE: Final = "Connection: keep-alive\r\n"
IN_CHUNKS: Final = "Transfer-Encoding: chunked\r\n"
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"

WITHOUT_BODY: Final = frozenset({204, 304})

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_STARTS: Final = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\nServer: {SERVER}\r\nDate: "
    for status in (101, *range(200, 600))
}


def check(status: int) -> None:
    """Checks that a reply can have this status.

    Raises:
        ValueError: It is not a final one, 200 to 599.
    """
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is no status of a reply")


class _Date:
    """The present second as `Date` writes it (RFC 9110 section 5.6.7), made once a second."""

    __slots__ = ("second", "text")

    def __init__(self) -> None:
        self.second = 0
        self.text = ""


_date = _Date()


def head(status: int, lines: str, framing: str) -> bytes:
    """Returns the head of a reply.

    Args:
        status: Its status: 200 to 599, or 101.
        lines: The front's fields, each line with its end (`fields.lines`).
        framing: Lines about the body and the connection.
    """
    second = int(time.time())
    if second != _date.second:
        _date.second = second
        _date.text = formatdate(second, usegmt=True)
    return f"{_STARTS[status]}{_date.text}\r\n{lines}{framing}\r\n".encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Returns one chunk of a body (RFC 9112 section 7.1). Empty data would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
