"""What two workers tell each other of a socket that one of them relays to the other. Sans-IO.

A record is a byte for its kind, four for the length of what follows, and that. Both workers run the
same code, and nobody else reaches the Unix socket between them.
"""

from __future__ import annotations

import json
from enum import Enum
from struct import Struct
from typing import Final

from gateway.http import Headers, Request

_HEAD: Final = Struct(">cL")
_CODE: Final = Struct(">H")


class Kind(Enum):
    """Kinds of records; who sends one stands before it."""

    OPENED = b"o"  # the relay: the handshake of the client
    TEXT = b"t"  # both
    BINARY = b"b"  # both
    CLOSED = b"c"  # the relay: the client's end, with code and reason
    DRAINING = b"d"  # the relay: it shuts down
    PONG = b"q"  # the relay: the client has answered
    STALLED = b"s"  # the relay: the client takes nothing
    CLOSE = b"C"  # the owner: close, with code and reason
    ABORT = b"A"  # the owner: cut the connection
    PING = b"P"  # the owner: ping the client
    WATCH = b"W"  # the owner: say if the client takes nothing for so many seconds


class Records:
    """Cuts bytes into records."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """Takes bytes in, and returns the records that are whole."""
        buffer = self._buffer
        buffer += data
        found, at = [], 0
        while len(buffer) - at >= _HEAD.size:
            kind, size = _HEAD.unpack_from(buffer, at)
            end = at + _HEAD.size + size
            if len(buffer) < end:
                break
            found.append((Kind(kind), bytes(buffer[at + _HEAD.size : end])))
            at = end
        del buffer[:at]
        return found


def record(kind: Kind, payload: bytes = b"") -> bytes:
    """Returns a record."""
    return _HEAD.pack(kind.value, len(payload)) + payload


def closing(code: int, reason: str) -> bytes:
    """Returns what a record of a close holds."""
    return _CODE.pack(code) + reason.encode()


def closed(payload: bytes) -> tuple[int, str]:
    """Returns code and reason of a record of a close."""
    (code,) = _CODE.unpack_from(payload)
    return code, payload[_CODE.size :].decode()


def handshake(request: Request, subprotocol: str | None) -> bytes:
    """Returns what a record of an opened socket holds."""
    told = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": list(request.headers),
        "authority": request.authority,
        "scheme": request.scheme,
        "peer": request.peer,
    }
    return json.dumps([told, subprotocol]).encode()


def shaken(payload: bytes) -> tuple[Request, str | None]:
    """Returns the handshake, and the subprotocol that was chosen."""
    told, subprotocol = json.loads(payload)
    told["headers"] = Headers((name, value) for name, value in told["headers"])
    return Request(**told), subprotocol
