"""Backends for tests: real grpcio ones with bytes in and out, and scripted HTTP/2 ones."""

from __future__ import annotations

import asyncio
import ssl
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
    options: Iterable[tuple[str, int]] = (),
    **handlers: Any,
) -> AsyncIterator[AnyEndpoint]:
    """A grpcio server, on a Unix socket with `path`; a handler is a function, or (kind, function)."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), *options])
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
async def tcp(connection: Connection, tls: ssl.SSLContext | None = None) -> AsyncIterator[Endpoint]:
    """A TCP server, or one of TLS, that runs `connection` for each client."""
    tasks = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await connection(reader, writer)
        finally:
            tasks.discard(asyncio.current_task())
            writer.close()

    server = await asyncio.start_server(accept, LOCALHOST, 0, ssl=tls)
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


def settings(values: dict[int, int]) -> bytes:
    return frame(4, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in values.items()))


def window(stream: int, increment: int) -> bytes:
    return frame(8, 0, stream, struct.pack(">I", increment))


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


class Peer:
    """One connection of a scripted HTTP/2 server that does not answer by itself.

    Attributes:
        frames: What it heard, as (kind, flags, stream, payload).
        closed: Set once the client has closed.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.frames: list[tuple[int, int, int, bytes]] = []
        self.closed = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()
        self.acknowledges = True
        self._ended: asyncio.Queue[int] = asyncio.Queue()
        self._news = asyncio.Event()

    def say(self, *wire: bytes) -> None:
        self.writer.write(b"".join(wire))

    async def request(self) -> int:
        """Returns the stream of the next request that has ended."""
        return await self._ended.get()

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Waits until what was heard meets a condition, and returns what that returned."""
        while not (met := condition()):
            self._news.clear()
            await self._news.wait()
        return met

    def heard(self, kind: int, stream: int | None = None) -> list[bytes]:
        """Returns the payloads of frames of a kind."""
        return [
            payload
            for got, flags, number, payload in self.frames
            if got == kind and (stream is None or stream == number)
        ]

    def content(self, stream: int) -> bytes:
        return b"".join(self.heard(0, stream))

    async def listen(self) -> None:
        """Reads frames until the client closes; acknowledges settings and pings."""
        try:
            while True:
                await self.reading.wait()
                length, kind, flags, stream = struct.unpack(
                    ">IBBI", b"\x00" + await self.reader.readexactly(9)
                )
                payload = await self.reader.readexactly(length)
                self.frames.append((kind, flags, stream, payload))
                if self.acknowledges and kind == 4 and not flags & 1:
                    self.say(frame(4, 1, 0))
                elif self.acknowledges and kind == 6 and not flags & 1:
                    self.say(frame(6, 1, 0, payload))
                elif kind in (0, 1) and flags & 1:
                    self._ended.put_nowait(stream)
                self._news.set()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.closed.set()
            self._news.set()


class Peers:
    """Scripted servers of one endpoint: a Peer for each connection, in order."""

    def __init__(self) -> None:
        self.endpoint = Endpoint(LOCALHOST, 1)
        self.all: list[Peer] = []
        self._new = asyncio.Event()

    def add(self, peer: Peer) -> None:
        self.all.append(peer)
        self._new.set()

    async def at(self, index: int) -> Peer:
        """Returns a connection's peer, once there is one."""
        while len(self.all) <= index:
            self._new.clear()
            await self._new.wait()
        return self.all[index]

    @property
    def open(self) -> list[Peer]:
        return [peer for peer in self.all if not peer.closed.is_set()]


Scene = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def peers(
    scene: Scene | None = None,
    values: dict[int, int] | None = None,
    *,
    first: bytes | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Peers]:
    """HTTP/2 servers that are scripted by `scene`, or by the test, through `Peers`.

    Each connection says SETTINGS with `values` (or `first` in its place) and is closed when its
    scene has ended; without one it stays open.
    """
    found = Peers()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        found.add(peer)
        await reader.readexactly(len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
        peer.say(settings(values or {}) if first is None else first)
        listening = asyncio.create_task(peer.listen())
        try:
            await (scene(peer) if scene is not None else peer.closed.wait())
        finally:
            listening.cancel()
            await asyncio.wait({listening})
            peer.closed.set()

    async with tcp(connection, tls) as endpoint:
        found.endpoint = endpoint
        yield found


async def answering(peer: Peer) -> None:
    """A scene: a sound server that answers every request with `hi`."""
    while True:
        peer.say(answer(await peer.request(), b"hi"))
