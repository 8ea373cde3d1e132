"""What two workers tell each other of a socket that one of them relays to the other. Sans-IO.

A record is a byte for its kind, four for the length of what follows, and that. Both workers run the
same code, and nobody else reaches the Unix socket between them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum
from struct import Struct
from typing import Final

from gateway.http import Headers, Request
from gateway.http.certificate import Certificate

_HEAD: Final = Struct(">cL")
_CODE: Final = Struct(">H")
_LISTS: Final = ("uris", "dns", "emails")  # of a certificate: tuples, which JSON does not have


class Kind(Enum):
    """Kinds of records; who sends one stands behind it."""

    ARRIVED = b"a"  # the relay, first: a client that comes back
    ADOPTED = b"A"  # the owner, to that: it drives the socket; else it closes the connection
    TEXT = b"t"  # both: a message
    BINARY = b"b"  # both: a message
    FULL = b"f"  # the relay: the client takes nothing now
    TAKEN = b"e"  # the relay: it has taken what it was slow to take
    HOLD = b"H"  # the owner: no more messages for now
    GO = b"G"  # the owner: go on
    PING = b"P"  # the owner: ping the client
    PONG = b"p"  # the relay: it has answered
    WATCH = b"W"  # the owner: say if the client takes nothing for so many seconds
    STALLED = b"s"  # the relay: it has taken nothing for so long
    DRAINING = b"d"  # the relay: it shuts down
    CLOSE = b"C"  # the owner: close, with code and reason
    CUT = b"X"  # the owner: cut the connection
    CLOSED = b"c"  # the relay, last: the client's end, with code and reason


@dataclass(frozen=True, slots=True)
class Arrival:
    """A client that comes back, at a worker that does not have its session.

    Attributes:
        request: Its handshake.
        subprotocol: What was chosen of those it offered.
        framing: The subprotocol that names its framing, whether it offered one or not.
        session: The session that it names.
    """

    request: Request
    subprotocol: str | None
    framing: str
    session: str


class Records:
    """Cuts bytes into records."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """Takes bytes in, and returns the records that are whole."""
        buffer = self._buffer
        buffer += data
        found, at, size = [], 0, len(buffer)
        with memoryview(buffer) as view:
            while size - at >= _HEAD.size:
                kind, length = _HEAD.unpack_from(view, at)
                begin = at + _HEAD.size
                end = begin + length
                if size < end:
                    break
                found.append((Kind(kind), bytes(view[begin:end])))
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


def arriving(arrival: Arrival) -> bytes:
    """Returns what a record of an arrival holds."""
    request = arrival.request
    told = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": list(request.headers),
        "authority": request.authority,
        "scheme": request.scheme,
        "peer": request.peer,
        "is_trusted": request.is_trusted,
        "server_name": request.server_name,
        "certificate": None if request.certificate is None else asdict(request.certificate),
    }
    rest = {
        "subprotocol": arrival.subprotocol,
        "framing": arrival.framing,
        "session": arrival.session,
    }
    return json.dumps([told, rest]).encode()


def arrived(payload: bytes) -> Arrival:
    """Returns the arrival of a record."""
    told, rest = json.loads(payload)
    told["headers"] = Headers((name, value) for name, value in told["headers"])
    if (shown := told["certificate"]) is not None:
        lists = {name: tuple(shown[name]) for name in _LISTS}
        told["certificate"] = Certificate(**(shown | lists))
    return Arrival(Request(**told), **rest)
