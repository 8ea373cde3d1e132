"""Every record that begins ends, once, with all its calls, however clients and the gateway part."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from gateway.app import App
from gateway.config import from_mapping
from gateway.record import RequestRecord
from gateway.telemetry.records import Records
from services_mock.testing import serve_in_process

ROOT = Path(__file__).parents[2]
WATCH = "shop.inventory.v1.InventoryService/WatchStock"
PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
CHAT = "shop.chat.v1.ChatService/Join"
HANG = {"x-fault-hang": "1"}
PATIENCE = 20


class Seen:
    """All records that began, and how often each, and each of their calls, was kept."""

    def __init__(self, records):
        self.records = records
        self.begun, self.asked, self.calls, self.called = [], [], [], []

    def clear(self):
        for each in (self.begun, self.asked, self.calls, self.called):
            each.clear()

    def under_way(self):
        return [
            *(("began", each.kind, each.head.path) for each in self.begun if not each.ended),
            *(("call", each.method) for each in self.calls if each.began and not each.ended),
            *((kind, number) for kind, number in self.records.active.items() if number),
            *(each.method for each in self.records.streams),
        ]

    async def until(self, begun, calls=0):
        """Waits until something is under way."""
        async with asyncio.timeout(PATIENCE):
            while len(self.begun) < begun or sum(bool(each.began) for each in self.calls) < calls:
                await asyncio.sleep(0.005)

    async def until_over(self):
        """Waits until nothing is under way any more; everything was told once then."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self.under_way():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"still under way: {self.under_way()}") from None
        assert len(self.asked) == len(set(map(id, self.asked))) == len(self.begun)
        began = [each for each in self.calls if each.began]
        assert len(self.called) == len(set(map(id, self.called))) == len(began)


@asynccontextmanager
async def running(backend, seen, **sections):
    data = {
        "listener": {"address": "127.0.0.1:0", "drain_timeout": "30s"},
        "admin": {"address": "127.0.0.1:0"},
        "schema": {"protos": [str(ROOT / "protos")]},
        "upstreams": {"shop": {"services": ["shop.*"], "endpoints": [backend]}},
        "graphql": {"joins": [], "operations": []},
        "headers": {
            "request": {"allow": ["x-fault-hang", "x-fault-delay"]},
            "response": {"allow": []},
        },
        "telemetry": {"recorder": {"sample": 1}},
        **sections,
    }
    app = App(lambda: from_mapping(data, origin="test"))
    await app.start(lambda _: None)
    try:
        seen.records = app._telemetry.records  # what is counted there is asserted, too
        async with aiohttp.ClientSession(app.urls[0]) as http:
            yield app, http
    finally:
        await app.stop()


@pytest.fixture
async def backend():
    async with serve_in_process() as address:
        yield address


@pytest.fixture
def seen(monkeypatch):
    found = Seen(None)
    began, asked, called = Records.began, Records.asked, Records.called
    call = RequestRecord.call

    def begins(self, record):
        found.begun.append(record)
        began(self, record)

    def asks(self, record):
        found.asked.append(record)
        asked(self, record)

    def calls(self, record):
        found.called.append(record)
        called(self, record)

    def makes(self, method):
        made = call(self, method)
        found.calls.append(made)
        return made

    monkeypatch.setattr(Records, "began", begins)
    monkeypatch.setattr(Records, "asked", asks)
    monkeypatch.setattr(Records, "called", calls)
    monkeypatch.setattr(RequestRecord, "call", makes)
    return found


@pytest.fixture
async def served(backend, seen):
    async with running(backend, seen) as (app, http):
        yield app, http, seen


@asynccontextmanager
async def raw(app):
    host, port = app.urls[0].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


def resets(writer):
    """Breaks a connection, so that the other side is told by a reset."""
    socket = writer.get_extra_info("socket")
    socket.setsockopt(1, 13, struct.pack("ii", 1, 0))
    writer.transport.abort()


