"""`grpcws.v1.json`: frames as JSON in text messages (docs/websocket.md, "Framing").

Users' messages are Python values as of `json`, in the form of ProtoJSON.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

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

Members: TypeAlias = "Mapping[str, Any]"
T = TypeVar("T")


class JsonFraming:
    """The framing in JSON. See `framing.Framing`."""

    subprotocol: Final = "grpcws.v1.json"
    text: Final = True
    implied: Final = True

    def encode(self, frame: ClientFrame) -> bytes:
        """Returns a frame as JSON in UTF-8."""
        members, body = _WRITERS[type(frame)](frame)
        written = _dumps(members)
        if body is None:
            return written
        return b'%s,"body":%s}' % (written[:-1], body)

    def decode(self, data: str | bytes) -> ServerFrame | None:
        """Reads a frame. Raises ProtocolError."""
        if isinstance(data, bytes):
            raise ProtocolError("a binary message on a socket of text")
        try:
            members = json.loads(data)
        except (ValueError, RecursionError) as failure:
            raise ProtocolError("a message that is no JSON") from failure
        if not isinstance(members, dict):
            raise ProtocolError("a frame that is no object")
        kind = _get(members, "t", str)
        read = _READERS.get(kind)
        return None if read is None else read(members)

    def body(self, message: Any) -> bytes:
        """Serializes a Python value. Raises TypeError and ValueError as `json.dumps` does.

        The null of JSON is no message: frames take it for a body that is missing.
        """
        if message is None:
            raise TypeError("None is no message")
        return _dumps(message)

    def reader(self, reply: Any) -> Reader:
        """Replies are values as `json` reads them. Raises TypeError where a class is given."""
        if reply is not None:
            raise TypeError(f"reply= is of {_PROTO}; in {self.subprotocol} replies are JSON")
        return _as_it_is


_MOST_RATE: Final = 1e12
_PROTO: Final = "grpcws.v1.proto"


def _as_it_is(body: Any) -> Any:
    return body


def _dumps(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


# What is sent.

_Written: TypeAlias = "tuple[dict[str, Any], bytes | None]"  # members, and the body


def _hello(frame: Hello) -> _Written:
    members: dict[str, Any] = {"t": "hello"}
    if frame.token is not None:
        members["token"] = frame.token
    if frame.resume:
        members["features"] = ["resume"]
    if frame.session is not None:
        members |= {"session": frame.session, "seen": frame.seen, "granted": frame.granted}
    return members, None


def _open(frame: Open) -> _Written:
    members: dict[str, Any] = {"t": "open", "id": frame.id, "method": frame.method}
    if frame.metadata:
        members["metadata"] = [_entry(key, value) for key, value in frame.metadata]
    if frame.timeout_ms is not None:
        members["timeout_ms"] = frame.timeout_ms
    members |= {"credit": frame.credit, "end": frame.end}
    return members, frame.body


def _entry(key: str, value: str | bytes) -> list[str]:
    return [key, value if isinstance(value, str) else base64.b64encode(value).decode()]


def _request(frame: Request) -> _Written:
    members: dict[str, Any] = {"t": "message", "id": frame.id}
    if frame.end:
        members["end"] = True
    if frame.seq:
        members["seq"] = frame.seq
    return members, frame.body


def _credit(frame: Credit) -> _Written:
    members = {"t": "credit", "id": frame.id, "n": frame.n}
    if frame.seq:
        members["seq"] = frame.seq
    return members, None


_WRITERS: Final[Mapping[type[ClientFrame], Callable[[Any], _Written]]] = {
    Hello: _hello,
    Open: _open,
    Request: _request,
    Credit: _credit,
    Cancel: lambda frame: ({"t": "cancel", "id": frame.id}, None),
    Auth: lambda frame: ({"t": "auth", "token": frame.token}, None),
    Ping: lambda frame: ({"t": "ping", "data": frame.data}, None),
    Pong: lambda frame: ({"t": "pong", "data": frame.data}, None),
}


# What is received.


def _get(members: Members, name: str, type_: type[T], default: T | None = None) -> T:
    """Returns a member. Raises ProtocolError where it is of another type, or missing."""
    value = members.get(name, default)
    if type(value) is not type_:  # exactly: True is no number
        raise ProtocolError(f"{name} is no {type_.__name__}")
    return value


def _number(members: Members, name: str, default: int | None = None) -> int:
    value = _get(members, name, int, default)
    if value < 0:
        raise ProtocolError(f"{name} is less than 0")
    return value


def _optional(members: Members, name: str) -> int | None:
    return None if members.get(name) is None else _number(members, name)


def _rate(members: Members, name: str) -> float:
    value = members.get(name, 0)
    if type(value) not in {int, float} or not 0 <= value < _MOST_RATE:
        raise ProtocolError(f"{name} is no rate")
    return float(value)


def _object(value: object) -> Members:
    if not isinstance(value, dict):
        raise ProtocolError("what should be an object is none")
    return value


def _metadata(members: Members, name: str) -> Metadata:
    return tuple(_read_entry(entry) for entry in _get(members, name, list, []))


def _read_entry(entry: object) -> tuple[str, str | bytes]:
    match entry:
        case [str(key), str(value)]:
            return key, _binary(value) if key.endswith("-bin") else value
    raise ProtocolError("an entry of metadata that is no pair of texts")


def _binary(value: str) -> bytes:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError) as failure:
        raise ProtocolError("metadata that is no base64") from failure


def _welcome(members: Members) -> Welcome:
    limits = _object(members.get("limits"))
    return Welcome(
        _get(members, "session", str),
        _number(members, "ping_ms"),
        Limits(
            _number(limits, "streams"),
            _number(limits, "message_size"),
            _number(limits, "credit"),
            _number(limits, "buffer"),
            _rate(limits, "opens"),
            _optional(limits, "session_buffer"),
        ),
        _optional(members, "resume_ms"),
        tuple(_resumed(_object(each)) for each in _get(members, "resumed", list, [])),
        _number(members, "last_id", 0),
    )


def _resumed(members: Members) -> Resumed:
    return Resumed(_number(members, "id"), _number(members, "seq"), _number(members, "granted"))


def _headers(members: Members) -> Headers:
    return Headers(_number(members, "id"), _metadata(members, "metadata"), _seq(members))


def _reply(members: Members) -> Reply:
    if "body" not in members:
        raise ProtocolError("a message without a body")
    return Reply(_number(members, "id"), members["body"], _seq(members))


def _end(members: Members) -> End:
    return End(
        _number(members, "id"),
        _number(members, "code"),
        _get(members, "status", str),
        _get(members, "message", str, ""),
        tuple(_get(members, "details", list, [])),
        _metadata(members, "trailers"),
        _seq(members),
    )


def _granted(members: Members) -> Credit:
    return Credit(_number(members, "id"), _number(members, "n"), _seq(members))


def _seq(members: Members) -> int:
    return _number(members, "seq", 0)


_READERS: Final[Mapping[str, Callable[[Members], ServerFrame]]] = {
    "welcome": _welcome,
    "headers": _headers,
    "message": _reply,
    "credit": _granted,
    "status": _end,
    "auth_expiring": lambda _: AuthExpiring(),
    "auth_ok": lambda _: AuthOk(),
    "ping": lambda members: Ping(_get(members, "data", str, "")),
    "pong": lambda members: Pong(_get(members, "data", str, "")),
    "goaway": lambda members: Goaway(_number(members, "reconnect_ms", 0)),
}
