"""Backends for tests: real grpcio ones with bytes in and out, and scripted HTTP/2 ones."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc
import grpc.aio

from gateway.upstream.endpoints import AnyEndpoint, Endpoint, UnixEndpoint

LOCALHOST = "127.0.0.1"


class Handlers(grpc.GenericRpcHandler):
    """Coroutines of grpc.aio by method name; a unary one by default."""

    def __init__(self, **handlers: Any) -> None:
        self.handlers = handlers

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        found = self.handlers.get(details.method.rpartition("/")[2])
        if found is None:
            return None
        kind, handler = found if isinstance(found, tuple) else ("unary_unary", found)
        return getattr(grpc, f"{kind}_rpc_method_handler")(handler)


@asynccontextmanager
async def backend(
    *,
    port: int = 0,
    path: str = "",
    credentials: grpc.ServerCredentials | None = None,
    **handlers: Any,
) -> AsyncIterator[AnyEndpoint]:
    """A grpcio server, on a Unix socket with `path`; a handler is a function, or (kind, function)."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Handlers(**handlers),))
    address = f"unix:{path}" if path else f"{LOCALHOST}:{port}"
    if credentials is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield UnixEndpoint(path) if path else Endpoint(LOCALHOST, port)
    finally:
        await server.stop(None)


async def echo(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
    return request


Connection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp(connection: Connection) -> AsyncIterator[Endpoint]:
    """A TCP server that runs `connection` for each client."""
    tasks = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await connection(reader, writer)
        finally:
            tasks.discard(asyncio.current_task())
            writer.close()

    server = await asyncio.start_server(accept, LOCALHOST, 0)
    try:
        yield Endpoint(LOCALHOST, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


# HTTP/2, RFC 9113 section 4 (frames) and RFC 7541 section 6.2.2 (literals without indexing).


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def headers(stream: int, fields: Iterable[tuple[str, str | bytes]], *, end: bool = False) -> bytes:
    block = b""
    for name, value in fields:
        raw = value.encode() if isinstance(value, str) else value
        block += b"\x00" + _literal(name.encode()) + _literal(raw)
    return frame(1, 4 | end, stream, block)


def _literal(text: bytes) -> bytes:
    length = len(text)
    if length < 127:
        return bytes([length]) + text
    head, length = bytearray([127]), length - 127
    while length >= 128:
        head.append(length % 128 + 128)
        length //= 128
    head.append(length)
    return bytes(head) + text


def data(stream: int, payload: bytes, *, end: bool = False) -> bytes:
    return frame(0, int(end), stream, payload)


def message(payload: bytes, *, flag: int = 0) -> bytes:
    return struct.pack(">BI", flag, len(payload)) + payload


def reset(stream: int, code: int) -> bytes:
    return frame(3, 0, stream, struct.pack(">I", code))


def goaway(last: int, code: int, debug: bytes = b"") -> bytes:
    return frame(7, 0, 0, struct.pack(">II", last, code) + debug)


GRPC = ((":status", "200"), ("content-type", "application/grpc"))


def answer(stream: int, payload: bytes, status: str = "0") -> bytes:
    """A whole unary answer."""
    return (
        headers(stream, GRPC)
        + data(stream, message(payload))
        + headers(stream, [("grpc-status", status)], end=True)
    )


Script = Callable[[int], bytes | None]


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[Endpoint]:
    """An HTTP/2 server that answers every request, once it has ended, with `script(stream)`.

    The script's bytes are sent as they are; None closes the connection.
    """

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        writer.write(frame(4, 0, 0))
        while True:
            length, kind, flags, stream = struct.unpack(
                ">IBBI", b"\x00" + await reader.readexactly(9)
            )
            payload = await reader.readexactly(length)
            if kind == 4 and not flags & 1:
                writer.write(frame(4, 1, 0))
            elif kind == 6 and not flags & 1:
                writer.write(frame(6, 1, 0, payload))
            elif kind in (0, 1) and flags & 1:
                wire = script(stream)
                if wire is None:
                    return
                writer.write(wire)

    async with tcp(connection) as endpoint:
        yield endpoint