def head(path, verb="GET", **fields):
    lines = [f"{verb} {path} HTTP/1.1", "Host: here", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


# Over HTTP.


async def test_a_client_that_leaves_at_any_byte_of_its_request(served):
    app, _, seen = served
    body = b'{"id":"p1","title":"Kettle"}'
    fields = {"Content-Type": "application/json", "Content-Length": len(body), **HANG}
    data = head("/v1/products", "POST", **fields) + body
    for end in [*range(0, len(data), 7), len(data) - 1, len(data)]:
        async with raw(app) as (_, writer):
            writer.write(data[:end])
            await writer.drain()
            await asyncio.sleep(0)
            resets(writer)
    await seen.until_over()


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version": "13",
}
REQUESTS = {
    "unary in flight": (head("/v1/products/p1", **HANG), 1, b""),
    "stream before it": (head("/v1/stock:watch", **HANG), 1, b""),
    "stream amid": (head("/v1/stock:watch?interval=0.01s"), 1, b"sequence"),
    "head of a stream": (head("/v1/stock:watch?interval=0.01s", "HEAD"), 1, b""),
    "pipelined": (head("/v1/products/p1", **HANG) * 3, 1, b""),
    "packed": (head("/v1/products/p1", **{"Accept-Encoding": "gzip"}), 1, b""),
    "packed stream": (
        head("/v1/stock:watch?interval=0.01s", **{"Accept-Encoding": "gzip"}), 1, b"\r\n\r\n",
    ),
    "socket refused": (head("/ws", **{**UPGRADE, "Sec-WebSocket-Version": "12"}), 0, b"426"),
    "socket": (head("/ws", **UPGRADE, **{"Sec-WebSocket-Protocol": "grpcws.v1.json"}), 0, b"101"),
    "plain socket": (head("/v1/stock:watch?interval=0.01s", **UPGRADE), 1, b"sequence"),
    "plain socket, hanging": (head("/v1/stock:watch", **UPGRADE, **HANG), 1, b"101"),
    "socket of nothing": (head("/nowhere", **UPGRADE), 0, b"404"),
    "expect": (
        head("/v1/products", "POST", Expect="100-continue", **{"Content-Length": 9}), 0, b"100",
    ),
}  # fmt: skip


HALF_CLOSED = ("stream amid", "head of a stream", "packed", "socket refused", "socket", "expect")
"""Those where something is sent, or read, so that it shows soon that nobody is there."""


@pytest.mark.parametrize(
    ("case", "how"),
    [*((case, "reset") for case in REQUESTS), *((case, "half-closed") for case in HALF_CLOSED)],
)
async def test_a_client_that_leaves(served, case, how):
    app, _, seen = served
    data, calls, until = REQUESTS[case]
    async with raw(app) as (reader, writer):
        writer.write(data)
        await seen.until(1, calls)
        if until:
            await reader.readuntil(until)
        if how == "reset":
            resets(writer)
        else:
            writer.write_eof()
    await seen.until_over()


# GraphQL over a socket.


@asynccontextmanager
async def graph(http):
    async with http.ws_connect("/graphql", protocols=["graphql-transport-ws"], headers=HANG) as web:
        await web.send_json({"type": "connection_init"})
        assert (await web.receive_json())["type"] == "connection_ack"
        yield web


ONE = '{ getProduct(id: "p1") { id } }'
MANY = "subscription { watchStock { sequence } }"


@pytest.mark.parametrize("query", [ONE, MANY], ids=["query", "subscription"])
@pytest.mark.parametrize("how", ["close", "abort", "complete", "twice", "garbage"])
async def test_an_operation_on_a_socket_ends_with_it(served, query, how):
    _, http, seen = served
    async with graph(http) as web:
        subscribe = {"id": "1", "type": "subscribe", "payload": {"query": query}}
        await web.send_json(subscribe)
        await seen.until(2, 1)
        match how:
            case "close":
                await web.close()
            case "abort":
                web._response.connection.transport.abort()
            case "complete":
                await web.send_json({"id": "1", "type": "complete"})
            case "twice":
                await web.send_json(subscribe)
                while not web.closed:
                    await web.receive()
            case "garbage":
                await web.send_str("{")
                while not web.closed:
                    await web.receive()
    await seen.until_over()


