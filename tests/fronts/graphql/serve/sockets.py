"""A front with WebSockets on a real listener, a client of them, and a clock that is turned by hand."""

import asyncio
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.fronts.graphql.serve.incoming import Shared
from gateway.fronts.graphql.serve.socket import GraphqlSockets
from gateway.fronts.graphql.serve.socket_options import SocketOptions
from gateway.routing.metadata import HeaderRules

PATIENCE = 20.0
SUBPROTOCOL = "graphql-transport-ws"


class Clock:
    """Calls when it is turned, not when time passes."""

    def __init__(self):
        self.now = 0.0
        self.due = []

    def __call__(self, seconds, then):
        entry = SimpleNamespace(at=self.now + seconds, then=then)
        entry.cancel = lambda: entry in self.due and self.due.remove(entry)
        self.due.append(entry)
        return entry

    def turn(self, seconds):
        self.now += seconds
        for entry in [each for each in self.due if each.at <= self.now]:
            if entry in self.due:  # one that is called may cancel another
                self.due.remove(entry)
                entry.then()


class Session:
    """A client's side of one WebSocket, message by message."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, **message):
        await self.socket.send(json.dumps(message))

    async def init(self, **payload):
        await self.send(type="connection_init", **({"payload": payload} if payload else {}))
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, query, name="1", **more):
        await self.send(type="subscribe", id=name, payload={"query": query, **more})

    async def receive(self):
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self.socket.recv())

    async def until_pong(self):
        """Whatever came before the answer to a ping that is sent now."""
        await self.send(type="ping")
        found = []
        while (message := await self.receive()) != {"type": "pong"}:
            found.append(message)
        return found

    async def closed(self):
        """The close code and reason, when all that came before is read."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    await self.socket.recv()
        except ConnectionClosed as closed:
            return closed.rcvd and (closed.rcvd.code, closed.rcvd.reason)


class Sockets:
    """What a front is given, and what it served with."""

    def __init__(self, gate=None, **options):
        self.engine = None
        self.clock = Clock()
        self.opened = []
        rules = HeaderRules(request_allow=["authorization"])
        self._shared = Shared(rules, lambda: self.clock.now, sockets=gate)
        self._sockets = GraphqlSockets(self.serving, SocketOptions(**options), self.clock)

    def serving(self, _request):
        return self.engine, self._shared

    def handle(self, exchange):
        self._sockets.handle(exchange)


@asynccontextmanager
async def dial(client, **options):
    """Opens a WebSocket to a front."""
    options = {"subprotocols": [SUBPROTOCOL], "compression": None, "proxy": None, **options}
    async with connect(client.url.replace("http", "ws"), **options) as socket:
        yield Session(socket)
