"""A gateway that does what a script says, one script for each connection, on a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from gateway.client import Backoff, connect

LIMITS = {"streams": 8, "message_size": 1000, "credit": 4, "buffer": 100, "session_buffer": 150}
AT_ONCE = Backoff(first=0.0, most=0.0)


class Peer:
    """One connection, from the gateway's side.

    Attributes:
        socket: The socket.
    """

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    async def frame(self, kind: str) -> dict:
        """Waits for the next frame, which must be of a kind."""
        frame = json.loads(await self.socket.recv())
        assert frame["t"] == kind, frame
        return frame

    async def say(self, kind: str, **members) -> None:
        """Sends a frame."""
        await self.socket.send(json.dumps({"t": kind, **members}))

    async def greet(self, **more) -> dict:
        """Waits for the hello, answers it, and returns it."""
        hello = await self.frame("hello")
        members = {"session": "s", "ping_ms": 25_000, "limits": LIMITS}
        await self.say("welcome", **members | more)
        return hello

    async def answer(self, body: object = None) -> dict:
        """Waits for a unary call, and answers it with OK; returns its open."""
        opened = await self.frame("open")
        await self.say("message", id=opened["id"], body=body, seq=1)
        await self.say("status", id=opened["id"], code=0, status="OK", seq=2)
        return opened

    async def closed(self) -> int | None:
        """Waits until the client has closed; returns the code."""
        with suppress(ConnectionClosed):
            while True:
                await self.socket.recv()
        await self.socket.wait_closed()
        return self.socket.close_code

    def cut(self) -> None:
        """Breaks the connection without a word."""
        self.socket.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class Gateway:
    """The scripted gateway.

    Attributes:
        url: Where it is.
        peers: The connections there have been.
        played: How many scripts have come to their end.
    """

    def __init__(self, scripts: tuple[Script, ...]) -> None:
        self._scripts = scripts
        self._failures: list[BaseException] = []
        self.url = ""
        self.peers: list[Peer] = []
        self.played = asyncio.Semaphore(0)

    async def handle(self, socket: ServerConnection) -> None:
        peer = Peer(socket)
        self.peers.append(peer)
        try:
            assert len(self.peers) <= len(self._scripts), "one connection too many"
            await self._scripts[len(self.peers) - 1](peer)
        except Exception as failure:
            self._failures.append(failure)
            raise
        finally:
            self.played.release()
        await socket.wait_closed()

    async def all_played(self) -> None:
        """Waits until all scripts have come to their end."""
        for _ in self._scripts:
            await self.played.acquire()

    def check(self) -> None:
        """Raises what went wrong in a script."""
        for failure in self._failures:
            raise AssertionError("a script failed") from failure


@asynccontextmanager
async def scripted(*scripts: Script, **options) -> AsyncIterator[Gateway]:
    """A gateway with a script for each connection that is to come."""
    gateway = Gateway(scripts)
    options = {"subprotocols": ["grpcws.v1.json"], "ping_interval": None} | options
    async with serve(gateway.handle, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        gateway.url = f"ws://127.0.0.1:{port}/ws"
        try:
            async with asyncio.timeout(20):
                yield gateway
        except BaseException:
            gateway.check()  # is more likely the cause
            raise
        gateway.check()


@asynccontextmanager
async def session(*scripts: Script, **options) -> AsyncIterator:
    """A connected client of a scripted gateway; no back-off, unless `options` say otherwise."""
    async with scripted(*scripts) as gateway:
        async with connect(gateway.url, **{"backoff": AT_ONCE} | options) as client:
            yield client
        await gateway.all_played()
