"""Who calls over a WebSocket: handshake, connection_init, gates, and calls that show it."""

import asyncio

import pytest

from gateway.errors import error
from tests.fronts.graphql.serve.gates import TokenGate
from tests.fronts.graphql.serve.sockets import PATIENCE, Sockets, dial

BEARER = {"authorization": "Bearer ada"}


@pytest.fixture
async def serve(start):
    """Starts a front whose sockets have a gate: `serve(TokenGate())`."""

    async def one(gate=None):
        sockets = Sockets(gate)
        client = await start(socket=sockets.handle)
        sockets.engine = client.engine
        client.clock = sockets.clock
        return client

    return one


async def happens(event):
    async with asyncio.timeout(PATIENCE):
        await event.wait()


def shown(client):
    """The authorization that the last request's caller shows, and that backends are sent."""
    _, caller = client.engine.requests[-1]
    return caller.head.headers.get("authorization"), caller.metadata.text("authorization")


@pytest.mark.parametrize(
    ("headers", "payload", "expected"),
    [
        pytest.param(BEARER, {}, "Bearer ada", id="handshake"),
        pytest.param({}, {"Authorization": "Bearer eve"}, "Bearer eve", id="connection-init"),
        pytest.param({}, {"headers": BEARER}, "Bearer ada", id="connection-init-headers"),
        pytest.param(BEARER, {"authorization": "Bearer eve"}, "Bearer eve", id="the-latter-counts"),
        pytest.param({}, {"token": "ada"}, None, id="nobody"),
    ],
)
async def test_calls_show_who_asks(serve, headers, payload, expected):
    client = await serve()
    async with dial(client, additional_headers=headers) as session:
        await session.init(**payload)
        await session.subscribe("{ hello }")
        await session.receive()
    assert shown(client) == (expected, expected)
    _, caller = client.engine.requests[-1]
    assert caller.head.headers.get("host")  # the rest of the handshake


async def test_nothing_else_of_the_payload_goes_anywhere(serve):
    client = await serve()
    async with dial(client) as session:
        await session.init(cookie="a=b", headers={"grpc-timeout": "1n", "x-internal": "1"})
        await session.subscribe("{ hello }")
        await session.receive()
    _, caller = client.engine.requests[-1]
    assert caller.deadline is None
    assert caller.metadata.names() == []
    assert {"cookie", "grpc-timeout", "x-internal"}.isdisjoint(dict(caller.head.headers))


@pytest.mark.parametrize("held", [False, True], ids=["at-once", "after-a-while"])
@pytest.mark.parametrize(
    ("payload", "code"),
    [
        pytest.param({"authorization": "Bearer ada"}, None, id="good"),
        pytest.param({"authorization": "Bearer bad"}, "INVALID_CREDENTIALS", id="bad"),
        pytest.param({}, "CREDENTIALS_MISSING", id="missing"),
    ],
)
async def test_the_gate_is_asked_at_connection_init(serve, payload, code, held):
    gate = TokenGate(held=held)
    client = await serve(gate)
    async with dial(client) as session:
        assert gate.calls == []  # a browser has shown nothing yet
        await session.send(type="connection_init", payload=payload)
        if held:
            await happens(gate.waiting)
            gate.release.set()
        if code is None:
            assert await session.receive() == {"type": "connection_ack"}
        else:
            assert await session.closed() == (4403, f"Forbidden: {code}")
    (call,) = gate.calls
    assert (call.method, call.front, call.peer) == ("", "graphql", "127.0.0.1")


async def test_nothing_is_read_while_the_gate_waits(serve):
    gate = TokenGate(held=True)
    client = await serve(gate)
    async with dial(client) as session:
        await session.send(type="connection_init", payload=BEARER)
        await session.subscribe("{ hello }")  # too early by the protocol, if it were read now
        await happens(gate.waiting)
        assert client.engine.requests == []
        gate.release.set()
        assert await session.receive() == {"type": "connection_ack"}
        assert (await session.receive())["payload"] == {"data": {"hello": "Hello, you"}}


