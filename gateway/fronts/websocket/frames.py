"""The frames of the multiplexed form, as both framings mean them (docs/websocket.md).

What a client sends is read into one of these; what the server sends is written from plain values
by a `Framing`. A body is bytes in the form of the framing: JSON text, or a serialized message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from gateway.call import Code
from gateway.fronts.websocket.codes import BAD_FRAME
from gateway.http.websocket import Message as SocketMessage

MOST_ID: Final = 2**53 - 1
"""The highest id, `seq` and sum of grants: what a JavaScript number holds exactly."""

MOST_CREDIT: Final = 2**31 - 1
"""The highest credit of a stream."""

MOST_PING_DATA: Final = 125
"""Characters that a ping may carry."""

MOST_SECONDS: Final = 2**32 - 1
"""The longest time for which a token is said to last: some say the year 9999."""

Pairs: TypeAlias = "Sequence[tuple[str, str]]"
"""Metadata, as HTTP has it: the values of `-bin` keys are base64."""


def whole_seconds(seconds: float) -> int:
    """Returns how long a token lasts, as frames say it."""
    return int(min(max(seconds, 0.0), MOST_SECONDS))


class FrameError(Exception):
    """What a client sent is no frame, or none that is allowed: the socket is to be closed.

    Attributes:
        code: The close code.
        reason: What to say with it, at most 123 bytes.
    """

    def __init__(self, reason: str, code: int = BAD_FRAME) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Hello:
    """A client's first frame."""

    token: str | None = field(default=None, repr=False)
    features: frozenset[str] = frozenset()
    session: str | None = field(default=None, repr=False)
    seen: Mapping[int, int] = field(default_factory=dict)
    granted: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Open:
    """Begins a stream. `timeout` is in seconds."""

    id: int
    method: str
    metadata: Pairs = field(default=(), repr=False)
    timeout: float | None = None
    credit: int | None = None
    body: bytes | None = field(default=None, repr=False)
    end: bool = False


@dataclass(slots=True)
class Message:
    """A request message, or with `end` and no body the word that there are no more."""

    id: int
    body: bytes | None = field(repr=False)
    end: bool = False
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Credit:
    """Grants `n` messages more, and says that all up to `seq` have arrived."""

    id: int
    n: int
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    """Ends a stream."""

    id: int


@dataclass(frozen=True, slots=True)
class Auth:
    """A new token."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ping:
    """Is to be answered by a pong with the same data."""

    data: str = ""


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping."""

    data: str = ""


ClientFrame: TypeAlias = "Hello | Open | Message | Credit | Cancel | Auth | Ping | Pong"


@dataclass(frozen=True, slots=True)
class Resumed:
    """A stream that goes on: what the server has of it, and has ever granted."""

    id: int
    seq: int
    granted: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to a hello.

    Attributes:
        session: Its id.
        ping: Seconds between the server's pings.
        streams: The most streams open at once.
        message_size: The most bytes of a body.
        credit: Messages that the client may send on a stream at first.
        buffer: Bytes of them.
        session_buffer: Bytes of those of all streams.
        opens: Streams that it may open in a second.
        token: Seconds for which the token lasts; None where it lasts for ever, or there is none.
        resume: Seconds for which the session outlives its socket; None where it does not.
        resumed: The streams that go on.
        lost: The ids of those that do not.
        last_id: The highest id that the server has seen.
    """

    session: str = field(repr=False)
    ping: float
    streams: int
    message_size: int
    credit: int
    buffer: int
    session_buffer: int
    opens: float
    token: float | None = None
    resume: float | None = None
    resumed: Iterable[Resumed] = ()
    lost: Sequence[int] = ()
    last_id: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """How a stream ended.

    Attributes:
        code: The status code.
        message: The status message.
        details: Each an Any, in the form of the framing: its JSON, or serialized.
        trailers: What the client is told of the backend's trailing metadata.
    """

    code: Code
    message: str = ""
    details: Sequence[bytes] = ()
    trailers: Pairs = ()


class Framing(Protocol):
    """How frames are written: one of the two subprotocols. Without state.

    `seq` is 0 where the session can't be resumed, and is left out then.
    """

    subprotocol: str
    binary: bool

    def read(self, message: SocketMessage) -> ClientFrame:
        """Returns the frame of a WebSocket message.

        Raises:
            FrameError: It is none.
        """

    def welcome(self, welcome: Welcome) -> bytes:
        """Writes the answer to a hello."""

    def headers(self, id_: int, metadata: Pairs, seq: int) -> bytes:
        """Writes a stream's initial metadata."""

    def message(self, id_: int, body: bytes, seq: int) -> bytes:
        """Writes a reply message."""

    def credit(self, id_: int, n: int, seq: int) -> bytes:
        """Writes a grant."""

    def status(self, id_: int, end: End, seq: int) -> bytes:
        """Writes the end of a stream."""

    def auth_expiring(self, seconds: float) -> bytes:
        """Writes that the token expires in so many seconds."""

    def auth_ok(self, seconds: float | None) -> bytes:
        """Writes that the new token is good, for so many seconds."""

    def pong(self, data: str) -> bytes:
        """Writes the answer to a ping."""

    def goaway(self, reason: str, reconnect: float) -> bytes:
        """Writes that the client shall connect again, in so many seconds."""
