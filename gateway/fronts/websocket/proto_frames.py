"""The framing `grpcws.v1.proto`: a frame is a serialized `gateway.v1.ClientFrame` or `ServerFrame`.

The compiled messages read frames; those that the server sends most are written by hand, for a frame
is little more than a body.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError

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
from gateway.http.websocket import Message as SocketMessage
from gateway.routing.metadata import LARGEST_METADATA
from gateway.v1 import websocket_pb2 as pb

# Protobuf's encoding: tags of the fields that are written by hand. `_FRAME_MESSAGE` is
# ServerFrame.message, the others are those of Message.
_FRAME_MESSAGE: Final = b"\x1a"  # 3, length-delimited
_ID: Final = b"\x08"  # 1, varint
_BODY: Final = b"\x12"  # 2, length-delimited
_SEQ: Final = b"\x20"  # 4, varint
# More are refused in any case (`routing.metadata.LARGEST_METADATA`), so none but the first are
# looked at.
_MOST_ENTRIES: Final = 1 + LARGEST_METADATA // 32
# Bytes of the frames that are read by hand: none is looked for behind its end, and no length has
# more than two bytes.
_LEAST: Final = 8
_MOST: Final = 16_000
_SMALL: Final = tuple(bytes([number]) for number in range(0x80))


class ProtoFraming:
    """Frames as binary messages (`frames.Framing`)."""

    subprotocol = "grpcws.v1.proto"
    binary = True

    def read(self, message: SocketMessage) -> ClientFrame:
        """See Framing."""
        if isinstance(message, str):
            raise FrameError("frames of grpcws.v1.proto are binary, not text")
        usual = _usual(message)
        if usual is not None:
            return usual
        try:
            frame = pb.ClientFrame.FromString(message)
        except DecodeError:
            raise FrameError("the frame is no gateway.v1.ClientFrame") from None
        kind = frame.WhichOneof("frame")
        if kind is None:
            raise FrameError("the frame is of no known kind")
        return _READERS[kind](getattr(frame, kind))

    def welcome(self, welcome: Welcome) -> bytes:
        """See Framing."""
        frame = pb.Welcome(
            session=welcome.session,
            ping_ms=round(welcome.ping * 1000),
            limits=pb.Limits(
                streams=welcome.streams,
                message_size=welcome.message_size,
                credit=welcome.credit,
                buffer=welcome.buffer,
                session_buffer=welcome.session_buffer,
                opens=welcome.opens,
            ),
        )
        if welcome.token is not None:
            frame.token_s = whole_seconds(welcome.token)
        if welcome.resume is not None:
            frame.resume_ms = round(welcome.resume * 1000)
            for each in welcome.resumed:
                frame.resumed.add(id=each.id, seq=each.seq, granted=each.granted)
            frame.last_id = welcome.last_id
        frame.lost.extend(welcome.lost)
        return _frame(welcome=frame)

    def headers(self, id_: int, metadata: Pairs, seq: int) -> bytes:
        """See Framing."""
        return _frame(headers=pb.Headers(id=id_, metadata=_entries(metadata), seq=seq))

    def message(self, id_: int, body: bytes, seq: int) -> bytes:
        """See Framing."""
        head = _ID + _varint(id_) + _BODY + _varint(len(body))
        if not seq:
            return _FRAME_MESSAGE + _varint(len(head) + len(body)) + head + body
        tail = _SEQ + _varint(seq)
        size = len(head) + len(body) + len(tail)
        return b"".join((_FRAME_MESSAGE, _varint(size), head, body, tail))

    def credit(self, id_: int, n: int, seq: int) -> bytes:
        """See Framing."""
        return _frame(credit=pb.Credit(id=id_, n=n, seq=seq))

    def status(self, id_: int, end: End, seq: int) -> bytes:
        """See Framing."""
        status = pb.Status(
            id=id_,
            code=end.code,
            # A lone surrogate can't be in protobuf's text, and must not hide the rest.
            message=end.message.encode("utf-8", "replace").decode(),
            details=map(AnyMessage.FromString, end.details),
            trailers=_entries(end.trailers),
            seq=seq,
        )
        return _frame(status=status)

    def auth_expiring(self, seconds: float) -> bytes:
        """See Framing."""
        return _frame(auth_expiring=pb.AuthExpiring(token_s=whole_seconds(seconds)))

    def auth_ok(self, seconds: float | None) -> bytes:
        """See Framing."""
        return _frame(
            auth_ok=pb.AuthOk(token_s=None if seconds is None else whole_seconds(seconds))
        )

    def pong(self, data: str) -> bytes:
        """See Framing."""
        return _frame(pong=pb.Pong(data=data))

    def goaway(self, reason: str, reconnect: float) -> bytes:
        """See Framing."""
        return _frame(goaway=pb.Goaway(reason=reason, reconnect_ms=round(reconnect * 1000)))


# Reading: what clients send most, and a table of kinds.


def _usual(data: bytes) -> Message | None:
    """Returns the frame of a message with a small id and nothing beside its body, if it is one.

    That is what most frames are, and the compiled messages take twice as long.
    """
    size = len(data)
    if not _LEAST <= size <= _MOST or data[0] != _FRAME_MESSAGE[0]:
        return None
    at = 2 if data[1] < 0x80 else 3
    if (data[1] if at == 2 else data[1] & 0x7F | data[2] << 7) != size - at:
        return None
    if data[at] != _ID[0] or not 0 < data[at + 1] < 0x80 or data[at + 2] != _BODY[0]:
        return None
    id_, at = data[at + 1], at + 3
    begin = at + 1 if data[at] < 0x80 else at + 2
    if begin > size:
        return None
    length = data[at] if begin == at + 1 else data[at] & 0x7F | data[at + 1] << 7
    return Message(id_, data[begin:]) if length == size - begin else None


def _hello(frame: Any) -> Hello:
    return Hello(
        token=frame.token or None,
        features=frozenset(frame.features),
        session=frame.session or None,
        seen=_numbers("seen", frame.seen),
        granted=_numbers("granted", frame.granted),
    )


def _open(frame: Any) -> Open:
    timeout = _most("timeout_ms", frame.timeout_ms, MOST_ID)
    return Open(
        id=_id(frame),
        method=_required("method", frame.method),
        metadata=tuple(map(_entry, frame.metadata[:_MOST_ENTRIES])),
        timeout=timeout / 1000 if frame.HasField("timeout_ms") else None,
        credit=_most("credit", frame.credit, MOST_CREDIT) if frame.HasField("credit") else None,
        body=frame.body if frame.HasField("body") else None,
        end=frame.end,
    )


def _message(frame: Any) -> Message:
    body = frame.body if frame.HasField("body") else None
    return Message(_id(frame), body, frame.end, _most("seq", frame.seq, MOST_ID))


def _credit(frame: Any) -> Credit:
    n = _most("n", frame.n, MOST_CREDIT)
    return Credit(_id(frame), n, _most("seq", frame.seq, MOST_ID))


def _ping_data(frame: Any) -> str:
    data: str = frame.data
    if len(data) > MOST_PING_DATA:
        raise FrameError(f"data has at most {MOST_PING_DATA} characters")
    return data


_READERS: Final[Mapping[str, Callable[[Any], ClientFrame]]] = {
    "hello": _hello,
    "open": _open,
    "message": _message,
    "credit": _credit,
    "cancel": lambda frame: Cancel(_id(frame)),
    "auth": lambda frame: Auth(_required("token", frame.token)),
    "ping": lambda frame: Ping(_ping_data(frame)),
    "pong": lambda frame: Pong(_ping_data(frame)),
}


def _id(frame: Any) -> int:
    id_: int = frame.id
    if not 0 < id_ <= MOST_ID:
        raise FrameError(f"id must be a whole number from 1 to {MOST_ID}")
    return id_


def _required(name: str, text: str) -> str:
    if not text:
        raise FrameError(f"the frame lacks {name}")
    return text


def _most(name: str, number: int, most: int) -> int:
    if number > most:
        raise FrameError(f"{name} must be a whole number from 0 to {most}")
    return number


def _numbers(name: str, numbers: Mapping[int, int]) -> Mapping[int, int]:
    if any(not 0 < id_ <= MOST_ID or number > MOST_ID for id_, number in numbers.items()):
        raise FrameError(f"{name} must hold whole numbers by id")
    return dict(numbers)


def _entry(entry: Any) -> tuple[str, str]:
    key: str = entry.key
    is_binary = entry.WhichOneof("value") == "binary"
    if is_binary is not key.lower().endswith("-bin"):
        raise FrameError("the value of a -bin key in metadata must be binary, any other text")
    return key, base64.b64encode(entry.binary).decode() if is_binary else entry.text


# Writing.


def _frame(**member: Any) -> bytes:
    data: bytes = pb.ServerFrame(**member).SerializeToString()
    return data


def _entries(metadata: Pairs) -> Iterable[Any]:
    for key, value in metadata:
        if key.endswith("-bin"):
            yield pb.Metadata(key=key, binary=base64.b64decode(value))
        else:
            yield pb.Metadata(key=key, text=value)


def _varint(number: int) -> bytes:
    """Returns a number as protobuf's varint."""
    if number < 0x80:
        return _SMALL[number]
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
