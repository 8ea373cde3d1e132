"""WebSocket frames as a server writes them, and what all frames have in common (RFC 6455 5.2).

Pure functions of bytes. What frames make up is `websocket`'s; who sends them when, the listener's.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

from websockets.typing import BytesLike

try:
    from websockets.speedups import apply_mask
except ImportError:  # where it was installed without a compiler of C
    from websockets.utils import apply_mask


CONT: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10
"""Opcodes. From CLOSE on they are control frames."""

FIN: Final = 0x80
PACKED: Final = 0x40
"""Bits beside the opcode: the last frame of a message; RSV1, a compressed one (RFC 7692 6)."""

PROTOCOL_ERROR: Final = 1002
INVALID_DATA: Final = 1007
NO_CODE: Final = 1005
TOO_LARGE: Final = 1009

_REASON_SIZE: Final = 123  # bytes: a control frame's payload, less the code

_CODES: Final = frozenset((1000, 1001, 1002, 1003, *range(1007, 1015)))

Received: TypeAlias = "bytes | bytearray"

_LARGE: Final = 4096
_SHORT: Final = {
    head: tuple(bytes([head, size]) for size in range(126))
    for head in (FIN | TEXT, FIN | BINARY, FIN | CLOSE, FIN | PING, FIN | PONG)
}


class Broken(Exception):  # noqa: N818  the client's error
    """The client has broken the protocol, or a limit.

    Attributes:
        code: The close code that says so.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def frame(opcode: int, data: BytesLike, *, packed: bool = False) -> bytes:
    """Returns a frame of a server, unmasked and whole.

    Args:
        opcode: TEXT, BINARY, CLOSE, PING or PONG.
        data: Its payload; at most 125 bytes for the last three.
        packed: Whether it is compressed.
    """
    size = len(data)
    if size < 126 and not packed:
        return _SHORT[FIN | opcode][size] + data
    head = FIN | opcode | (PACKED if packed else 0)
    if size < 126:
        return bytes((head, size)) + data
    if size < 65_536:
        return struct.pack("!BBH", head, 126, size) + data
    return struct.pack("!BBQ", head, 127, size) + data


def span(data: Received, at: int) -> tuple[int, int] | None:
    """Finds the frame of a client that begins at a place.

    Returns:
        Where its payload begins (its mask is the four bytes before), and where it ends, be that
        there or not; None while its head is not there.

    Raises:
        Broken: It is not masked (RFC 6455 5.1).
    """
    left = len(data) - at
    if left < 2:
        return None
    size = data[at + 1] - 128
    if size < 0:
        raise Broken(PROTOCOL_ERROR)
    if size < 126:
        return at + 6, at + 6 + size
    if size == 126:
        if left < 4:
            return None
        return at + 8, at + 8 + (data[at + 2] << 8 | data[at + 3])
    if left < 10:
        return None
    return at + 14, at + 14 + int.from_bytes(data[at + 2 : at + 10], "big")


def payload(data: Received, begin: int, end: int) -> bytes:
    """Returns a client's payload, unmasked, where `span` has found it."""
    mask = data[begin - 4 : begin]
    if end - begin < _LARGE:
        return apply_mask(data[begin:end], mask)
    with memoryview(data) as view, view[begin:end] as part:  # not copied before it is unmasked
        return apply_mask(part, mask)


def close_payload(code: int, reason: str) -> bytes:
    """Returns what a close frame holds.

    Raises:
        ValueError: The code is none that may be sent, or the reason has over 123 bytes.
    """
    words = reason.encode()
    if not _may_be_sent(code) or len(words) > _REASON_SIZE:
        raise ValueError(f"a close frame can't say {code} {reason!r}")
    return code.to_bytes(2, "big") + words


def read_close(data: bytes) -> tuple[int, str]:
    """Returns the code and the reason of a close frame; NO_CODE where there is none.

    Raises:
        Broken: It has half a code or one that may not be sent, or its reason is not UTF-8.
    """
    if not data:
        return NO_CODE, ""
    code = int.from_bytes(data[:2], "big")
    if len(data) < 2 or not _may_be_sent(code):
        raise Broken(PROTOCOL_ERROR)
    try:
        return code, str(data[2:], "utf-8")
    except UnicodeDecodeError:
        raise Broken(INVALID_DATA) from None


def _may_be_sent(code: int) -> bool:
    """Tells codes of section 7.4 and of IANA's registry from those that stand for no frame."""
    return code in _CODES or 3000 <= code < 5000
