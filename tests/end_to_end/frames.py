"""Frames of the multiplexed form as a test thinks of them: the JSON form, whatever the framing.

Written from docs/websocket.md and the proto alone, with nothing of the gateway's own but the
compiled messages: what both sides got wrong in the same way would not be seen.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc import error_details_pb2  # noqa: F401  details are of its types

from gateway.v1 import websocket_pb2 as pb
from services_mock.contract import contract

Frame = dict[str, Any]
CODES = {code.value[0]: code.name for code in grpc.StatusCode}


class Json:
    """`grpcws.v1.json`."""

    subprotocol = "grpcws.v1.json"

    def write(self, frame: Frame, _method: str | None) -> str:
        return json.dumps(frame, separators=(",", ":"))

    def read(self, data: str | bytes, _method_of: Callable[[int], str]) -> Frame:
        assert isinstance(data, str), "a frame of JSON is text"
        return json.loads(data)


class Proto:
    """`grpcws.v1.proto`."""

    subprotocol = "grpcws.v1.proto"

    def write(self, frame: Frame, method: str | None) -> bytes:
        given = {**frame}
        kind = given.pop("t")
        client = pb.ClientFrame()
        part = getattr(client, kind)
        part.SetInParent()
        if "body" in given:
            message = contract().request(_descriptor(method))()
            part.body = ParseDict(given.pop("body"), message).SerializeToString()
        for key, value in given.pop("metadata", ()):
            entry = part.metadata.add(key=key)
            if key.endswith("-bin"):
                entry.binary = base64.b64decode(value + "=" * (-len(value) % 4))
            else:
                entry.text = value
        for name in ("seen", "granted"):
            getattr(part, name, {}).update({int(k): n for k, n in given.pop(name, {}).items()})
        part.MergeFrom(type(part)(**given))
        return client.SerializeToString()

    def read(self, data: str | bytes, method_of: Callable[[int], str]) -> Frame:
        assert isinstance(data, bytes), "a frame of protobuf is binary"
        server = pb.ServerFrame.FromString(data)
        kind = server.WhichOneof("frame")
        part = getattr(server, kind)
        frame = {"t": kind, **{field.name: value for field, value in part.ListFields()}}
        if kind == "status":
            frame["code"] = part.code
            frame["status"] = CODES[part.code]
        if kind == "headers":
            frame["metadata"] = part.metadata
        if kind == "welcome":
            limits = part.limits
            frame["limits"] = {field.name: value for field, value in limits.ListFields()}
            if part.HasField("resume_ms"):
                frame["resumed"] = [
                    {"id": each.id, "seq": each.seq, "granted": each.granted}
                    for each in part.resumed
                ]
                frame["lost"] = list(part.lost)
        if kind == "message":
            reply = contract().reply(_descriptor(method_of(part.id)))
            frame["body"] = MessageToDict(reply.FromString(part.body))
        for name in ("metadata", "trailers"):
            if name in frame:
                frame[name] = [_pair(each) for each in frame[name]]
        if "details" in frame:
            frame["details"] = [MessageToDict(each) for each in part.details]
        return frame


FRAMINGS = {"json": Json(), "proto": Proto()}


def _descriptor(method: str | None) -> Any:
    assert method is not None, "a body is of a method's"
    service, _, name = method.partition("/")
    return contract().services[service].methods_by_name[name]


def _pair(entry: Any) -> list[str]:
    if entry.WhichOneof("value") == "binary":
        return [entry.key, base64.b64encode(entry.binary).decode().rstrip("=")]
    return [entry.key, entry.text]
