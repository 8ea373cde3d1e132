"""A client's connection with a server that says what a test wants: what the wire's tests stand on."""

from typing import NamedTuple

from gateway.wire import frames, hpack
from gateway.wire.failure import ConnectionFailed
from gateway.wire.frames import ErrorCode
from gateway.wire.hpack import Decoder, Field, MalformedError
from gateway.wire.http2_client import ClientConnection
from gateway.wire.stream import Origin, Stream

PEER, HERE = Origin.PEER, Origin.HERE


class Sent(NamedTuple):
    """A frame that this side sent."""

    kind: int
    flags: int
    stream: int
    payload: bytes = b""


def parse(data: bytes) -> list[Sent]:
    """Takes what was sent apart into frames, by the layout of RFC 9113 section 4.1."""
    found = []
    while data:
        length = int.from_bytes(data[:3], "big")
        assert len(data) >= 9 + length, "part of a frame was sent"
        number = int.from_bytes(data[5:9], "big")
        found.append(Sent(data[3], data[4], number, data[9 : 9 + length]))
        data = data[9 + length :]
    return found


def goaway(code: ErrorCode) -> Sent:
    return Sent(frames.GOAWAY, 0, 0, bytes(4) + code.to_bytes(4, "big"))


def rst(code: ErrorCode, stream: int = 1) -> Sent:
    return Sent(frames.RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def update(increment: int, stream: int = 0) -> Sent:
    return Sent(frames.WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def data(payload: bytes, stream: int = 1, *, end: bool = False) -> Sent:
    return Sent(frames.DATA, frames.END_STREAM if end else 0, stream, payload)


ACK = Sent(frames.SETTINGS, frames.ACK, 0)


def fields(**pairs: str) -> bytes:
    """Returns a field block; `status` is the pseudo-header, and _ stands for -."""
    return hpack.fields(
        [
            (":status" if name == "status" else name.replace("_", "-"), value)
            for name, value in pairs.items()
        ]
    )


OK = fields(status="200")


def headers(
    block: bytes = OK, stream: int = 1, flags: int = frames.END_HEADERS, *, end: bool = False
) -> bytes:
    return frames.frame(
        frames.HEADERS, flags | (frames.END_STREAM if end else 0), stream, bytes(block)
    )


def content(payload: bytes, stream: int = 1, *, end: bool = False, padding: int = -1) -> bytes:
    flags = frames.END_STREAM if end else 0
    if padding >= 0:
        payload = bytes([padding]) + payload + bytes(padding)
        flags |= frames.PADDED
    return frames.frame(frames.DATA, flags, stream, payload)


def value_of(field: Field) -> bytes | None:
    """Returns a field's value, None if it has none that can be read: that is known on reading."""
    try:
        return field.value
    except MalformedError:
        return None


class Told(Stream):
    """A stream that keeps what it was told, in order."""

    def __init__(self, *, paced: bool = False) -> None:
        self.paced = paced
        self.events: list[tuple] = []

    def head(self, fields, *, end):
        self.events.append(("head", fields.status, end))

    def data(self, payload):
        assert payload, "content is never empty"
        # Content is a sequence of bytes, whatever frames it came in, and what was said meanwhile.
        at = max((at for at, one in enumerate(self.events) if one[0] != "writable"), default=-1)
        if at >= 0 and self.events[at][0] == "data":
            payload = self.events.pop(at)[1] + payload
        self.events.append(("data", bytes(payload)))

    def trailers(self, fields):
        lines = tuple((field.name, value_of(field)) for field in fields.lines)
        self.events.append(("trailers", lines))

    def end(self):
        self.events.append(("end",))

    def reset(self, reset):
        self.events.append(("reset", reset.code, reset.origin))
        self.unprocessed = reset.unprocessed

    def writable(self):
        self.events.append(("writable",))


class Owner:
    """An owner that keeps what it was told."""

    def __init__(self) -> None:
        self.events: list[tuple] = []

    def settled(self):
        self.events.append(("settled",))

    def going_away(self, code, debug):
        self.events.append(("going_away", code, debug))

    def pong(self, payload):
        self.events.append(("pong", payload))


class Clock:
    """Seconds, as a test sets them."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


REQUEST = hpack.fields(
    [(":method", "POST"), (":scheme", "http"), (":path", "/a/B"), (":authority", "a")]
)


class Link:
    """A connection.

    Args:
        settings: The server's first settings; None if it has not said any yet.
    """

    def __init__(self, settings=(), limits=None, decoder=None) -> None:
        self.owner = Owner()
        self.clock = Clock()
        self.connection = ClientConnection(self.owner, decoder or Decoder(), limits, self.clock)
        self.preface = self.connection.outgoing.take()
        if settings is not None:
            self.receive(frames.settings(dict(settings)))
            assert self.sent() == [ACK]
            self.owner.events.clear()

    def receive(self, *received: bytes) -> ErrorCode | None:
        """Receives bytes; returns what the connection failed with, if it did."""
        try:
            self.connection.receive(b"".join(received))
        except ConnectionFailed as failed:
            return failed.code
        return None

    def sent(self) -> list[Sent]:
        return parse(self.connection.outgoing.take())

    def request(
        self, data: bytes = b"", *, end: bool = True, paced: bool = False, block: bytes = REQUEST
    ) -> Told:
        stream = Told(paced=paced)
        self.connection.request(stream, block, data, end=end)
        return stream
