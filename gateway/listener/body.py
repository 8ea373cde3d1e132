"""Where a request's body ends: takes exactly its bytes from what was received, and no more.

Sans-IO: bytes in, bytes out. Chunked coding is RFC 9112 section 7.1; chunk extensions and trailer
fields are checked for their size and form, then dropped.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, Protocol

from gateway.http import Headers
from gateway.listener.head import CHUNKED

# A size of 15 hex digits fits in 64 bits. Extensions: whatever is no control character.
_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
_TRAILER_LINE: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")

_IDENTITY: Final = frozenset({"", "identity"})


class BadBody(Exception):  # noqa: N818  the client's fault, told in its own words elsewhere
    """The body's framing is broken: nothing after this can be understood."""


class Body(Protocol):
    """A body on its way in."""

    done: bool

    def take(self, received: bytearray, most: int) -> bytes:
        """Removes the body's next bytes from `received`, decodes and returns at most `most`.

        Returns nothing when more must be received first, or when the body is `done`.

        Raises:
            BadBody: What was received can't be a body.
        """

    def is_within(self, received: bytearray) -> bool:
        """Returns whether the rest of the body has surely been received."""


class SizedBody:
    """A body of `Content-Length` bytes."""

    __slots__ = ("_left", "done")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def take(self, received: bytearray, most: int) -> bytes:
        """See Body."""
        data = bytes(received[: min(most, self._left)])
        del received[: len(data)]
        self._left -= len(data)
        self.done = self._left == 0
        return data

    def is_within(self, received: bytearray) -> bool:
        """See Body."""
        return len(received) >= self._left


class _At(Enum):
    SIZE = 1
    DATA = 2
    DATA_END = 3
    TRAILER = 4


class ChunkedBody:
    """A body in chunks.

    Args:
        overhead: Bytes of chunk extensions and trailer fields allowed in the whole body.
    """

    __slots__ = ("_at", "_left", "_overhead", "done")

    def __init__(self, overhead: int) -> None:
        self._at = _At.SIZE
        self._left = 0
        self._overhead = overhead
        self.done = False

    def take(self, received: bytearray, most: int) -> bytes:
        """See Body."""
        out = bytearray()
        # Positions move through one call; what was read is removed once, at its end.
        at = 0
        while not self.done and len(out) < most:
            if self._at is _At.DATA:
                data = received[at : at + min(self._left, most - len(out))]
                if not data:
                    break
                out += data
                at += len(data)
                self._left -= len(data)
                if not self._left:
                    self._at = _At.DATA_END
                continue
            end = received.find(b"\n", at)
            if end < 0:
                self._check_unfinished(received, at)
                break
            line = bytes(received[at : end + 1])
            at = end + 1
            if not line.endswith(b"\r\n"):
                raise BadBody("a line ends without CR")
            self._line(line[:-2])
        del received[:at]
        return bytes(out)

    def is_within(self, received: bytearray) -> bool:  # noqa: ARG002  see Body
        """See Body. Nobody knows before it is read."""
        return self.done

    def _line(self, line: bytes) -> None:
        if self._at is _At.DATA_END:
            if line:
                raise BadBody("a chunk is longer than its size")
            self._at = _At.SIZE
        elif self._at is _At.SIZE:
            size = _SIZE_LINE.fullmatch(line)
            if size is None:
                raise BadBody("a chunk's size is no hexadecimal number")
            self._spend(len(line) - len(size[1]))
            self._left = int(size[1], 16)
            self._at = _At.DATA if self._left else _At.TRAILER
        elif line:
            self._spend(len(line))
            if not _TRAILER_LINE.fullmatch(line):
                raise BadBody("a trailer field is not of the form `name: value`")
        else:
            self.done = True

    def _spend(self, size: int) -> None:
        self._overhead -= size
        if self._overhead < 0:
            raise BadBody("chunk extensions and trailer fields are too large")

    def _check_unfinished(self, received: bytearray, at: int) -> None:
        """Refuses a line without an end before it fills the memory."""
        room = 1 if self._at is _At.DATA_END else self._overhead + 16
        if len(received) - at > room:
            raise BadBody("a line of the chunked coding is too long")


def is_coded(headers: Headers) -> bool:
    """Returns whether a body has a content coding, which nobody here undoes (RFC 9110 8.4)."""
    if "content-encoding" not in headers:
        return False
    codings = ",".join(headers.all("content-encoding")).split(",")
    return any(coding.strip().lower() not in _IDENTITY for coding in codings)


def body_of(length: int, overhead: int) -> Body:
    """Returns the reader of a body of `length` bytes, or CHUNKED.

    Args:
        length: `Head.length`.
        overhead: Bytes of chunk extensions and trailer fields allowed.
    """
    return ChunkedBody(overhead) if length == CHUNKED else SizedBody(length)
