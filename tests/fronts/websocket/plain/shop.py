"""A listener with plain sockets before the example's backends, all in the test's own loop."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import grpc.aio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.app import build
from gateway.app.pool import UpstreamPool
from gateway.config import from_mapping
from gateway.fronts.websocket.plain.call import SocketOptions
from gateway.fronts.websocket.plain.compile import PlainOptions, compiling_plain
from gateway.fronts.websocket.plain.opening import Shared
from gateway.http.websocket import asks_for_websocket
from gateway.listener import serve
from gateway.turns import at_once
from services_mock.testing import serve_in_process
from tests.end_to_end.system import Backend, shop_config

PATIENCE = 20.0


class Shop:
    """Where it listens, and what its backends say."""

    def __init__(self, listener, backend, registry):
        self.listener = listener
        self.backend = backend
        self.registry = registry

    @asynccontextmanager
    async def dial(self, target, *subprotocols, headers=(), **options):
        """Opens a WebSocket as a client does."""
        url = self.listener.urls[0].replace("http", "ws") + target
        asked = {"proxy": None, "compression": None, "open_timeout": PATIENCE, **options}
        async with connect(
            url, subprotocols=subprotocols or None, additional_headers=list(headers), **asked
        ) as socket:
            yield Client(socket)


class Client:
    """A client's side of a plain socket."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, *messages):
        """Sends messages; half-closes for None."""
        for message in messages:
            frame = "" if message is None else message
            await self.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def frame(self):
        async with asyncio.timeout(PATIENCE):
            return await self.socket.recv()

    async def receive(self):
        """The next message."""
        return json.loads(await self.frame())

    async def rest(self):
        """All messages until the end."""
        frames = []
        try:
            while True:
                frames.append(await self.frame())
        except ConnectionClosed:
            return [json.loads(each) if isinstance(each, str) else each for each in frames]

    @property
    def code(self):
        return self.socket.close_code

    @property
    def said(self):
        """What was said with the close."""
        return json.loads(self.socket.close_reason)


@asynccontextmanager
async def shop(**options):
    """Serves the shop until the block ends. `options` are those of `SocketOptions`."""
    async with serve_in_process() as address:
        headers = {"request": {"allow": ["authorization", *_faults()]}}
        config = from_mapping(shop_config([address], headers=headers, graphql=False), origin="test")
        pool = UpstreamPool()
        generation = await build(config, pool)
        shared = Shared(
            generation.fronts.shared.rules,
            generation.codec.message("google.protobuf.Any").transcode,
            asyncio.get_running_loop().time,
        )
        front = at_once(
            compiling_plain(
                generation.methods.values(),
                generation.registry,
                generation.codec,
                shared,
                PlainOptions(socket=SocketOptions(**options)),
            )
        ).front

        def handle(exchange):
            if not (asks_for_websocket(exchange.request) and front.handle(exchange)):
                generation.handle(exchange)

        listener = await serve(lambda: handle, addresses=["127.0.0.1:0"])
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                yield Shop(listener, Backend(channel), generation.registry)
        finally:
            await listener.drain(0)
            await pool.close(0)


def _faults():
    return [f"x-fault-{name}" for name in ("code", "after", "hang")]


def fault(**faults):
    """Headers that order a fault of the backend."""
    return [(f"x-fault-{name}", value) for name, value in faults.items()]
