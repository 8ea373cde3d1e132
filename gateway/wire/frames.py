"""HTTP/2 frames: their numbers, and how each is written (RFC 9113 sections 4 to 7).

Data and pure functions. Which frame may come when is decided in `http2`.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends first (section 3.4)."""

HEADER_SIZE: Final = 9
"""Bytes of a frame's header (section 4.1)."""

DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITIZED: Final = 0x20

HEADER_TABLE_SIZE: Final = 0x1
ENABLE_PUSH: Final = 0x2
MAX_CONCURRENT_STREAMS: Final = 0x3
INITIAL_WINDOW_SIZE: Final = 0x4
MAX_FRAME_SIZE: Final = 0x5
MAX_HEADER_LIST_SIZE: Final = 0x6

MAX_WINDOW: Final = 2**31 - 1
MAX_STREAM_ID: Final = 2**31 - 1
DEFAULT_WINDOW: Final = 65_535
SMALLEST_MAX_FRAME: Final = 2**14
LARGEST_MAX_FRAME: Final = 2**24 - 1

# Length (24 bits, as 16 and 8), type, flags, stream identifier.
_HEADER: Final = Struct(">HBBBL")
_WORD: Final = Struct(">L")
_TWO_WORDS: Final = Struct(">LL")
_SETTING: Final = Struct(">HL")

read_header: Final = _HEADER.unpack_from
"""Reads a frame's header at an offset: length // 256, length % 256, type, flags, stream."""

read_word: Final = _WORD.unpack_from
read_two_words: Final = _TWO_WORDS.unpack_from
read_settings: Final = _SETTING.iter_unpack


class ErrorCode(IntEnum):
    """Why a stream or a connection ends (section 7)."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


def error_code(number: int) -> ErrorCode:
    """Returns the error code; one that is not defined counts as INTERNAL_ERROR (section 7)."""
    return ErrorCode(number) if number <= ErrorCode.HTTP_1_1_REQUIRED else ErrorCode.INTERNAL_ERROR


def header(length: int, kind: int, flags: int, stream: int) -> bytes:
    """Returns a frame's header (section 4.1)."""
    return _HEADER.pack(length >> 8, length & 0xFF, kind, flags, stream)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Returns a whole frame."""
    return header(len(payload), kind, flags, stream) + payload


def settings(values: dict[int, int]) -> bytes:
    """Returns a SETTINGS frame (section 6.5)."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*pair) for pair in values.items()))


SETTINGS_ACK: Final = frame(SETTINGS, ACK, 0)


def ping(payload: bytes, *, ack: bool = False) -> bytes:
    """Returns a PING frame with 8 bytes of payload (section 6.7)."""
    return frame(PING, ACK if ack else 0, 0, payload)


def goaway(last: int, code: int, debug: bytes = b"") -> bytes:
    """Returns a GOAWAY frame (section 6.8)."""
    return frame(GOAWAY, 0, 0, _TWO_WORDS.pack(last, code) + debug)


def rst_stream(stream: int, code: int) -> bytes:
    """Returns a RST_STREAM frame (section 6.4)."""
    return frame(RST_STREAM, 0, stream, _WORD.pack(code))


def window_update(stream: int, increment: int) -> bytes:
    """Returns a WINDOW_UPDATE frame; stream 0 is the connection (section 6.9)."""
    return frame(WINDOW_UPDATE, 0, stream, _WORD.pack(increment))


def field_block(stream: int, block: bytes, most: int, flags: int) -> bytes:
    """Returns HEADERS, and CONTINUATION frames for what is over `most` bytes (section 4.3).

    Args:
        stream: The stream.
        block: The field block.
        most: The peer's SETTINGS_MAX_FRAME_SIZE.
        flags: END_STREAM or 0.
    """
    if len(block) <= most:
        return frame(HEADERS, END_HEADERS | flags, stream, block)
    parts = [frame(HEADERS, flags, stream, block[:most])]
    for at in range(most, len(block), most):
        last = END_HEADERS if at + most >= len(block) else 0
        parts.append(frame(CONTINUATION, last, stream, block[at : at + most]))
    return b"".join(parts)
