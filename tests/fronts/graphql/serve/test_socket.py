"""GraphQL over WebSocket on a real listener: operations of all kinds, slow and leaving clients."""

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from gateway.call import Code, RpcError, Status
from tests.fronts.graphql.serve.sockets import PATIENCE, Sockets, dial


@pytest.fixture
async def serve(start):
    """Starts a front with WebSockets: `serve(operations=1)`, with the fields of SocketOptions."""

    async def one(**options):
        sockets = Sockets(**options)
        client = await start(socket=sockets.handle)
        sockets.engine = client.engine
        client.clock = sockets.clock
        client.sockets = sockets
        return client

    return one


@pytest.fixture
async def client(serve):
    return await serve()


@pytest.fixture
async def session(client):
    """A session that is acknowledged."""
    async with dial(client) as one:
        await one.init()
        yield one


async def happens(event):
    async with asyncio.timeout(PATIENCE):
        await event.wait()


def following(id_, payload):
    return {"id": id_, "type": "next", "payload": payload}


def over(id_):
    return {"id": id_, "type": "complete"}


async def test_a_query(session):
    await session.subscribe("{ hello }")
    assert await session.receive() == following("1", {"data": {"hello": "Hello, you"}})
    assert await session.receive() == over("1")


async def test_a_mutation(session, client):
    await session.subscribe("mutation($n: Int!) { add(n: $n) }", variables={"n": 3})
    assert await session.receive() == following("1", {"data": {"add": 3}})
    assert await session.receive() == over("1")
    assert client.engine.added == [3]


async def test_a_subscription(session):
    await session.subscribe("subscription { count(to: 3) }")
    for number in (1, 2, 3):
        assert await session.receive() == following("1", {"data": {"count": number}})
    assert await session.receive() == over("1")


async def test_a_query_whose_answer_comes_in_parts(session):
    await session.subscribe("{ ... @later { hello } }")
    first, second, end = [await session.receive() for _ in range(3)]
    assert [first["payload"]["hasNext"], second["payload"]["hasNext"]] == [True, False]
    assert end == over("1")


async def test_one_id_after_another(session):
    for name in ("a", "b"):
        await session.subscribe("query($n: String) { hello(name: $n) }", variables={"n": name})
        assert await session.receive() == following("1", {"data": {"hello": f"Hello, {name}"}})
        assert await session.receive() == over("1")


async def test_many_at_once_are_all_answered(session):
    for number in range(50):
        await session.subscribe("{ hello }", name=f"{number}")
    found = [await session.receive() for _ in range(100)]
    assert [each["id"] for each in found if each["type"] == "complete"] == [
        f"{number}" for number in range(50)
    ]


async def test_a_field_that_fails_is_part_of_a_result(session):
    await session.subscribe("{ hello broken }")
    payload = (await session.receive())["payload"]
    assert payload["data"] == {"hello": "Hello, you", "broken": None}
    assert payload["errors"][0]["path"] == ["broken"]
    assert await session.receive() == over("1")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param("{", "GRAPHQL_PARSE_FAILED", id="no-document"),
        pytest.param("{ none }", "GRAPHQL_VALIDATION_FAILED", id="invalid"),
    ],
)
async def test_a_refused_request_has_an_error_and_nothing_more(session, query, code):
    await session.subscribe(query)
    found = await session.receive()
    assert (found["id"], found["type"]) == ("1", "error")
    assert found["payload"][0]["extensions"] == {"code": code}
    assert await session.until_pong() == []


async def test_a_stream_that_fails_ends_with_an_error(session, caplog):
    await session.subscribe("subscription { fails }")
    assert (await session.receive())["payload"] == {"data": {"fails": 1}}
    found = await session.receive()
    assert found["type"] == "error"
    assert found["payload"][0]["extensions"]["code"] == "INTERNAL"
    assert "secret" not in str(found)
    assert "a secret" in caplog.text
    assert await session.until_pong() == []


