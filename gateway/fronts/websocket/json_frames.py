"""The framing `grpcws.v1.json`: a frame is a JSON object, its member `t` says of which kind.

The frame's own members are read here; a body is passed on as the text it is, to be read by the
codec of its method's type, which is stricter than `json`. What a client sends most is recognised
as a whole; everything else is read member by member.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from gateway.fronts.websocket.frames import (
    MOST_CREDIT,
    MOST_ID,
    MOST_PING_DATA,
    Auth,
    Cancel,
    ClientFrame,
    Credit,
    End,
    FrameError,
    Hello,
    Message,
    Open,
    Pairs,
    Ping,
    Pong,
    Welcome,
    whole_seconds,
)
from gateway.fronts.websocket.json_members import LONG, Members, body_at
from gateway.http.websocket import Message as SocketMessage

# What most frames are, by a serializer that writes no space and keeps the order; what follows is
# a body and the frame's end, if the scanner says so.
_USUAL: Final = re.compile(
    r'\{"t":"message","id":([1-9][0-9]{0,14})(?:,"seq":([1-9][0-9]{0,14}))?,"body":'
)


class JsonFraming:
    """Frames as text (`frames.Framing`)."""

    subprotocol = "grpcws.v1.json"
    binary = False

    def read(self, message: SocketMessage) -> ClientFrame:
        """See Framing."""
        if not isinstance(message, str):
            raise FrameError("frames of grpcws.v1.json are text, not binary")
        usual = _USUAL.match(message) if len(message) <= LONG else None
        if usual is not None:
            start = usual.end()
            try:
                body, end = body_at(message, start)
            except (ValueError, RecursionError):
                body, end = None, 0
            if end == len(message) - 1 and message[end] == "}" and body is not None:
                id_, seq = usual.groups("0")
                return Message(int(id_), message[start:end].encode(), seq=int(seq))
        members = Members.of(message)
        kind = members.text("t", required=True)
        reader = _READERS.get(kind)
        if reader is None:
            raise FrameError(f"there is no frame {json.dumps(kind[:32])}")
        return reader(members)

    def welcome(self, welcome: Welcome) -> bytes:
        """See Framing."""
        frame: dict[str, object] = {
            "t": "welcome",
            "session": welcome.session,
            "ping_ms": round(welcome.ping * 1000),
            "limits": {
                "streams": welcome.streams,
                "message_size": welcome.message_size,
                "credit": welcome.credit,
                "buffer": welcome.buffer,
                "session_buffer": welcome.session_buffer,
                "opens": _number_of(welcome.opens),
            },
        }
        if welcome.token is not None:
            frame["token_s"] = whole_seconds(welcome.token)
        if welcome.resume is not None:
            frame["resume_ms"] = round(welcome.resume * 1000)
            frame["resumed"] = [
                {"id": each.id, "seq": each.seq, "granted": each.granted}
                for each in welcome.resumed
            ]
            frame["last_id"] = welcome.last_id
        if welcome.resume is not None or welcome.lost:
            frame["lost"] = welcome.lost
        return _dumps(frame)

    def headers(self, id_: int, metadata: Pairs, seq: int) -> bytes:
        """See Framing."""
        return b'{"t":"headers","id":%d%b,"metadata":%b}' % (id_, _seq(seq), _pairs(metadata))

    def message(self, id_: int, body: bytes, seq: int) -> bytes:
        """See Framing."""
        if seq:
            return b'{"t":"message","id":%d,"seq":%d,"body":%b}' % (id_, seq, body)
        return b'{"t":"message","id":%d,"body":%b}' % (id_, body)

    def credit(self, id_: int, n: int, seq: int) -> bytes:
        """See Framing."""
        return b'{"t":"credit","id":%d,"n":%d%b}' % (id_, n, _seq(seq))

    def status(self, id_: int, end: End, seq: int) -> bytes:
        """See Framing."""
        rest = _seq(seq)
        if end.message:
            rest += b',"message":' + _dumps(end.message)
        if end.details:
            rest += b',"details":[%b]' % b",".join(end.details)
        if end.trailers:
            rest += b',"trailers":' + _pairs(end.trailers)
        name = end.code.name.encode()
        return b'{"t":"status","id":%d,"code":%d,"status":"%b"%b}' % (id_, end.code, name, rest)

    def auth_expiring(self, seconds: float) -> bytes:
        """See Framing."""
        return b'{"t":"auth_expiring","token_s":%d}' % whole_seconds(seconds)

    def auth_ok(self, seconds: float | None) -> bytes:
        """See Framing."""
        if seconds is None:
            return b'{"t":"auth_ok"}'
        return b'{"t":"auth_ok","token_s":%d}' % whole_seconds(seconds)

    def pong(self, data: str) -> bytes:
        """See Framing."""
        return b'{"t":"pong","data":%b}' % json.dumps(data).encode() if data else b'{"t":"pong"}'

    def goaway(self, reason: str, reconnect: float) -> bytes:
        """See Framing."""
        wait = round(reconnect * 1000)
        return b'{"t":"goaway","reason":%b,"reconnect_ms":%d}' % (_dumps(reason), wait)


# Reading: a table of kinds.


def _hello(members: Members) -> Hello:
    return Hello(
        token=members.text("token"),
        features=frozenset(members.texts("features")),
        session=members.text("session"),
        seen=members.numbers("seen", MOST_ID),
        granted=members.numbers("granted", MOST_ID),
    )


def _open(members: Members) -> Open:
    timeout = members.number("timeout_ms", MOST_ID)
    return Open(
        id=members.id(),
        method=members.text("method", required=True),
        metadata=members.pairs("metadata"),
        timeout=None if timeout is None else timeout / 1000,
        credit=members.number("credit", MOST_CREDIT),
        body=members.body,
        end=members.flag("end"),
    )


def _message(members: Members) -> Message:
    return Message(members.id(), members.body, members.flag("end"), _number(members, "seq"))


def _credit(members: Members) -> Credit:
    n = members.number("n", MOST_CREDIT, required=True)
    return Credit(members.id(), n or 0, _number(members, "seq"))


def _number(members: Members, name: str) -> int:
    return members.number(name, MOST_ID) or 0


def _ping_data(members: Members) -> str:
    data = members.text("data") or ""
    if len(data) > MOST_PING_DATA:
        raise FrameError(f"data has at most {MOST_PING_DATA} characters")
    return data


_READERS: Final[Mapping[str, Callable[[Members], ClientFrame]]] = {
    "hello": _hello,
    "open": _open,
    "message": _message,
    "credit": _credit,
    "cancel": lambda members: Cancel(members.id()),
    "auth": lambda members: Auth(members.text("token", required=True)),
    "ping": lambda members: Ping(_ping_data(members)),
    "pong": lambda members: Pong(_ping_data(members)),
}


# Writing.


def _number_of(number: float) -> float:
    """Returns a number that is written without a fraction where it has none."""
    return int(number) if number.is_integer() else number


def _dumps(value: object) -> bytes:
    # A lone surrogate, which only a backend's broken text could hold, must not hide the rest.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _seq(seq: int) -> bytes:
    return b',"seq":%d' % seq if seq else b""


def _pairs(metadata: Pairs) -> bytes:
    return _dumps(metadata) if metadata else b"[]"
