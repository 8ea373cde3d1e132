"""Load from all three fronts while something goes wrong behind the gateway, and what became of it.

A client makes one call after another, at a pace, and notes how each ended and how long it took. It
judges nothing: tests do.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp

from gateway.client import Gateway, RpcError, connect

GET_PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
CREATE_ORDER = "shop.orders.v1.OrderService/CreateOrder"
WATCH_STOCK = "shop.inventory.v1.InventoryService/WatchStock"
ORDER = {"userId": "u1", "items": [{"productId": "p1", "quantity": 1}]}
QUERY = {"query": '{ getProduct(id: "p1") { title } }'}
_ITEMS = '[{productId: "p1", quantity: 1}]'
MUTATION = {"query": f'mutation {{ createOrder(userId: "u1", items: {_ITEMS}) {{ id }} }}'}
OK = "OK"


class Ended(NamedTuple):
    """How a call ended.

    Attributes:
        kind: Which call: `rest read`.
        how: `OK`, or the gRPC status and, where the gateway itself says it, the reason:
            `UNAVAILABLE UPSTREAM_RESET`.
    """

    kind: str
    how: str


@dataclass
class Outcomes:
    """What became of all calls.

    Attributes:
        counts: How often each thing happened.
        longest: Seconds of the longest call of each kind and end.
    """

    counts: Counter[Ended] = field(default_factory=Counter)
    longest: dict[Ended, float] = field(default_factory=dict)

    def note(self, kind: str, how: str, seconds: float) -> None:
        """Takes note of a call."""
        ended = Ended(kind, how)
        self.counts[ended] += 1
        self.longest[ended] = max(seconds, self.longest.get(ended, 0.0))

    @property
    def calls(self) -> int:
        """How many there were."""
        return self.counts.total()

    def of(self, *kinds: str) -> Counter[str]:
        """How calls of some kinds ended."""
        found: Counter[str] = Counter()
        for ended, count in self.counts.items():
            if ended.kind in kinds:
                found[ended.how] += count
        return found

    def failures(self) -> dict[Ended, int]:
        """All that did not end well."""
        return {ended: count for ended, count in self.counts.items() if ended.how != OK}

    def slowest(self, *kinds: str) -> float:
        """Seconds of the longest call of some kinds."""
        return max((s for ended, s in self.longest.items() if ended.kind in kinds), default=0.0)

    def clear(self) -> None:
        """Forgets all: what went before is of no interest."""
        self.counts.clear()
        self.longest.clear()


class Clients:
    """Connected to a gateway by all three fronts.

    Args:
        http: Of REST and GraphQL.
        socket: Of WebSocket.
    """

    def __init__(self, http: aiohttp.ClientSession, socket: Gateway) -> None:
        self._http = http
        self._socket = socket
        self.calls: dict[str, Callable[[], Awaitable[str]]] = {
            "rest read": self._rest_read,
            "graphql read": self._graphql_read,
            "websocket read": self._websocket_read,
            "rest write": self._rest_write,
            "graphql write": self._graphql_write,
            "websocket write": self._websocket_write,
            "rest stream": self._rest_stream,
            "websocket stream": self._websocket_stream,
            "rest left": self._rest_left,
            "websocket left": self._websocket_left,
        }

    async def call(self, kind: str) -> str:
        """Makes a call; returns how it ended, as `Ended.how`."""
        try:
            return await self.calls[kind]()
        except RpcError as failure:
            return _how(failure.status, failure.details)

    async def _rest_read(self) -> str:
        async with self._http.get("/v1/products/p1") as reply:
            return _of_rest(reply.status, await reply.read())

    async def _rest_write(self) -> str:
        async with self._http.post("/v1/orders", json=ORDER) as reply:
            return _of_rest(reply.status, await reply.read())

    async def _rest_stream(self) -> str:
        async with self._http.get("/v1/stock:watch?interval=0.02s&count=5") as reply:
            last = (await reply.text()).splitlines()[-1]
        # A stream that has begun tells its failure in its last line.
        status = 0 if '"error"' in last else reply.status
        return _of_rest(status, last.encode())

    async def _graphql_read(self) -> str:
        return await self._graphql(QUERY)

    async def _graphql_write(self) -> str:
        return await self._graphql(MUTATION)

    async def _graphql(self, body: dict[str, Any]) -> str:
        async with self._http.post("/graphql", json=body) as reply:
            answer = await reply.json(content_type=None)
        if not answer.get("errors"):
            return OK
        said = answer["errors"][0].get("extensions", {})
        return " ".join(filter(None, [said.get("code", "?"), said.get("reason")]))

    async def _websocket_read(self) -> str:
        await self._socket.call(GET_PRODUCT, {"id": "p1"})
        return OK

    async def _websocket_write(self) -> str:
        await self._socket.call(CREATE_ORDER, ORDER)
        return OK

    async def _websocket_stream(self) -> str:
        asked = {"interval": "0.02s", "count": 5}
        async with self._socket.stream(WATCH_STOCK, asked, end=True) as stream:
            async for _ in stream:
                pass
        return OK

    async def _rest_left(self) -> str:
        """Leaves while the backend hangs."""
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                async with self._http.get(
                    "/v1/products/p1", headers={"x-fault-hang": "1"}
                ) as reply:
                    return _of_rest(reply.status, await reply.read())
        return OK

    async def _websocket_left(self) -> str:
        """Leaves in the midst of a stream without end."""
        asked = {"interval": "0.01s"}
        async with self._socket.stream(WATCH_STOCK, asked, end=True) as stream:
            async for _ in stream:
                break
        return OK


def _of_rest(status: int, body: bytes) -> str:
    if status in {200, 201}:
        return OK
    error = json.loads(body)["error"]
    return _how(error["status"], error.get("details", ()))


def _how(status: str, details: Sequence[Any]) -> str:
    for detail in details:
        if detail["@type"].endswith("google.rpc.ErrorInfo") and detail["domain"] == "gateway":
            return f"{status} {detail['reason']}"
    return status


@asynccontextmanager
async def clients(url: str) -> AsyncIterator[Clients]:
    """Clients of all three fronts, until the block ends."""
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(url, connector=connector) as http,
        connect(f"ws{url[4:]}/ws") as socket,
    ):
        yield Clients(http, socket)


READS = ("rest read", "graphql read", "websocket read")
WRITES = ("rest write", "graphql write", "websocket write")
STREAMS = ("rest stream", "websocket stream")
LEFT = ("rest left", "websocket left")


@asynccontextmanager
async def load(
    url: str, kinds: Sequence[str], *, each: int = 2, pause: float = 0.01
) -> AsyncIterator[Outcomes]:
    """Makes calls while the block lasts; those under way at its end are waited for.

    Args:
        url: The gateway.
        kinds: Which calls.
        each: How many clients make calls of each kind.
        pause: Seconds between two calls of a client.
    """
    outcomes = Outcomes()
    over = asyncio.Event()

    async def go_on(with_: Clients, kind: str) -> None:
        while not over.is_set():
            began = time.monotonic()
            how = await with_.call(kind)
            outcomes.note(kind, how, time.monotonic() - began)
            await asyncio.sleep(pause)

    async with clients(url) as connected, asyncio.TaskGroup() as group:
        for kind in kinds:
            for _ in range(each):
                group.create_task(go_on(connected, kind))
        try:
            yield outcomes
        finally:
            over.set()
