"""Descriptors from a running backend, by gRPC server reflection.

The protocol is `grpc/reflection/v1/reflection.proto` (grpc/grpc, doc/server-reflection.md); servers
that know only its elder name v1alpha, with the same messages, are asked by that. Servers differ in
what they send: one file or all that it imports; what is missing is asked for by name, and what the
server has not is left for the merging to find elsewhere.

A backend that can't be reached is tried again for a while: gateway and backends start together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_reflection.v1alpha.reflection_pb2 import (
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from gateway.schema.file import SchemaFile, Source
from gateway.schema.globs import chosen, idle
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.progress import Progress
from gateway.schema.reflected import Bounds, Reflected, ReflectionTarget

log = logging.getLogger("gateway.schema")

# Seconds between two tries to reach a backend: the first wait, which doubles, and the longest.
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 1.0
_METHODS = (
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
_Stream: TypeAlias = "grpc.aio.StreamStreamCall[Message, ServerReflectionResponse]"


def _silent(_: Progress) -> None:
    """Tells nobody."""


async def from_reflection(
    target: ReflectionTarget,
    bounds: Bounds | None = None,
    progress: Callable[[Progress], None] = _silent,
) -> Reflected:
    """Asks a backend for the files of its services and of all that they import.

    Health and reflection services are never taken.

    Args:
        target: The backend.
        bounds: What is borne of it.
        progress: Told that it can't be reached yet.

    Raises:
        SchemaError: It can't be reached, has no reflection, takes too long or sends too much.
    """
    bounds = bounds or Bounds()
    options: list[tuple[str, str | int]] = [
        ("grpc.max_receive_message_length", bounds.size),
        ("grpc.enable_http_proxy", 0),  # a backend, not the internet
        ("grpc.initial_reconnect_backoff_ms", int(_FIRST_WAIT * 1000)),
        ("grpc.max_reconnect_backoff_ms", int(_LONGEST_WAIT * 1000)),
    ]
    if target.server_name:
        options.append(("grpc.ssl_target_name_override", target.server_name))
    channel = (
        grpc.aio.secure_channel(target.address, grpc.ssl_channel_credentials(*target.tls), options)
        if target.tls is not None
        else grpc.aio.insecure_channel(target.address, options)
    )
    clock = asyncio.get_running_loop().time
    end, wait = clock() + bounds.seconds, _FIRST_WAIT
    unreachable: grpc.aio.AioRpcError | None = None
    async with channel:
        while True:
            try:
                return await _ask(channel, target, bounds, end - clock())
            except grpc.aio.AioRpcError as error:
                late = error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
                if late and unreachable is not None:  # the last try had no time to fail by itself
                    _fail(target, bounds, unreachable)
                if error.code() is not grpc.StatusCode.UNAVAILABLE or clock() + wait >= end:
                    _fail(target, bounds, error)
                unreachable = error
            if wait == _FIRST_WAIT:
                log.info(
                    "%s: waiting %g s for %s, which can't be reached",
                    target.where,
                    bounds.seconds,
                    target.address,
                )
            progress(Progress(f"waiting for {target.address}"))
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)


async def _ask(
    channel: grpc.aio.Channel, target: ReflectionTarget, bounds: Bounds, seconds: float
) -> Reflected:
    """Asks by the first protocol that the backend knows. Raises AioRpcError and SchemaError."""
    for method in _METHODS:
        stream = channel.stream_stream(
            method,
            request_serializer=ServerReflectionRequest.SerializeToString,
            response_deserializer=ServerReflectionResponse.FromString,
        )(timeout=seconds)
        try:
            return await _Conversation(target, bounds, stream).run()
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise
        finally:
            stream.cancel()
    raise SchemaError(
        [
            Problem(
                target.where,
                message=f"{target.address} has no server reflection, neither v1 nor v1alpha",
                hint="register it there, or give the protos or a descriptor set",
            )
        ]
    )


def _fail(target: ReflectionTarget, bounds: Bounds, error: grpc.aio.AioRpcError) -> NoReturn:
    code = error.code()
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        message = f"{target.address} did not answer all within {bounds.seconds:g} s"
    elif code is grpc.StatusCode.UNAVAILABLE:
        message = f"{target.address} can't be reached: {error.details()}"
    else:
        message = f"{target.address} answered {code.name}: {error.details()}"
    raise SchemaError([Problem(target.where, message=message)]) from error


class _Conversation:
    """One stream of questions and answers. A server answers each question with one message."""

    def __init__(self, target: ReflectionTarget, bounds: Bounds, stream: _Stream) -> None:
        self._target = target
        self._bounds = bounds
        self._stream = stream
        self._files: dict[str, SchemaFile] = {}
        self._imports: list[str] = []
        self._services: set[str] = set()
        self._size = 0

    async def run(self) -> Reflected:
        """Asks for everything. Raises AioRpcError and SchemaError."""
        answer = await self._ask(ServerReflectionRequest(list_services="*"))
        if answer.HasField("error_response"):
            raise self._error(f"does not list its services: {answer.error_response.error_message}")
        listed = sorted({service.name for service in answer.list_services_response.service})
        warnings = [
            Problem(
                self._target.where,
                message=f"{self._target.address} has no service {pattern}",
                hint=hint or f"it has {', '.join(chosen(listed, ['*'])) or 'none'}",
            )
            for pattern, hint in idle(listed, self._target.services)
        ]
        wanted = chosen(listed, self._target.services)
        for service in wanted:
            if service in self._services:
                continue  # came with another one
            answer = await self._ask(ServerReflectionRequest(file_containing_symbol=service))
            self._take(answer)
            if service not in self._services:
                reason = answer.error_response.error_message or "it sent other files"
                warnings.append(
                    Problem(
                        self._target.where,
                        message=f"lists {service} but can't describe it: {reason}",
                        hint="the service is left out; give its protos",
                    )
                )
        await self._complete()
        return Reflected(list(self._files.values()), wanted, warnings)

    async def _complete(self) -> None:
        asked = set(self._files)
        while self._imports:
            name = self._imports.pop()
            if name not in asked and name not in self._files:
                asked.add(name)
                self._take(await self._ask(ServerReflectionRequest(file_by_filename=name)))

    async def _ask(self, question: ServerReflectionRequest) -> ServerReflectionResponse:
        await self._send(question.SerializeToString())
        answer = await self._stream.read()
        if isinstance(answer, ServerReflectionResponse):
            return answer
        raise self._error("closed the stream before it had answered all")

    async def _send(self, question: bytes) -> None:
        """Sends a question; if the stream has ended, reading tells how."""
        await self._stream.wait_for_connection()
        # Not `write`: if the call has ended it puts a status of its own in the real one's place,
        # such as UNIMPLEMENTED, by which a server says that it speaks the elder protocol.
        call: Any = self._stream
        with suppress(grpc.aio.InternalError):
            await call._cython_call.send_serialized_message(question)  # noqa: SLF001  see above

    def _take(self, answer: ServerReflectionResponse) -> None:
        """Keeps the files of an answer; none when the server has not got what it was asked for."""
        for data in answer.file_descriptor_response.file_descriptor_proto:
            try:
                file = SchemaFile.cut(data, Source.REFLECTION, self._target.where)
                proto = file.proto()
            except (ValueError, DecodeError) as error:
                raise self._error("sent a file descriptor that is damaged") from error
            if file.name in self._files:
                continue
            self._files[file.name] = file
            self._imports += proto.dependency
            package = f"{proto.package}." if proto.package else ""
            self._services |= {package + service.name for service in proto.service}
            self._size += len(data)
        if self._size > self._bounds.size or len(self._files) > self._bounds.files:
            raise self._error(
                f"sent more than {self._bounds.files} files or {self._bounds.size} bytes"
            )

    def _error(self, text: str) -> SchemaError:
        return SchemaError([Problem(self._target.where, message=f"{self._target.address} {text}")])