async def test_a_client_that_goes_is_waited_for_no_longer(serve):
    gate = TokenGate(held=True)
    client = await serve(gate)
    async with dial(client) as session:
        await session.send(type="connection_init", payload=BEARER)
        await happens(gate.waiting)
    async with asyncio.timeout(PATIENCE):
        while not gate.cancelled:
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("failure", "code", "reason"),
    [
        (error("TOKEN_EXPIRED", "Late."), 4403, "Forbidden: TOKEN_EXPIRED"),
        (error("CROSS_SITE_REQUEST", "No."), 4403, "Forbidden: CROSS_SITE_REQUEST"),
        (
            error("AUTHENTICATION_UNAVAILABLE", "Not now."),
            1013,
            "Try again later: AUTHENTICATION_UNAVAILABLE",
        ),
        (
            error("TOO_MANY_UNAUTHENTICATED", "Slowly."),
            1013,
            "Try again later: TOO_MANY_UNAUTHENTICATED",
        ),
        (RuntimeError("a secret"), 1013, "Try again later: INTERNAL"),
    ],
    ids=["expired", "cross-site", "unavailable", "too-many", "bug"],
)
async def test_what_a_client_is_told(serve, failure, code, reason):
    client = await serve(TokenGate(failure=failure))
    async with dial(client) as session:
        await session.send(type="connection_init")
        assert await session.closed() == (code, reason)


async def test_a_value_that_is_no_header_closes(serve):
    client = await serve()
    async with dial(client) as session:
        await session.send(type="connection_init", payload={"authorization": "a\nb"})
        code, reason = await session.closed()
    assert code == 4400
    assert reason == "Invalid message: authorization is no value of a header"


# Operations that must know who asks.

QUERIES = {
    "query": ("{ me }", [{"data": {"me": "ada"}}]),
    "subscription": ("subscription { count(to: 1) }", [{"data": {"count": 1}}]),
}


@pytest.mark.parametrize("held", [False, True], ids=["at-once", "after-a-while"])
@pytest.mark.parametrize(("query", "results"), QUERIES.values(), ids=QUERIES)
async def test_an_operation_that_must_know_asks_first(serve, query, results, held):
    client = await serve()
    gate = client.engine.asks = TokenGate(held=held)
    async with dial(client) as session:
        await session.init(**BEARER)
        await session.subscribe(query)
        if held:
            await happens(gate.waiting)
            gate.release.set()
        for result in results:
            assert await session.receive() == {"id": "1", "type": "next", "payload": result}
        assert await session.receive() == {"id": "1", "type": "complete"}
        assert await session.until_pong() == []


async def test_parts_too(serve):
    client = await serve()
    client.engine.asks = TokenGate(held=True)
    client.engine.asks.release.set()
    async with dial(client) as session:
        await session.init(**BEARER)
        await session.subscribe("{ ... @later { hello } }")
        first, second, end = [await session.receive() for _ in range(3)]
    assert [first["payload"]["hasNext"], second["payload"]["hasNext"]] == [True, False]
    assert end == {"id": "1", "type": "complete"}


@pytest.mark.parametrize("held", [False, True], ids=["at-once", "after-a-while"])
async def test_who_is_refused_then_gets_an_error_of_the_operation(serve, held):
    client = await serve()
    gate = client.engine.asks = TokenGate(held=held)
    async with dial(client) as session:
        await session.init()
        await session.subscribe("{ me }")
        if held:
            await happens(gate.waiting)
            gate.release.set()
        message = await session.receive()
        assert (message["id"], message["type"]) == ("1", "error")
        (wrong,) = message["payload"]
        assert wrong["extensions"]["code"] == "UNAUTHENTICATED"
        assert wrong["extensions"]["reason"] == "CREDENTIALS_MISSING"
        client.engine.asks = None
        await session.subscribe("{ hello }")  # the id is free, and the socket open
        assert (await session.receive())["type"] == "next"


async def test_an_operation_that_is_completed_while_it_waits_is_not_run(serve):
    client = await serve()
    gate = client.engine.asks = TokenGate(held=True)
    async with dial(client) as session:
        await session.init(**BEARER)
        await session.subscribe("mutation { add(n: 1) }")
        await happens(gate.waiting)
        await session.send(type="complete", id="1")
        assert await session.until_pong() == []
        gate.release.set()
        assert await session.until_pong() == []
    assert gate.cancelled == 1
    assert client.engine.added == []
