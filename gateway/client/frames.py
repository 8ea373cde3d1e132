"""The frames of the multiplexed protocol, as data: what a client sends, what a server sends.

docs/websocket.md, "Framing". How a frame is written as JSON or protobuf is the framings' matter
(`json_framing`, `proto_framing`), what it means the session's. The body of a frame that is sent is
serialized already, for its size counts; the body of one that was received is what its framing makes
of it. A `seq` of 0 is none: the session can't be resumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Metadata: TypeAlias = "tuple[tuple[str, str | bytes], ...]"
"""Entries in order; the values of keys that end with `-bin` are bytes."""


class ProtocolError(Exception):
    """The gateway sent what is no frame, or not allowed where it came. Closes with 4400."""


# What a client sends.


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame.

    Attributes:
        token: Who calls, or None.
        resume: Whether the session is to outlive its socket.
        session: The session to come back to, or None.
        seen: Of each stream that goes on, the highest `seq` that has come, or 0.
        granted: Of each of these, the messages that were granted so far in all.
    """

    token: str | None = field(default=None, repr=False)
    resume: bool = False
    session: str | None = field(default=None, repr=False)
    seen: Mapping[int, int] = field(default_factory=dict)
    granted: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Open:
    """Begins a stream. `body` is the first request message, `end` says that it is the last."""

    id: int
    method: str
    metadata: Metadata = field(repr=False)
    timeout_ms: int | None
    credit: int
    body: bytes | None
    end: bool


@dataclass(frozen=True, slots=True)
class Request:
    """A `message` of the client's; without a body it only says `end`."""

    id: int
    body: bytes | None
    end: bool
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    """Ends a stream from the client's side."""

    id: int


@dataclass(frozen=True, slots=True)
class Auth:
    """A new token."""

    token: str = field(repr=False)


# What both send.


@dataclass(frozen=True, slots=True)
class Credit:
    """Grants `n` messages more, and acknowledges all up to `seq`."""

    id: int
    n: int
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a pong with the same data."""

    data: str = ""


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a ping."""

    data: str = ""


# What a server sends.


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may do.

    Attributes:
        streams: Streams open at once.
        message_size: Bytes of a body.
        credit: Messages that may be sent on a stream before more are granted.
        buffer: Bytes of them.
        opens: Streams that may be opened in a second; 0 is as many as you like.
        session_buffer: Bytes of the messages of all streams; None is as many as you like, of a
            gateway that does not say.
    """

    streams: int
    message_size: int
    credit: int
    buffer: int
    opens: float = 0.0
    session_buffer: int | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """A stream that goes on.

    Attributes:
        id: The stream.
        seq: The highest `seq` that the server has of it.
        granted: The messages that the server has granted so far in all.
    """

    id: int
    seq: int
    granted: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """Answers the hello.

    Attributes:
        session: The session's id.
        ping_ms: How often the server makes sure that the client is there.
        limits: What the client may do.
        resume_ms: How long the session outlives its socket, or None if it doesn't.
        resumed: The streams that go on.
        last_id: The highest id of a stream that the server has seen.
    """

    session: str = field(repr=False)
    ping_ms: int
    limits: Limits
    resume_ms: int | None = None
    resumed: tuple[Resumed, ...] = ()
    last_id: int = 0


@dataclass(frozen=True, slots=True)
class Headers:
    """The backend's initial metadata."""

    id: int
    metadata: Metadata
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A `message` of the server's."""

    id: int
    body: Any
    seq: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """A `status`: the last frame of a stream."""

    id: int
    code: int
    status: str
    message: str = ""
    details: tuple[Any, ...] = ()
    trailers: Metadata = ()
    seq: int = 0


@dataclass(frozen=True, slots=True)
class AuthExpiring:
    """The token expires soon."""


@dataclass(frozen=True, slots=True)
class AuthOk:
    """The new token is good."""


@dataclass(frozen=True, slots=True)
class Goaway:
    """No new streams: connect again, `reconnect_ms` from now."""

    reconnect_ms: int


ClientFrame: TypeAlias = "Hello | Open | Request | Credit | Cancel | Auth | Ping | Pong"
StreamFrame: TypeAlias = "Headers | Reply | Credit | End"
ServerFrame: TypeAlias = "Welcome | StreamFrame | AuthExpiring | AuthOk | Ping | Pong | Goaway"
