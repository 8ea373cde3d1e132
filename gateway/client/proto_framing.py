"""`grpcws.v1.proto`: frames of `gateway.v1` in binary messages (protos/gateway/v1/websocket.proto).

Users' messages are messages of `google.protobuf`, or serialized ones as bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.message import DecodeError, EncodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.call import Code
from gateway.client.frames import (
    Auth,
    AuthExpiring,
    AuthOk,
    Cancel,
    ClientFrame,
    Credit,
    End,
    Goaway,
    Headers,
    Hello,
    Limits,
    Metadata,
    Open,
    Ping,
    Pong,
    ProtocolError,
    Reply,
    Request,
    Resumed,
    ServerFrame,
    Welcome,
)
from gateway.client.framing import Reader
from gateway.v1 import websocket_pb2

_TYPES = websocket_pb2.DESCRIPTOR.message_types_by_name
_ClientFrame, _ServerFrame, _Metadata = (
    GetMessageClass(_TYPES[name]) for name in ("ClientFrame", "ServerFrame", "Metadata")
)


class ProtoFraming:
    """The framing in protobuf. See `framing.Framing`."""

    subprotocol: Final = "grpcws.v1.proto"
    text: Final = False
    implied: Final = False

    def encode(self, frame: ClientFrame) -> bytes:
        """Returns a frame as a serialized `gateway.v1.ClientFrame`."""
        written: Any = _ClientFrame()
        name, fill = _WRITERS[type(frame)]
        part = getattr(written, name)
        part.SetInParent()
        fill(part, frame)
        data: bytes = written.SerializeToString()
        return data

    def decode(self, data: str | bytes) -> ServerFrame | None:
        """Reads a serialized `gateway.v1.ServerFrame`. Raises ProtocolError."""
        if isinstance(data, str):
            raise ProtocolError("a text message on a socket of binary ones")
        try:
            read: Any = _ServerFrame.FromString(data)
        except DecodeError as failure:
            raise ProtocolError("a message that is no frame") from failure
        kind = read.WhichOneof("frame")
        return None if kind is None else _READERS[kind](getattr(read, kind))

    def body(self, message: Any) -> bytes:
        """Serializes a message; bytes are taken for a serialized one."""
        if isinstance(message, bytes):
            return message
        if not isinstance(message, Message):
            raise TypeError(
                f"a message of {self.subprotocol} is a protobuf message or bytes, "
                f"not {type(message).__name__}"
            )
        try:
            return message.SerializeToString()
        except EncodeError as failure:
            raise ValueError(f"the message can't be serialized: {failure}") from failure

    def reader(self, reply: Any) -> Reader:
        """Replies are messages of the class that was given, or bytes without one."""
        if reply is None:
            return bytes
        if not (isinstance(reply, type) and issubclass(reply, Message)):
            raise TypeError(f"reply= takes a class of protobuf messages, not {reply!r}")

        def read(body: Any) -> Message:
            try:
                return reply.FromString(body)
            except DecodeError as failure:
                raise ValueError(f"a reply is no {reply.DESCRIPTOR.full_name}") from failure

        return read


# What is sent: the member of the oneof, and what fills it.


def _hello(part: Any, frame: Hello) -> None:
    part.token = frame.token or ""
    if frame.resume:
        part.features.append("resume")
    if frame.session is not None:
        part.session = frame.session
        part.seen.update(frame.seen)
        part.granted.update(frame.granted)


def _open(part: Any, frame: Open) -> None:
    part.id, part.method, part.credit = frame.id, frame.method, frame.credit
    part.metadata.extend(_entry(key, value) for key, value in frame.metadata)
    if frame.timeout_ms is not None:
        part.timeout_ms = frame.timeout_ms
    if frame.body is not None:
        part.body = frame.body
    part.end = frame.end


def _entry(key: str, value: str | bytes) -> Any:
    if isinstance(value, str):
        return _Metadata(key=key, text=value)
    return _Metadata(key=key, binary=value)


def _request(part: Any, frame: Request) -> None:
    part.id, part.end, part.seq = frame.id, frame.end, frame.seq
    if frame.body is not None:
        part.body = frame.body


def _credit(part: Any, frame: Credit) -> None:
    part.id, part.n, part.seq = frame.id, frame.n, frame.seq


def _only(name: str) -> Callable[[Any, Any], None]:
    def fill(part: Any, frame: Any) -> None:
        setattr(part, name, getattr(frame, name))

    return fill


_WRITERS: Final[Mapping[type[ClientFrame], tuple[str, Callable[[Any, Any], None]]]] = {
    Hello: ("hello", _hello),
    Open: ("open", _open),
    Request: ("message", _request),
    Credit: ("credit", _credit),
    Cancel: ("cancel", _only("id")),
    Auth: ("auth", _only("token")),
    Ping: ("ping", _only("data")),
    Pong: ("pong", _only("data")),
}


# What is received.

_MOST_RATE: Final = 1e12  # what is more, or no number, is none


def _metadata(entries: Any) -> Metadata:
    return tuple(
        (entry.key, entry.binary if entry.WhichOneof("value") == "binary" else entry.text)
        for entry in entries
    )


def _welcome(part: Any) -> Welcome:
    limits = part.limits
    return Welcome(
        part.session,
        part.ping_ms,
        Limits(
            limits.streams,
            limits.message_size,
            limits.credit,
            limits.buffer,
            limits.opens if 0 < limits.opens < _MOST_RATE else 0.0,
            limits.session_buffer or None,
        ),
        part.resume_ms if part.HasField("resume_ms") else None,
        tuple(Resumed(each.id, each.seq, each.granted) for each in part.resumed),
        part.last_id,
    )


def _end(part: Any) -> End:
    return End(
        part.id,
        part.code,
        _name(part.code),
        part.message,
        tuple(part.details),
        _metadata(part.trailers),
        part.seq,
    )


def _name(code: int) -> str:
    return Code(code).name if code in Code._value2member_map_ else Code.UNKNOWN.name


_READERS: Final[Mapping[str, Callable[[Any], ServerFrame]]] = {
    "welcome": _welcome,
    "headers": lambda part: Headers(part.id, _metadata(part.metadata), part.seq),
    "message": lambda part: Reply(part.id, part.body, part.seq),
    "credit": lambda part: Credit(part.id, part.n, part.seq),
    "status": _end,
    "auth_expiring": lambda _: AuthExpiring(),
    "auth_ok": lambda _: AuthOk(),
    "ping": lambda part: Ping(part.data),
    "pong": lambda part: Pong(part.data),
    "goaway": lambda part: Goaway(part.reconnect_ms),
}
