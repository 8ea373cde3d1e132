"""What clients do to a gateway that is watched, and what must be told of it, whoever tells it.

One table for metrics, the access log, traces and the recorder: a case does something, named by its
request id, and says what became of it. The gateway has two workers and everything switched on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from tests.end_to_end.graph import JOINS, subscribe
from tests.end_to_end.limited import Keys
from tests.end_to_end.sockets import socket
from tests.end_to_end.system import FAULTS, Gateway, gateway, shop_config

PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
EXPORT = "shop.catalog.v1.CatalogService/ExportProducts"
IMPORT = "shop.catalog.v1.CatalogService/ImportProducts"
CATEGORY = "shop.catalog.v1.CatalogService/GetCategory"
QUOTE = "shop.catalog.v1.CatalogService/QuoteProduct"
RENAME = "shop.catalog.v1.CatalogService/RenameProduct"
FEATURED = "shop.catalog.v1.CatalogService/ListFeaturedProducts"
STOCK = "shop.inventory.v1.InventoryService/GetStock"
WATCH = "shop.inventory.v1.InventoryService/WatchStock"
ORDERS = "shop.orders.v1.OrderService/ListOrders"

EXPORTED = 60
"""Products that the example's export has."""


@dataclass(frozen=True)
class Called:
    """A call that was made.

    Attributes:
        method: Its full name.
        code: The name of its gRPC code; empty where nobody waited for its end.
        reason: The gateway's own reason of it.
        attempts: The codes of its attempts at backends; empty for one that was given up.
        sent: Messages to the client, of a stream; None where that depends on chance.
        received: Messages of the client's.
    """

    method: str
    code: str = "OK"
    reason: str = ""
    attempts: tuple[str, ...] = ("OK",)
    sent: int | None = 0
    received: int = 0


@dataclass(frozen=True)
class Asked:
    """Something that was asked, and how it was answered.

    Attributes:
        front: Who answered.
        status: The HTTP status; 0 of what came over a socket.
        kind: As in RequestRecord.
        verb: The HTTP method.
        route: The template of its path.
        reason: The gateway's own reason of a refusal.
        calls: The calls that it made, in any order.
        close: How a socket closed.
        operation: The type of a GraphQL operation.
        principal: Who asked; empty for nobody who is known.
        gone: Whether its client left.
    """

    front: str
    status: int
    kind: str = "request"
    verb: str = "GET"
    route: str = ""
    reason: str = ""
    calls: tuple[Called, ...] = ()
    close: int = 0
    operation: str = ""
    principal: str = ""
    gone: bool = False


class Client:
    """Who does it: its sessions, its keys, and where the gateway is."""

    def __init__(self, served: Gateway, session: aiohttp.ClientSession, keys: Keys) -> None:
        self.served = served
        self.session = session
        self.keys = keys

    async def http(
        self, name: str, path: str, verb: str = "GET", **given: Any
    ) -> tuple[int, bytes]:
        """Sends a request and reads the answer."""
        headers = {"x-request-id": name, **given.pop("headers", {})}
        async with self.session.request(verb, path, headers=headers, **given) as response:
            return response.status, await response.read()

    async def graphql(self, name: str, query: Any, **headers: str) -> Any:
        """Asks the graph; a list is a batch."""
        body = query if isinstance(query, list) else {"query": query}
        status, answer = await self.http(name, "/graphql", "POST", json=body, headers=headers)
        assert status == 200, answer
        return answer

    async def raw(self, data: bytes) -> bytes:
        """Sends bytes, and returns the answer."""
        host, port = self.served.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(data)
            return await reader.read()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def leaves(self, name: str, path: str, after: bytes = b"", **headers: str) -> None:
        """Sends a request, and is gone once something has come, or the call has begun."""
        host, port = self.served.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", f"X-Request-Id: {name}"]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        if after:
            await reader.readuntil(after)
        else:
            await self.until_active()
        writer.transport.abort()

    @property
    def ann(self) -> dict[str, str]:
        """What Ann shows."""
        return {"x-api-key": self.keys.of["ann"]}

    async def until_active(self) -> None:
        """Waits until a call is in flight at the backend."""
        async with asyncio.timeout(20):
            while True:
                async with self.session.get(f"{self.served.admin}/upstreams") as response:
                    told = await response.json()
                if any(each["pending"] for each in told["upstreams"][0]["endpoints"]):
                    return
                await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Case:
    """One thing that a client does.

    Attributes:
        name: Its request id, and the test's.
        act: Does it.
        expected: What must be told of it.
        refused: With what the listener refused it before it was a request.
        verb: What is known of the verb of such a one.
        status: And the HTTP status of that.
    """

    name: str
    act: Callable[[Client, str], Awaitable[object]]
    expected: tuple[Asked, ...] = field(default=())
    refused: str = ""
    verb: str = "_OTHER"
    status: int = 0


