"""Commands as they go over the wire: arrays of bulk strings (RESP, "Sending commands").

Each is packed once, to one `bytes`. Answers are read by the connection's own parser.
"""

from __future__ import annotations

from typing import TypeAlias

Word: TypeAlias = bytes | str | int | float


def words(parts: tuple[Word, ...]) -> bytes:
    """Returns parts as bulk strings. Text is UTF-8; numbers are written as Python writes them."""
    out = []
    for part in parts:
        data = part if type(part) is bytes else str(part).encode()
        out.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(out)


def head(packed: bytes, most: int) -> list[bytes]:
    """Returns the first words of a command that was made here, so many at most."""
    found: list[bytes] = []
    at = packed.index(b"\r\n") + 2
    while at < len(packed) and len(found) < most:
        start = packed.index(b"\r\n", at) + 2
        end = start + int(packed[at + 1 : start - 2])
        found.append(packed[start:end])
        at = end + 2
    return found


def command(parts: tuple[Word, ...]) -> bytes:
    """Returns a command with its arguments."""
    return b"*%d\r\n%b" % (len(parts), words(parts))