@pytest.mark.parametrize("failure", [RuntimeError("a secret"), RpcError(Status(Code.UNAVAILABLE))])
async def test_a_request_that_can_t_be_prepared_is_told_what_clients_may_know(
    session, client, failure
):
    client.engine.failure = failure
    await session.subscribe("{ hello }")
    found = await session.receive()
    assert found["type"] == "error"
    expected = "UNAVAILABLE" if isinstance(failure, RpcError) else "INTERNAL"
    assert found["payload"][0]["extensions"]["code"] == expected
    assert "secret" not in str(found)


async def test_the_headers_of_the_handshake_say_who_calls(client):
    async with dial(client, additional_headers={"Authorization": "a"}) as session:
        await session.init()
        await session.subscribe("{ hello }")
        await session.receive()
    ((_, caller),) = client.engine.requests
    assert caller.metadata.get("authorization") == "a"
    assert caller.front == "graphql"


async def test_the_time_of_an_operation_runs_from_its_subscribe(client):
    async with dial(client, additional_headers={"grpc-timeout": "5S"}) as session:
        await session.init()
        for at in (10, 20):
            client.clock.now = at
            await session.subscribe("{ hello }")
            await session.receive()
            await session.receive()
    assert [caller.deadline.at for _, caller in client.engine.requests] == [15, 25]


async def test_an_operation_is_served_by_what_is_current_when_it_begins(session, client, start):
    other = (await start()).engine
    other.payload = "!"
    await session.subscribe("{ hello }")
    assert (await session.receive())["payload"]["data"] == {"hello": "Hello, you"}
    await session.receive()
    client.sockets.engine = other
    await session.subscribe("{ hello }")
    assert (await session.receive())["payload"]["data"] == {"hello": "Hello, you!"}


async def test_complete_cancels_a_stream(session, client):
    client.engine.gate = asyncio.Event()
    await session.subscribe("subscription { endless }")
    await happens(client.engine.begun)
    await session.send(type="complete", id="1")
    await happens(client.engine.ended)
    assert client.engine.streams == 0
    assert await session.until_pong() == []


async def test_complete_cancels_a_query(session, client):
    await session.subscribe("{ never }")
    await happens(client.engine.begun)
    await session.send(type="complete", id="1")
    assert await session.until_pong() == []
    assert client.engine.cancelled == 1


async def test_a_client_that_goes_leaves_nothing_running(client):
    client.engine.gate = asyncio.Event()
    async with dial(client) as session:
        await session.init()
        await session.subscribe("{ never }", name="1")
        await session.subscribe("subscription { endless }", name="2")
        await session.until_pong()
        await happens(client.engine.begun)
        session.socket.transport.abort()
    await happens(client.engine.ended)
    assert (client.engine.streams, client.engine.cancelled) == (0, 1)
    assert client.clock.due == []


async def test_what_breaks_the_protocol_ends_all_operations(session, client):
    await session.subscribe("{ never }")
    await happens(client.engine.begun)
    await session.subscribe("{ hello }")
    assert await session.closed() == (4409, "Subscriber for 1 already exists")
    assert client.engine.cancelled == 1