GET_PRODUCT = "/v1/products/{id}"


def _http(
    name: str,
    path: str,
    status: int,
    *calls: Called,
    verb: str = "GET",
    front: str = "rest",
    route: str = "",
    reason: str = "",
    **given: Any,
) -> Case:
    async def act(client: Client, name: str) -> None:
        found, body = await client.http(name, path, verb, **given)
        assert found == status, body

    return Case(name, act, (Asked(front, status, "request", verb, route, reason, calls),))


def _graphql(
    name: str, query: Any, *calls: Called, operation="query", reason="", **headers
) -> Case:
    async def act(client: Client, name: str) -> None:
        await client.graphql(name, query, **headers)

    asked = Asked("graphql", 200, "request", "POST", "/graphql", reason, calls, operation=operation)
    return Case(name, act, (asked,))


async def _with_key(client: Client, name: str) -> None:
    status, _ = await client.http(name, "/v1/orders", headers=client.ann)
    assert status == 403


async def _unchanged(client: Client, name: str) -> None:
    tag = None
    headers = {"x-request-id": name}
    async with client.session.get("/v1/products/p2", headers=headers) as response:
        tag = response.headers["etag"]
    status, _ = await client.http(name, "/v1/products/p2", headers={"if-none-match": tag})
    assert status == 304


async def _once_too_often(client: Client, name: str) -> None:
    first, _ = await client.http(name, "/v1/products:featured")
    second, _ = await client.http(name, "/v1/products:featured")
    assert (first, second) == (200, 429)


async def _gone_before(client: Client, name: str) -> None:
    await client.leaves(name, "/v1/products/p1", **{"x-fault-hang": "1"}, **client.ann)


async def _gone_amid(client: Client, name: str) -> None:
    await client.leaves(name, "/v1/stock:watch?interval=0.01s", b"sequence", **client.ann)


async def _events(client: Client, name: str) -> None:
    query = "subscription { exportProducts { id } }"
    answer = await client.graphql(name, query, accept="text/event-stream", **client.ann)
    assert answer.count(b"event: next") == EXPORTED


async def _graphql_socket(client: Client, name: str) -> None:
    headers = {"x-request-id": name, **client.ann}
    options = {"protocols": ["graphql-transport-ws"], "headers": headers}
    async with client.session.ws_connect("/graphql", **options) as web:
        await web.send_json({"type": "connection_init"})
        assert (await web.receive_json())["type"] == "connection_ack"
        await subscribe(web, "subscription { exportProducts { id } }")
        while (await web.receive_json())["type"] != "complete":
            pass
        await web.close(code=1000)


async def _multiplexed(client: Client, name: str) -> None:
    options = {"additional_headers": {"x-request-id": name}}
    async with socket(client.served.url, options=options) as each:
        unary = await each.open(PRODUCT, {"id": "p1"}, end=True)
        assert (await each.end(unary))["code"] == 0
        stream = await each.open(WATCH, {"interval": "0.001s", "count": 5}, end=True)
        messages, end = await each.whole(stream)
        assert (len(messages), end["code"]) == (5, 0)


async def _cancelled(client: Client, name: str) -> None:
    options = {"additional_headers": {"x-request-id": name, **client.ann}}
    async with socket(client.served.url, options=options) as each:
        stream = await each.open(WATCH, {"interval": "0.01s"}, end=True)
        await each.message(stream)
        await each.say("cancel", id=stream)
        assert (await each.end(stream))["code"] == 1


async def _plain(client: Client, name: str) -> None:
    path = "/v1/stock:watch?interval=0.001s&count=3"
    async with client.session.ws_connect(path, headers={"x-request-id": name}) as web:
        async for _ in web:
            pass


