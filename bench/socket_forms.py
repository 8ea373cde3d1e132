"""The forms in which a WebSocket carries calls: what a client writes and what it reads. No sockets.

Multiplexed, as JSON and as protobuf (docs/websocket.md), and plain, where a WebSocket message is
one of the call's. Bodies are notes (`protos/bench/v1/echo.proto`): `body` makes one of a text, and
`text` reads it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import grpc
from cases import ECHO
from processes import ROOT

from gateway.v1 import websocket_pb2 as pb

sys.path.insert(0, str(ROOT / "bench" / "protos"))
echo: Any = grpc.protos("bench/v1/echo.proto")
TEXT, BINARY = 1, 2  # opcodes (RFC 6455, 5.2)


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame of the server's.

    Attributes:
        kind: "welcome", "headers", "message", "credit", "status" or another.
        id: The stream; 0 for none.
        body: Of a message.
        n: Of a credit.
    """

    kind: str
    id: int = 0
    body: bytes = b""
    n: int = 0


class Form(Protocol):
    """One form."""

    path: str
    subprotocol: str | None
    opcode: int
    multiplexed: bool

    def body(self, text: str) -> bytes: ...

    def text(self, body: bytes) -> str: ...

    def message(self, id_: int, body: bytes) -> bytes: ...

    def read(self, payload: bytes) -> Heard: ...


class _Json:
    opcode = TEXT

    def body(self, text: str) -> bytes:
        return json.dumps({"text": text}, separators=(",", ":")).encode()

    def text(self, body: bytes) -> str:
        return json.loads(body)["text"]


class _Proto:
    opcode = BINARY

    def body(self, text: str) -> bytes:
        return echo.Note(text=text).SerializeToString()

    def text(self, body: bytes) -> str:
        return echo.Note.FromString(body).text


@dataclass(frozen=True, slots=True)
class _Plain:
    path: str = f"/{ECHO}"
    subprotocol: str | None = None
    multiplexed: ClassVar[bool] = False

    def message(self, _id: int, body: bytes) -> bytes:
        return body

    def read(self, payload: bytes) -> Heard:
        return Heard("message", 1, payload)


class PlainText(_Plain, _Json):
    """A call's messages as JSON."""


class PlainBinary(_Plain, _Proto):
    """A call's messages, serialized."""


class MultiplexedText(_Json):
    """`grpcws.v1.json`."""

    path, subprotocol, multiplexed = "/ws", "grpcws.v1.json", True

    def hello(self, *features: str) -> bytes:
        return b'{"t":"hello","features":%b}' % json.dumps(features).encode()

    def open(
        self, id_: int, method: str = ECHO, body: bytes | None = None, credit: int | None = None
    ) -> bytes:
        rest = b"" if credit is None else b',"credit":%d' % credit
        if body is not None:
            rest += b',"body":%b,"end":true' % body
        return b'{"t":"open","id":%d,"method":"%b"%b}' % (id_, method.encode(), rest)

    def message(self, id_: int, body: bytes) -> bytes:
        return b'{"t":"message","id":%d,"body":%b}' % (id_, body)

    def read(self, payload: bytes) -> Heard:
        frame = json.loads(payload)
        body = json.dumps(frame.get("body"), separators=(",", ":")).encode()
        return Heard(frame["t"], frame.get("id", 0), body, frame.get("n", 0))


class MultiplexedBinary(_Proto):
    """`grpcws.v1.proto`."""

    path, subprotocol, multiplexed = "/ws", "grpcws.v1.proto", True

    def hello(self, *features: str) -> bytes:
        return pb.ClientFrame(hello=pb.Hello(features=features)).SerializeToString()

    def open(
        self, id_: int, method: str = ECHO, body: bytes | None = None, credit: int | None = None
    ) -> bytes:
        opened = pb.Open(id=id_, method=method, body=body, credit=credit, end=body is not None)
        return pb.ClientFrame(open=opened).SerializeToString()

    def message(self, id_: int, body: bytes) -> bytes:
        return pb.ClientFrame(message=pb.Message(id=id_, body=body)).SerializeToString()

    def read(self, payload: bytes) -> Heard:
        frame = pb.ServerFrame.FromString(payload)
        kind = frame.WhichOneof("frame")
        one = getattr(frame, kind)
        body = one.body if kind == "message" else b""
        return Heard(kind, getattr(one, "id", 0), body, one.n if kind == "credit" else 0)


Multiplexed = MultiplexedText | MultiplexedBinary