async def test_one_operation_too_many(serve):
    client = await serve(operations=1)
    async with dial(client) as session:
        await session.init()
        await session.subscribe("{ never }", name="1")
        await session.subscribe("{ hello }", name="2")
        found = await session.receive()
        assert (found["id"], found["type"]) == ("2", "error")
        assert found["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        await session.send(type="complete", id="1")
        await session.subscribe("{ hello }", name="2")
        assert (await session.receive())["type"] == "next"


async def test_a_slow_client_slows_its_streams(session, client):
    await session.subscribe("subscription { endless }", name="x" * 256)  # in each message
    await session.receive()
    # The client reads no more of its socket: what is sent is bounded by buffers, and then stands.
    session.socket.transport.pause_reading()
    sent, still = -1, 0
    async with asyncio.timeout(PATIENCE):
        while still < 100:
            still = still + 1 if client.engine.sent == sent else 0
            sent = client.engine.sent
            await asyncio.sleep(0.001)  # lets the listener run
    assert client.engine.streams == 1
    session.socket.transport.resume_reading()
    for _ in range(sent + 10):
        await session.receive()
    assert client.engine.sent > sent
    session.socket.transport.abort()


@pytest.mark.parametrize(
    "offered", [None, ["graphql-ws"]], ids=["no-subprotocol", "the-one-of-old-clients"]
)
async def test_another_subprotocol_is_refused(client, offered):
    async with dial(client, subprotocols=offered) as session:
        assert session.socket.subprotocol is None
        assert await session.closed() == (4406, "Subprotocol not acceptable")


async def test_it_is_chosen_among_others(client):
    async with dial(client, subprotocols=["graphql-ws", "graphql-transport-ws"]) as session:
        assert session.socket.subprotocol == "graphql-transport-ws"
        await session.init()


async def test_connection_init_must_come_in_time(client):
    async with dial(client) as session:
        await session.until_pong()
        client.clock.turn(4.9)
        await session.until_pong()
        client.clock.turn(0.2)
        assert await session.closed() == (4408, "Connection initialisation timeout")


async def test_a_message_has_a_size(serve):
    client = await serve(message_size=1000)
    async with dial(client) as session:
        await session.init()
        await session.subscribe("{ hello }" + " " * 1000)
        assert (await session.closed())[0] == 1009


async def test_a_flood_of_pings_from_one_that_does_not_read_is_not_read(client):
    async with dial(client) as session:
        await session.init()
        session.socket.transport.pause_reading()
        ping = {"type": "ping", "payload": {"a": "x" * 50_000}}
        with pytest.raises(TimeoutError):  # where sending stalls, long before 100 MB
            for _ in range(2000):
                async with asyncio.timeout(1):
                    await session.send(**ping)
        session.socket.transport.resume_reading()
        assert (await session.receive())["payload"] == ping["payload"]
        session.socket.transport.abort()


async def test_a_client_that_answers_pings_stays(session, client):
    for _ in range(5):
        client.clock.turn(25)
        await session.until_pong()
    await session.subscribe("{ hello }")
    assert (await session.receive())["type"] == "next"


async def test_a_client_that_answers_no_ping_is_gone(client):
    client.engine.gate = asyncio.Event()
    async with dial(client) as session:
        await session.init()
        await session.subscribe("subscription { endless }")
        await happens(client.engine.begun)
        session.socket.transport.pause_reading()
        client.clock.turn(25)
        client.clock.turn(25)
        await happens(client.engine.ended)
        session.socket.transport.resume_reading()


async def test_the_gateway_leaves(session, client):
    client.engine.gate = asyncio.Event()
    await session.subscribe("{ never }", name="1")
    await session.subscribe("subscription { endless }", name="2")
    await happens(client.engine.begun)
    draining = asyncio.ensure_future(client.listener.drain(PATIENCE))
    async with asyncio.timeout(PATIENCE):
        while client.listener.urls and client.listener._bound:
            await asyncio.sleep(0)
    assert await session.until_pong() == []  # a result is on its way
    await session.send(type="complete", id="1")
    assert await session.closed() == (1001, "The gateway shuts down")
    assert await draining == 0
    assert client.engine.streams == 0


async def test_who_speaks_no_http_upgrade_gets_an_answer(client):
    answer = await client.send("GET", {"query": "{hello}"}, upgrade="websocket")
    assert answer.status in {400, 426}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"origin": "https://evil.example"}, id="another"),
        pytest.param({"origin": "null"}, id="none-to-tell"),
        pytest.param({"sec-fetch-site": "cross-site"}, id="another-that-is-not-named"),
    ],
)
async def test_a_page_of_another_origin_may_open_none(client, headers):
    with pytest.raises(InvalidStatus) as refused:
        async with dial(client, additional_headers=headers):
            pass
    assert refused.value.response.status_code == 403
    assert b"CROSS_SITE_REQUEST" in refused.value.response.body


async def test_a_page_of_the_gateways_own_origin_may(client):
    own = client.listener.urls[0]
    async with dial(client, origin=own) as session:
        await session.init()


async def test_a_page_of_an_origin_that_is_listed_may(serve):
    client = await serve(origins=("https://*.app.example",))
    async with dial(client, origin="https://eu.app.example") as session:
        await session.init()