_UNAVAILABLE = {"x-fault-code": "UNAVAILABLE"}
_SOCKET = Asked("websocket", 101, "socket", "GET", "/ws", close=1000)


def _raw(name: str, data: bytes, status: int, reason: str, verb: str = "_OTHER") -> Case:
    async def act(client: Client, _: str) -> None:
        assert (await client.raw(data)).startswith(b"HTTP/1.1 %d" % status)

    return Case(name, act, refused=reason, status=status, verb=verb)


CASES = (
    _http("unary", "/v1/products/p1", 200, Called(PRODUCT), route=GET_PRODUCT),
    _http("head", "/v1/products/p1", 200, Called(PRODUCT), verb="HEAD", route=GET_PRODUCT),
    Case(
        "unchanged",
        _unchanged,
        tuple(
            Asked("rest", status, route=GET_PRODUCT, calls=(Called(PRODUCT),))
            for status in (200, 304)
        ),
    ),
    _http(
        "unknown-to-the-backend",
        "/v1/products/none",
        404,
        Called(PRODUCT, "NOT_FOUND", attempts=("NOT_FOUND",)),
        route=GET_PRODUCT,
    ),
    _http("no-route", "/nowhere", 404, reason="ROUTE_NOT_FOUND"),
    _http("wrong-verb", "/v1/stock:watch", 405, verb="PUT", reason="METHOD_NOT_ALLOWED"),
    _http(
        "wrong-parameter",
        "/v1/products/p1?color=red",
        400,
        route=GET_PRODUCT,
        reason="UNKNOWN_QUERY_PARAMETER",
    ),
    _http(
        "nobody",
        "/v1/orders",
        401,
        Called(ORDERS, "UNAUTHENTICATED", "CREDENTIALS_MISSING", ()),
        route="/v1/orders",
        reason="CREDENTIALS_MISSING",
    ),
    Case(
        "without-the-scope",
        _with_key,
        (
            Asked(
                "rest",
                403,
                route="/v1/orders",
                reason="INSUFFICIENT_SCOPE",
                calls=(Called(ORDERS, "PERMISSION_DENIED", "INSUFFICIENT_SCOPE", ()),),
                principal="ann",
            ),
        ),
    ),
    Case(
        "once-too-often",
        _once_too_often,
        (
            Asked("rest", 200, route="/v1/products:featured", calls=(Called(FEATURED),)),
            Asked(
                "rest",
                429,
                route="/v1/products:featured",
                reason="RATE_LIMITED",
                calls=(Called(FEATURED, "RESOURCE_EXHAUSTED", "RATE_LIMITED", ()),),
            ),
        ),
    ),
    _http(
        "unavailable",
        "/v1/products/p1",
        503,
        Called(PRODUCT, "UNAVAILABLE", attempts=("UNAVAILABLE",)),
        route=GET_PRODUCT,
        headers=_UNAVAILABLE,
    ),
    _http(
        "too-late",
        "/v1/products/p1",
        504,
        Called(PRODUCT, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", ("DEADLINE_EXCEEDED",)),
        route=GET_PRODUCT,
        reason="DEADLINE_EXCEEDED",
        headers={"x-fault-hang": "1", "x-request-timeout": "0.2"},
    ),
    _http(
        "stream",
        "/v1/products:export",
        200,
        Called(EXPORT, sent=EXPORTED, received=1),
        route="/v1/products:export",
    ),
    Case(
        "gone-before",
        _gone_before,
        (
            Asked(
                "rest",
                499,
                route=GET_PRODUCT,
                calls=(Called(PRODUCT, "", attempts=("",)),),
                principal="ann",
                gone=True,
            ),
        ),
    ),
    Case(
        "gone-amid",
        _gone_amid,
        (
            Asked(
                "rest",
                200,
                route="/v1/stock:watch",
                calls=(Called(WATCH, "", attempts=("",), sent=None, received=1),),
                principal="ann",
                gone=True,
            ),
        ),
    ),
    _raw("unknown-version", b"GET / HTTP/9.9\r\n\r\n", 505, "HTTP_VERSION_NOT_SUPPORTED", "GET"),
    _raw("no-http", b"\x01\x02\x03\r\n\r\n", 400, "BAD_REQUEST"),
    _raw("large-head", b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000, 431, "HEADERS_TOO_LARGE", "GET"),
    _http(
        "large-body",
        "/v1/products",
        413,
        verb="POST",
        route="/v1/products",
        reason="BODY_TOO_LARGE",
        data=b" " * 70_000,
        headers={"content-type": "application/json"},
    ),
    _graphql("query", 'query One { getProduct(id: "p1") { id } }', Called(PRODUCT)),
    _graphql(
        "mutation",
        'mutation { renameProduct(id: "p1", title: "Kettle") { id } }',
        Called(RENAME),
        operation="mutation",
    ),
    _graphql(
        "partial",
        '{ a: getProduct(id: "p1") { id } b: getProduct(id: "none") { id } }',
        Called(PRODUCT),
        Called(PRODUCT, "NOT_FOUND", attempts=("NOT_FOUND",)),
    ),
    _graphql("invalid", "{ nothing }", operation="", reason="GRAPHQL_VALIDATION_FAILED"),
    _graphql(
        "batch",
        [{"query": '{ getProduct(id: "p1") { id } }'}] * 2,
        Called(PRODUCT),
        Called(PRODUCT),
    ),
    Case(
        "events",
        _events,
        (
            Asked(
                "graphql",
                200,
                "request",
                "POST",
                "/graphql",
                operation="subscription",
                calls=(Called(EXPORT, sent=EXPORTED, received=1),),
                principal="ann",
            ),
        ),
    ),
    Case(
        "graphql-socket",
        _graphql_socket,
        (
            Asked("graphql", 101, "socket", "GET", "/graphql", close=1000, principal="ann"),
            Asked(
                "graphql",
                0,
                "operation",
                "GET",
                "",
                operation="subscription",
                calls=(Called(EXPORT, sent=EXPORTED, received=1),),
                principal="ann",
            ),
        ),
    ),
    Case(
        "multiplexed",
        _multiplexed,
        (
            _SOCKET,
            Asked("websocket", 0, "stream", calls=(Called(PRODUCT),)),
            Asked("websocket", 0, "stream", calls=(Called(WATCH, sent=5, received=1),)),
        ),
    ),
    Case(
        "cancelled",
        _cancelled,
        (
            replace(_SOCKET, principal="ann"),
            Asked(
                "websocket",
                0,
                "stream",
                reason="CANCELLED",
                calls=(Called(WATCH, "", attempts=("",), sent=None, received=1),),
                principal="ann",
            ),
        ),
    ),
    Case(
        "plain",
        _plain,
        (
            Asked(
                "websocket",
                101,
                "socket",
                "GET",
                "/v1/stock:watch",
                close=1000,
                calls=(Called(WATCH, sent=3, received=1),),
            ),
        ),
    ),
)
"""The cases, in the order in which they can be done; each can be done once."""


def config(shop: list[str], keys: Keys, **sections: Any) -> dict[str, Any]:
    """The config of a gateway that they are done to."""
    return shop_config(
        shop,
        workers=2,
        listener={
            "address": "127.0.0.1:0",
            "limits": {"body_size": "64KiB", "header_size": "64KiB"},
        },
        graphql={"joins": [JOINS], "operations": [], "limits": {"batch": 3}},
        rest={"etag": True},
        headers={
            "request": {"allow": ["x-request-id", "traceparent", *FAULTS]},
            "response": {"allow": []},
        },
        auth=keys.auth,
        policies=[
            {"methods": ["*"], "authenticate": ["partners", "none"]},
            {
                "methods": [ORDERS],
                "authenticate": ["partners"],
                "authorize": {"scopes": ["orders.read"]},
            },
            {
                "methods": [FEATURED],
                "rate_limits": [{"name": "featured", "rate": "1/h", "key": "address"}],
            },
        ],
        **sections,
    )


@contextmanager
def watched(folder: Path, shop: list[str], **sections: Any) -> Iterator[tuple[Gateway, Keys]]:
    """A gateway that they can be done to, and its keys.

    Args:
        folder: Where its files are.
        shop: Addresses of the example backend.
        sections: More of its config, such as `telemetry`.
    """
    keys = Keys(folder, ann="")
    with gateway(folder, config(shop, keys, **sections)) as served:
        yield served, keys
