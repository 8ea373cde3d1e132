"""Which requests are the front's, and what opens a socket of which framing."""

import asyncio

import pytest

from gateway.errors import error
from gateway.fronts.files import File
from gateway.fronts.websocket.front import FrontOptions, WebsocketFront
from gateway.fronts.websocket.sockets import Sockets
from gateway.http import Headers, Request
from gateway.v1 import websocket_pb2 as pb
from tests.fronts.websocket.drivers import Socket
from tests.fronts.websocket.plain.fakes import settled

UPGRADE = [("connection", "upgrade"), ("upgrade", "websocket")]
JSON, PROTO = "grpcws.v1.json", "grpcws.v1.proto"


class Plain:
    """The plain form: its one path."""

    def handle(self, exchange):
        return exchange.request.path == "/v1/plain"


class Exchange:
    record = None  # nothing is noted

    def __init__(self, path, headers, method="GET"):
        self.request = Request(
            method, path, None, Headers(headers), peer="192.0.2.1", authority="gateway.example"
        )
        self.accepted = None
        self.socket = None
        self.replied = None

    def websocket(self, **accepted):
        self.accepted = accepted
        self.socket = Socket()
        return self.socket

    def respond(self, status, headers, body, kept=None):
        self.replied = (status, body)

    def on_gone(self, callback):
        self.gone = callback


@pytest.fixture
async def ask(world):
    """Asks a front: `ask("/ws", offered=["x"])`. Sockets are closed at the end."""
    it, asked = world(), []
    shared = Sockets(lambda _: it.serving, it.sessions, it.options)

    def ask_(path="/ws", *, offered=(), headers=UPGRADE, method="GET", gate=None, **options):
        fields = [*headers, *(("sec-websocket-protocol", each) for each in offered)]
        exchange = Exchange(path, fields, method)
        asked.append(exchange)
        exchange.refused = None

        def refuse(_, failure):
            exchange.refused = failure.reason

        files = {
            "/ws/client.js": File.of(b"js", "text/javascript"),
            "/demo": File.of(b"page", "text/html"),
        }
        gates = {} if gate is None else {"/demo": gate}
        front = WebsocketFront(shared, FrontOptions(**options), files, Plain(), refuse, gates=gates)
        exchange.front = front
        exchange.taken = front.answers(exchange.request) and front.handle(exchange)
        return exchange

    yield ask_
    for each in asked:
        if each.socket is not None and each.socket._told is not None:
            each.socket.goes()


@pytest.mark.parametrize(
    ("offered", "served", "chosen", "framing"),
    {
        "none": ([], (JSON, PROTO), None, JSON),
        "json": ([JSON], (JSON, PROTO), JSON, JSON),
        "proto": ([PROTO], (JSON, PROTO), PROTO, PROTO),
        "the client's order": ([f"{PROTO}, {JSON}"], (JSON, PROTO), PROTO, PROTO),
        "several headers": (["x", JSON], (JSON, PROTO), JSON, JSON),
        "beside a token": ([f"bearer.aGVhZA, {PROTO}"], (JSON, PROTO), PROTO, PROTO),
        "a token alone": (["bearer.aGVhZA"], (JSON, PROTO), None, JSON),
        "none, of proto": ([], (PROTO,), None, PROTO),
        "one of which is not served": ([f"{JSON}, {PROTO}"], (PROTO,), PROTO, PROTO),
    }.values(),
    ids=[
        "none",
        "json",
        "proto",
        "the client's order",
        "several headers",
        "beside a token",
        "a token alone",
        "none, where only proto is served",
        "one of which is not served",
    ],
)
async def test_the_subprotocol_is_the_framing(ask, offered, served, chosen, framing):
    exchange = ask(offered=offered, subprotocols=served)
    assert exchange.taken
    assert exchange.accepted["subprotocol"] == chosen
    if framing == PROTO:
        exchange.socket.receives(pb.ClientFrame(hello={}).SerializeToString())
    else:
        exchange.socket.receives('{"t":"hello"}')
    await settled()
    (welcome,) = exchange.socket.sent
    assert welcome.startswith(b'{"t":"welcome"') is (framing == JSON)
    assert exchange.socket.ended is None


@pytest.mark.parametrize("offered", [["x"], [f"{JSON}.x"], ["x, bearer.aGVhZA"], [PROTO]])
async def test_a_subprotocol_that_is_not_served_closes_with_4400(ask, offered):
    exchange = ask(offered=offered, subprotocols=(JSON,))
    assert exchange.accepted["subprotocol"] is None
    assert exchange.socket.ended == (
        4400,
        "none of the subprotocols is served: grpcws.v1.json",
    )


async def test_frames_may_be_as_large_as_a_body_and_what_stands_around_it(ask):
    accepted = ask(compressed=True).accepted
    assert accepted["message_size"] == 2**20 + 2**16
    assert accepted["too_large"] == 4413
    assert accepted["compressed"] is True


@pytest.mark.parametrize(
    ("origin", "origins", "opened"),
    [
        ("https://evil.example", (), False),
        ("null", (), False),
        ("http://gateway.example", (), True),
        ("https://app.example", ("https://app.example",), True),
        (None, (), True),
    ],
    ids=["another page", "null", "its own", "a listed one", "no browser"],
)
async def test_pages_of_other_origins_open_nothing(ask, origin, origins, opened):
    headers = [*UPGRADE, *([("origin", origin)] if origin else [])]
    for path in ("/ws", "/v1/plain"):
        exchange = ask(path, headers=headers, origins=origins)
        assert exchange.taken
        assert (exchange.refused is None) is opened
        assert path != "/ws" or (exchange.socket is not None) is opened


async def test_other_upgrades_are_the_plain_forms(ask):
    assert ask("/v1/plain").taken
    assert not ask("/v1/nothing").taken  # others tell that there is no such path


async def test_requests_that_ask_for_no_socket_are_others(ask):
    assert not ask("/v1/plain", headers=[]).taken
    assert ask("/ws", headers=[]).taken  # the listener says how to open one


async def test_the_clients_file_is_served_below_the_path(ask):
    exchange = ask("/ws/client.js", headers=[])
    assert exchange.taken
    assert exchange.replied == (200, b"js")
    assert ask("/ws/client.js", headers=[], method="POST").refused == "METHOD_NOT_ALLOWED"


class Gate:
    """Lets in who shows a key; asks somebody first if told to."""

    def __init__(self, *, waits=False):
        self.waits = waits

    def admit(self, call):
        return self._later(call) if self.waits else self._now(call)

    async def _later(self, call):
        await asyncio.sleep(0)
        self._now(call)

    def _now(self, call):
        if call.head.headers.get("x-api-key") != "k":
            raise error("CREDENTIALS_MISSING", "No.")


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("key", ["k", None])
async def test_the_examples_page_is_for_those_whom_its_gate_lets_in(ask, waits, key):
    headers = [("x-api-key", key)] if key else []
    exchange = ask("/demo", headers=headers, gate=Gate(waits=waits))
    assert exchange.taken
    await settled()
    assert exchange.replied == ((200, b"page") if key else None)
    assert exchange.refused == (None if key else "CREDENTIALS_MISSING")


async def test_the_client_is_for_everybody(ask):
    assert ask("/ws/client.js", headers=[], gate=Gate()).replied == (200, b"js")
