"""A server with what gRPC's interop cases ask for (grpc/grpc, doc/interop-test-descriptions.md).

Its messages have the fields of `grpc.testing` that the cases use, made at run time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPES = {"int32": 5, "bytes": 12, "string": 9, "bool": 8}

# src/proto/grpc/testing/messages.proto and empty.proto: name, number, type (repeated with a star).
_MESSAGES = {
    "Empty": [],
    "BoolValue": [("value", 1, "bool")],
    "Payload": [("body", 2, "bytes")],
    "EchoStatus": [("code", 1, "int32"), ("message", 2, "string")],
    "SimpleRequest": [
        ("response_size", 2, "int32"),
        ("payload", 3, "Payload"),
        ("response_compressed", 6, "BoolValue"),
        ("response_status", 7, "EchoStatus"),
        ("expect_compressed", 8, "BoolValue"),
    ],
    "SimpleResponse": [("payload", 1, "Payload")],
    "StreamingInputCallRequest": [("payload", 1, "Payload"), ("expect_compressed", 2, "BoolValue")],
    "StreamingInputCallResponse": [("aggregated_payload_size", 1, "int32")],
    "ResponseParameters": [
        ("size", 1, "int32"),
        ("interval_us", 2, "int32"),
        ("compressed", 3, "BoolValue"),
    ],
    "StreamingOutputCallRequest": [
        ("response_parameters", 2, "ResponseParameters*"),
        ("payload", 3, "Payload"),
        ("response_status", 7, "EchoStatus"),
    ],
    "StreamingOutputCallResponse": [("payload", 1, "Payload")],
}


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="interop.proto", package="grpc.testing", syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            bare = kind.rstrip("*")
            added = message.field.add(name=field, number=number, label=3 if bare != kind else 1)
            if bare in _TYPES:
                added.type = _TYPES[bare]
            else:
                added.type, added.type_name = 11, f".grpc.testing.{bare}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"grpc.testing.{name}"))
        for name in _MESSAGES
    }


MESSAGES = _classes()
INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"


def encoded(kind: str, **fields: Any) -> bytes:
    return MESSAGES[kind](**fields).SerializeToString()


def decoded(kind: str, data: bytes) -> Any:
    return MESSAGES[kind].FromString(data)


def zeros(size: int) -> dict[str, bytes]:
    return {"body": bytes(size)}


async def _echo_metadata(context: Any) -> None:
    sent = dict(context.invocation_metadata())
    if INITIAL in sent:
        await context.send_initial_metadata(((INITIAL, sent[INITIAL]),))
    if TRAILING in sent:
        context.set_trailing_metadata(((TRAILING, sent[TRAILING]),))


async def _echo_status(request: Any, context: Any) -> None:
    if request.HasField("response_status"):
        status = request.response_status
        codes = {code.value[0]: code for code in grpc.StatusCode}
        await context.abort(codes[status.code], status.message)


async def empty_call(request: bytes, context: Any) -> bytes:
    assert request == b""
    return b""


async def unary_call(data: bytes, context: Any) -> bytes:
    request = decoded("SimpleRequest", data)
    if request.expect_compressed.value:  # no request to this server ever is
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not compressed")
    if request.HasField("response_compressed") and request.response_compressed.value:
        context.set_compression(grpc.Compression.Gzip)
    await _echo_metadata(context)
    await _echo_status(request, context)
    return encoded("SimpleResponse", payload=zeros(request.response_size))


async def streaming_input_call(requests: AsyncIterator[bytes], context: Any) -> bytes:
    size = 0
    async for data in requests:
        request = decoded("StreamingInputCallRequest", data)
        if request.expect_compressed.value:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not compressed")
        size += len(request.payload.body)
    return encoded("StreamingInputCallResponse", aggregated_payload_size=size)


async def _outputs(request: Any, context: Any) -> AsyncIterator[bytes]:
    for wanted in request.response_parameters:
        await asyncio.sleep(wanted.interval_us / 1e6)
        if wanted.HasField("compressed") and not wanted.compressed.value:
            context.disable_next_message_compression()
        yield encoded("StreamingOutputCallResponse", payload=zeros(wanted.size))


async def streaming_output_call(data: bytes, context: Any) -> AsyncIterator[bytes]:
    request = decoded("StreamingOutputCallRequest", data)
    if any(wanted.compressed.value for wanted in request.response_parameters):
        context.set_compression(grpc.Compression.Gzip)
    async for output in _outputs(request, context):
        yield output


async def full_duplex_call(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    await _echo_metadata(context)
    async for data in requests:
        request = decoded("StreamingOutputCallRequest", data)
        async for output in _outputs(request, context):
            yield output
        await _echo_status(request, context)


SERVER = {
    "EmptyCall": empty_call,
    "UnaryCall": unary_call,
    "StreamingInputCall": ("stream_unary", streaming_input_call),
    "StreamingOutputCall": ("unary_stream", streaming_output_call),
    "FullDuplexCall": ("stream_stream", full_duplex_call),
}
