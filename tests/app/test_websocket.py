"""Sockets and the life of the gateway: they outlive generations, and a drain tells each of them."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import grpc.aio
import pytest

from gateway.app import App, build
from gateway.app.pool import UpstreamPool
from gateway.app.websocket import socket_options
from gateway.config import from_mapping
from services_mock.testing import calls_reach, serve_in_process

ROOT = Path(__file__).parents[2]
JOIN = "shop.chat.v1.ChatService/Join"
WATCH = "shop.inventory.v1.InventoryService/WatchStock"
PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
AWAY, CUT = 4000, 4214  # of a plain call: 4200 + UNAVAILABLE


class File:
    """A config file that is rewritten."""

    def __init__(self, address="127.0.0.1:1", **websocket):
        self.upstream = {"services": ["shop.*"], "endpoints": [address]}
        self.websocket = websocket
        self.drain = "30s"
        self.sections = {}

    def __call__(self):
        data = {
            "listener": {"address": "127.0.0.1:0", "drain_timeout": self.drain},
            "admin": False,
            "schema": {"protos": [str(ROOT / "protos")]},
            "upstreams": {"shop": self.upstream},
            "graphql": False,
            "websocket": self.websocket,
            **self.sections,
        }
        return from_mapping(data, origin="test")


class Client:
    """A socket of the multiplexed form, after its `welcome`."""

    def __init__(self, socket, welcome):
        self.socket = socket
        self.welcome = welcome
        self._last = 0

    async def say(self, t, **members):
        await self.socket.send_json({"t": t, **members})

    async def open(self, method, body, **members):
        self._last += 1
        await self.say("open", id=self._last, method=method, body=body, **members)
        return self._last

    async def hear(self, t, id_=None):
        """Returns the next frame of a kind, of a stream."""
        while (frame := await self.socket.receive_json())["t"] != t or frame.get("id") != id_:
            pass
        return frame

    async def ask(self, method, body):
        """Makes a call of one message; returns its status."""
        return await self.hear("status", await self.open(method, body, end=True))

    async def chat(self):
        """Joins a room; returns the stream, which goes on until the client half-closes it."""
        id_ = await self.open(JOIN, {"room": "lobby", "userId": "ann"})
        assert (await self.hear("message", id_))["body"]["joined"] == "ann"
        return id_

    async def says(self, id_, text):
        """Says something in the room; returns what the room hears."""
        await self.say("message", id=id_, body={"message": {"text": text}})
        return (await self.hear("message", id_))["body"]["message"]["text"]

    def vanish(self):
        """Breaks the connection, without a word."""
        self.socket._response.connection.transport.abort()


async def close_code(socket):
    """Waits for the end of a socket."""
    while not socket.closed:
        await socket.receive()
    return socket.close_code


@pytest.fixture
async def backend():
    async with serve_in_process() as address:
        yield address


@asynccontextmanager
async def running(file):
    app = App(file)
    await app.start(lambda _: None)
    try:
        async with aiohttp.ClientSession(app.urls[0]) as http:
            yield app, http
    finally:
        await app.stop()


@asynccontextmanager
async def connected(http, **hello):
    async with http.ws_connect("/ws", protocols=["grpcws.v1.json"]) as socket:
        await socket.send_json({"t": "hello", **hello})
        welcome = await socket.receive_json()
        assert welcome["t"] == "welcome"
        yield Client(socket, welcome)


def ending(app):
    """Begins to drain."""
    return asyncio.ensure_future(app.stop())


# Reloads.


async def test_a_reload_closes_nothing_and_the_next_open_gets_the_new_generation(backend):
    file = File(backend)
    file.upstream["services"] = ["shop.chat.*"]
    async with running(file) as (app, http), connected(http) as client:
        assert (await client.ask(PRODUCT, {"id": "p1"}))["status"] == "UNIMPLEMENTED"
        chat = await client.chat()
        file.upstream["services"] = ["shop.catalog.*"]
        await app.reload()
        assert await client.says(chat, "still here") == "still here"
        assert (await client.ask(PRODUCT, {"id": "p1"}))["status"] == "OK"
        assert (await client.ask(JOIN, {"room": "lobby"}))["status"] == "UNIMPLEMENTED"
        await client.say("message", id=chat, end=True)
        assert (await client.hear("status", chat))["status"] == "OK"


async def test_switched_off_by_a_reload_calls_go_on_and_none_begins(backend):
    file = File(backend)
    async with running(file) as (app, http), connected(http) as client:
        chat = await client.chat()
        file.sections["websocket"] = False
        await app.reload()
        refused = await client.ask(PRODUCT, {"id": "p1"})
        assert refused["status"] == "UNIMPLEMENTED"
        assert refused["details"][0]["reason"] == "METHOD_NOT_FOUND"
        assert await client.says(chat, "still here") == "still here"
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect("/ws")
        assert caught.value.status == 404
        async with http.get("/ws/client.js") as answer:
            assert answer.status == 404
        del file.sections["websocket"]
        await app.reload()
        assert (await client.ask(PRODUCT, {"id": "p1"}))["status"] == "OK"


async def test_where_sockets_were_switched_off_nobody_looks_at_tokens(backend):
    file = File(backend)
    async with running(file) as (app, http), connected(http) as client:
        file.sections["websocket"] = False
        await app.reload()
        await client.say("auth", token="t")
        assert await close_code(client.socket) == 4004


async def test_a_plain_call_outlives_a_reload(backend):
    file = File(backend)
    async with running(file) as (app, http), http.ws_connect("/v1/rooms/lobby:chat") as socket:
        await socket.send_json({"userId": "ann", "message": {"text": "one"}})
        assert (await socket.receive_json())["joined"] == "ann"
        assert (await socket.receive_json())["message"]["text"] == "one"
        file.sections["websocket"] = False
        await app.reload()
        await socket.send_json({"message": {"text": "two"}})
        assert (await socket.receive_json())["message"]["text"] == "two"


async def test_a_socket_keeps_no_generation_between_its_calls(backend):
    async with running(File(backend)) as (app, http), connected(http) as client:
        assert (await client.ask(PRODUCT, {"id": "p1"}))["status"] == "OK"
        old = weakref.ref(app.current.lease)
        await app.reload()
        gc.collect()
        assert old() is None
        assert (await client.ask(PRODUCT, {"id": "p1"}))["status"] == "OK"


async def test_a_session_is_resumed_in_the_generation_after(backend):
    file = File(backend, resume="30s")
    async with running(file) as (app, http):
        async with connected(http, features=["resume"]) as client:
            chat, session = await client.chat(), client.welcome["session"]
            client.vanish()
        await app.reload()
        hello = {"features": ["resume"], "session": session, "granted": {str(chat): 64}}
        async with connected(http, **hello, seen={str(chat): 0}) as client:
            assert client.welcome["session"] == session
            (resumed,) = client.welcome["resumed"]
            assert resumed["id"] == chat
            assert (await client.hear("message", chat))["body"]["joined"] == "ann", "sent again"


# The end.


async def test_a_drain_says_goaway_and_lets_streams_end(backend):
    async with running(File(backend)) as (app, http), connected(http) as client:
        chat = await client.chat()
        stopping = ending(app)
        goaway = await client.hear("goaway")
        assert goaway["reason"] == "draining"
        assert 0 <= goaway["reconnect_ms"] <= 5000
        refused = await client.ask(PRODUCT, {"id": "p1"})
        assert refused["status"] == "UNAVAILABLE"
        assert refused["details"][0]["reason"] == "DRAINING"
        assert await client.says(chat, "last words") == "last words"
        await client.say("message", id=chat, end=True)
        assert (await client.hear("status", chat))["status"] == "OK"
        assert await close_code(client.socket) == AWAY
        assert await stopping == 0


async def test_streams_that_do_not_end_in_time_are_unavailable(backend):
    file = File(backend)
    file.drain = "500ms"
    async with running(file) as (app, http), connected(http) as client:
        chat = await client.chat()
        watch = await client.open(WATCH, {"interval": "3600s"}, end=True)
        stopping = ending(app)
        await client.hear("goaway")
        for id_ in (chat, watch):
            assert (await client.hear("status", id_))["status"] == "UNAVAILABLE"
        assert await close_code(client.socket) == AWAY
        assert await stopping == 0


async def test_how_long_they_have_is_what_the_newest_config_says(backend):
    file = File(backend)
    async with (
        running(file) as (app, http),
        connected(http) as client,
        http.ws_connect("/v1/rooms/lobby:chat") as plain,
    ):
        chat = await client.chat()
        await plain.send_json({"userId": "bea"})
        assert (await plain.receive_json())["joined"] == "bea"
        file.drain = "500ms"
        await app.reload()
        stopping = ending(app)
        assert (await client.hear("status", chat))["status"] == "UNAVAILABLE"
        assert await close_code(client.socket) == AWAY
        assert await close_code(plain) == CUT
        assert await stopping == 0


async def test_a_socket_without_a_stream_is_closed_at_once(backend):
    async with (
        running(File(backend)) as (app, http),
        connected(http) as client,
        http.ws_connect("/ws") as new,
        http.ws_connect(f"/{PRODUCT}") as waiting,
    ):
        stopping = ending(app)
        await client.hear("goaway")
        for socket in (client.socket, new, waiting):
            assert await close_code(socket) == AWAY
        assert await stopping == 0


async def test_a_plain_call_has_the_time_of_a_drain_and_is_unavailable_then(backend):
    file = File(backend)
    file.drain = "500ms"
    async with running(file) as (app, http), http.ws_connect("/v1/rooms/lobby:chat") as socket:
        await socket.send_json({"userId": "ann"})
        assert (await socket.receive_json())["joined"] == "ann"
        stopping = ending(app)
        assert (await socket.receive_json())["error"]["status"] == "UNAVAILABLE"
        assert await close_code(socket) == CUT
        assert await stopping == 0


async def test_sessions_whose_clients_are_away_end_with_the_gateway(backend):
    file = File(backend, resume="1h")
    async with grpc.aio.insecure_channel(backend) as channel:
        async with running(file) as (_, http), connected(http, features=["resume"]) as client:
            await client.chat()
            client.vanish()
        await calls_reach(channel, f"/{JOIN}", lambda counts: counts.cancelled == 1)


# From the config.


def test_what_the_config_says_of_sockets():
    limits = {
        "streams": 7,
        "message_size": "2KiB",
        "opens": "60/m",
        "messages": "5/s",
        "hello_timeout": "1s",
        "max_age": "1h",
        "idle_timeout": "2m",
    }
    file = File(limits=limits, ping="9s", resume="40s")
    file.drain = "8s"
    config = file().config
    options = socket_options(config, config.websocket, lambda: 7.0)
    assert (options.limits.streams, options.limits.message_size) == (7, 2048)
    assert (options.rates.opens, options.rates.messages) == (1, 5)
    times = options.times
    assert (times.hello, times.ping, times.max_age, times.idle, times.drain) == (1, 9, 3600, 120, 8)
    assert options.resume == 40


@pytest.mark.parametrize("demo", [False, True], ids=["off", "on"])
async def test_the_page_of_the_example_is_served_where_it_is_asked_for(demo):
    async with running(File(demo=demo)) as (_, http):
        for path in ("/demo", "/demo/demo.js", "/demo/demo.css"):
            async with http.get(path) as answer:
                assert answer.status == (200 if demo else 404)


async def test_the_client_is_below_the_path():
    async with running(File(path="/sockets")) as (_, http):
        async with http.get("/sockets/client.js") as answer:
            assert answer.status == 200
            assert answer.content_type == "text/javascript"
        async with http.get("/ws/client.js") as answer:
            assert answer.status == 404


async def test_without_rest_methods_have_their_own_paths_only():
    file = File()
    file.sections["rest"] = False
    pool = UpstreamPool()
    generation = await build(file(), pool)
    await pool.close(0)
    assert {each.template for each in generation.websocket.routes} == {
        f"/{name}" for name in generation.methods
    }