# The multiplexed socket.


@asynccontextmanager
async def multiplexed(http, **hello):
    async with http.ws_connect("/ws", protocols=["grpcws.v1.json"]) as web:
        await web.send_json({"t": "hello", **hello})
        welcome = await web.receive_json()
        assert welcome["t"] == "welcome"
        yield web, welcome


def opens(id_, method, body, **more):
    return {
        "t": "open", "id": id_, "method": method, "body": body,
        "metadata": [["x-fault-hang", "1"]], **more,
    }  # fmt: skip


@pytest.mark.parametrize("how", ["close", "abort", "cancel", "garbage"])
@pytest.mark.parametrize("resumable", [False, True], ids=["plain", "resumable"])
async def test_streams_of_a_socket_end_with_it(backend, seen, how, resumable):
    websocket = {"resume": "0.2s"} if resumable else {}
    async with running(backend, seen, websocket=websocket) as (_, http):
        features = ["resume"] if resumable else []
        async with multiplexed(http, features=features) as (web, welcome):
            assert ("resume_ms" in welcome) is resumable
            await web.send_json(opens(1, PRODUCT, {"id": "p1"}, end=True))
            await web.send_json(opens(2, WATCH, {}, end=True))
            await web.send_json(opens(3, CHAT, {"room": "lobby"}))
            await web.send_json(opens(4, "no.Such/Method", {}, end=True))
            await web.send_json(opens(5, PRODUCT, {"nothing": 1}, end=True))
            await seen.until(6, 3)
            match how:
                case "close":
                    await web.close()
                case "abort":
                    web._response.connection.transport.abort()
                case "cancel":
                    for id_ in (1, 2, 3):
                        await web.send_json({"t": "cancel", "id": id_})
                case "garbage":
                    await web.send_str("{")
                    while not web.closed:
                        await web.receive()
        await seen.until_over()


async def test_streams_that_are_resumed_end_once(backend, seen):
    async with running(backend, seen, websocket={"resume": "10s"}) as (_, http):
        async with multiplexed(http, features=["resume"]) as (web, welcome):
            await web.send_json(opens(1, PRODUCT, {"id": "p1"}, end=True))
            await web.send_json(opens(2, WATCH, {}, end=True))
            await seen.until(3, 2)
            web._response.connection.transport.abort()
        back = {
            "features": ["resume"],
            "session": welcome["session"],
            "seen": {"1": 0, "2": 0},
            "granted": {"1": 64, "2": 64},
        }
        async with multiplexed(http, **back) as (web, again):
            assert again["session"] == welcome["session"]
            assert not any(each.ended for each in seen.begun if each.kind == "stream")
            for id_ in (1, 2):
                await web.send_json({"t": "cancel", "id": id_})
            while any(not each.ended for each in seen.begun if each.kind == "stream"):
                await web.receive()
        await seen.until_over()
    assert [each.kind for each in seen.begun] == ["socket", "stream", "stream", "socket"]


# The end of the gateway.


async def test_what_a_drain_cuts_ends_too(backend, seen):
    listener = {"address": "127.0.0.1:0", "drain_timeout": "0.1s"}
    async with running(backend, seen, listener=listener) as (app, http):
        asked = [
            asyncio.ensure_future(http.get(path, headers=HANG))
            for path in ("/v1/products/p1", "/v1/stock:watch")
        ]
        async with graph(http) as web, multiplexed(http) as (other, _):
            for id_, query in enumerate([ONE, MANY]):
                payload = {"query": query}
                await web.send_json({"id": str(id_), "type": "subscribe", "payload": payload})
            await other.send_json(opens(1, PRODUCT, {"id": "p1"}, end=True))
            await other.send_json(opens(2, WATCH, {}, end=True))
            await seen.until(8, 6)
            await app.stop()
            await asyncio.gather(*asked, return_exceptions=True)
    await seen.until_over()
