"""The calls of streams: all four kinds, what they carry, and how they end."""

import asyncio
import logging
from dataclasses import replace

import pytest

from gateway.call import Code, Metadata, RpcError, Status
from gateway.errors import error
from gateway.routing.metadata import HeaderRules
from tests.fronts.websocket.drivers import reply, text
from tests.fronts.websocket.plain.fakes import settled


@pytest.fixture
async def it(world):
    return world()


@pytest.fixture
async def client(it):
    client = it.dial()
    await client.hello()
    return client


# Unary.


async def test_a_unary_call_rides_in_one_open(it, client):
    client.opens(1, "Unary", "x", end=True)
    backend = it.backends["Unary"]
    assert backend.call.request == text("x")
    assert (backend.call.method, backend.call.front) == ("t.S/Unary", "websocket")
    assert client.hears() == []
    backend.done[0](reply("y"))
    assert client.hears() == ["message 1 y", "status 1 OK"]


async def test_a_backend_may_answer_at_once(it, client):
    it.backends["Unary"].at_once = reply("y")
    client.opens(1, "Unary", "x", end=True)
    assert client.hears() == ["message 1 y", "status 1 OK"]
    client.says("cancel", id=1)
    assert it.backends["Unary"].cancelled == 0


async def test_a_backend_may_refuse_at_once(it, client):
    it.backends["Unary"].at_once = RpcError(Status(Code.NOT_FOUND, "None."))
    client.opens(1, "Unary", "x", end=True)
    assert client.hears() == ["status 1 NOT_FOUND"]


async def test_the_message_of_a_unary_call_may_come_later(it, client):
    client.opens(1, "Unary")
    assert it.backends["Unary"].calls == []
    client.sends(1, "x", end=True)
    assert it.backends["Unary"].call.request == text("x")


@pytest.mark.parametrize("kind", ["Unary", "Server"])
@pytest.mark.parametrize("at_once", [True, False], ids=["in open", "later"])
async def test_a_call_of_one_message_that_gets_none(it, client, kind, at_once):
    async def script(call):
        await call.receive()

    it.backends[kind].script = script
    client.opens(1, kind, end=at_once)
    if not at_once:
        await settled()
        client.says("message", id=1, end=True)
    await settled()
    assert client.hears() == ["status 1 INVALID_ARGUMENT MISSING_MESSAGE"]


async def test_a_second_message_to_a_unary_method(it, client):
    client.opens(1, "Unary", "x")
    client.sends(1, "z")
    assert client.hears() == ["status 1 INVALID_ARGUMENT UNEXPECTED_MESSAGE"]
    assert it.backends["Unary"].cancelled == 1


async def test_end_alone_after_the_message_of_a_unary_call(it, client):
    client.opens(1, "Unary", "x")
    client.says("message", id=1, end=True)
    it.backends["Unary"].done[0](reply("y"))
    assert client.hears() == ["message 1 y", "status 1 OK"]


async def test_a_unary_reply_waits_for_credit(it, client):
    client.opens(1, "Unary", "x", credit=0, end=True)
    it.backends["Unary"].done[0](reply("y", initial=Metadata([("a", "b")])))
    assert client.hears() == ["headers 1"]
    client.says("credit", id=1, n=1)
    assert client.hears() == ["message 1 y", "status 1 OK"]


async def test_headers_of_a_unary_call_only_if_there_is_something_in_them(it, client):
    client.opens(1, "Unary", "x", end=True)
    it.backends["Unary"].done[0](
        reply("y", initial=Metadata([("a", "b"), ("grpc-x", "no")]), headers={"Age": "3"})
    )
    headers, _, _ = client.hears_frames()
    assert headers == {"t": "headers", "id": 1, "metadata": [["age", "3"], ["a", "b"]]}


async def test_cancel_of_a_unary_call(it, client):
    client.opens(1, "Unary", "x", end=True)
    client.says("cancel", id=1)
    client.says("cancel", id=1)
    assert client.hears() == ["status 1 CANCELLED CANCELLED"]
    assert it.backends["Unary"].cancelled == 1


async def test_cancel_of_a_unary_call_whose_message_has_not_come(it, client):
    client.opens(1, "Unary")
    client.says("cancel", id=1)
    client.sends(1, "late")
    assert client.hears() == ["status 1 CANCELLED CANCELLED"]
    assert it.backends["Unary"].calls == []


# Streaming.


async def test_all_of_a_server_stream(it, client):
    async def script(call):
        assert await call.receive() == text("x")
        assert await call.receive() is None
        await call.start(Metadata([("a", "b")]))
        await call.send(text("1"))
        await call.send(text("2"))
        return Metadata([("c", "d")])

    it.backends["Server"].script = script
    client.opens(1, "Server", "x")  # it need not say end
    await settled()
    *lines, status = client.hears_frames()
    assert [each["t"] for each in lines] == ["headers", "message", "message"]
    assert status == {"t": "status", "id": 1, "code": 0, "status": "OK", "trailers": [["c", "d"]]}


@pytest.mark.parametrize("when", ["at once", "while it runs"])
async def test_a_second_message_to_a_server_stream(it, client, when):
    async def script(call):
        await call.receive()
        await call.receive()
        await asyncio.Event().wait()

    it.backends["Server"].script = script
    client.opens(1, "Server", "x")
    if when == "while it runs":
        await settled()
    client.sends(1, "y")
    await settled()
    assert client.hears() == ["status 1 INVALID_ARGUMENT UNEXPECTED_MESSAGE"]
    assert it.backends["Server"].ended == 1


async def test_a_client_that_broke_a_rule_need_grant_nothing_to_hear_of_it(it, client):
    async def script(call):
        await call.receive()
        await call.send(text("y"))

    it.backends["Server"].script = script
    client.opens(1, "Server", "x", credit=0)
    await settled()
    client.sends(1, "y")
    assert client.hears() == ["status 1 INVALID_ARGUMENT UNEXPECTED_MESSAGE"]


async def test_all_of_a_client_stream(it, client):
    heard = []

    async def script(call):
        while (message := await call.receive()) is not None:
            heard.append(message)
        await call.send(text(str(len(heard))))

    it.backends["Client"].script = script
    client.opens(1, "Client", "a")
    client.sends(1, "b")
    await settled()
    client.sends(1, "c", end=True)
    await settled()
    assert heard == [text("a"), text("b"), text("c")]
    assert client.hears()[-2:] == ["message 1 3", "status 1 OK"]


@pytest.mark.parametrize(
    ("replies", "words"),
    [(0, "without a reply"), (2, "more than one reply")],
    ids=["none", "two"],
)
async def test_a_client_stream_has_one_reply(it, client, replies, words):
    async def script(call):
        for number in range(replies):
            await call.send(text(str(number)))

    it.backends["Client"].script = script
    client.opens(1, "Client", "a", end=True)
    await settled()
    (status,) = client.hears_frames()
    assert (status["t"], status["status"]) == ("status", "INTERNAL")
    assert words in status["message"]


@pytest.mark.parametrize("kind", ["Unary", "Bidi"])
@pytest.mark.parametrize(
    "body",
    ['{"text":nul}', '{"text":"' + "[" * 100_001 + '"}', '{"v":' + "[" * 1200 + "]" * 1200 + "}"],
    ids=["no JSON", "much", "deep"],
)
async def test_a_body_that_is_none_ends_its_stream_alone(it, client, kind, body):
    async def script(call):
        await call.receive()

    it.backends[kind].script = script
    client.socket.receives('{"t":"open","id":1,"method":"t.S/' + kind + '","body":' + body + "}")
    await settled()
    assert client.hears()[-1].startswith("status 1 INVALID_ARGUMENT INVALID_")
    assert client.ended is None


async def test_both_sides_of_a_stream_end_on_their_own(it, client):
    async def script(call):
        while (message := await call.receive()) is not None:
            await call.send(message)
        await call.send(text("bye"))

    it.backends["Bidi"].script = script
    client.opens(1, "Bidi")
    await settled()
    for said in "ab":
        client.sends(1, said)
        await settled()
    client.says("message", id=1, end=True)
    await settled()
    told = [line for line in client.hears() if not line.startswith("credit")]
    assert told == ["message 1 a", "message 1 b", "message 1 bye", "status 1 OK"]


@pytest.mark.parametrize("moment", ["before it begins", "while it runs"])
async def test_cancel_of_a_stream(it, client, moment):
    async def script(call):
        await asyncio.Event().wait()

    it.backends["Bidi"].script = script
    client.opens(1, "Bidi")
    if moment == "while it runs":
        await settled()
    client.says("cancel", id=1)
    await settled()
    assert client.hears() == ["status 1 CANCELLED CANCELLED"]
    assert it.backends["Bidi"].ended == (moment == "while it runs")


async def test_cancel_while_a_message_waits_to_be_written(it, client):
    async def script(call):
        await call.send(text("1"))
        await call.send(text("2"))

    it.backends["Server"].script = script
    client.opens(1, "Server", "x", credit=1, end=True)
    await settled()
    assert client.hears() == ["message 1 1"]
    client.says("cancel", id=1)
    await settled()
    assert client.hears() == ["status 1 CANCELLED CANCELLED"]
    assert it.backends["Server"].cancelled == 1


async def test_a_backend_that_fails_after_messages(it, client):
    async def script(call):
        await call.send(text("1"))
        raise RpcError(
            Status(Code.ABORTED, "Enough."), metadata=Metadata([("x-why", "so"), ("grpc-y", "z")])
        )

    it.backends["Server"].script = script
    client.opens(1, "Server", "x", end=True)
    await settled()
    _, status = client.hears_frames()
    assert status == {
        "t": "status",
        "id": 1,
        "code": 10,
        "status": "ABORTED",
        "message": "Enough.",
        "trailers": [["x-why", "so"]],
    }


# What is no message.


@pytest.mark.parametrize("kind", ["Unary", "Bidi"])
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"text": 1}, "INVALID_ARGUMENT INVALID_BODY"),
        ({"nope": 1}, "INVALID_ARGUMENT INVALID_BODY"),
        ([], "INVALID_ARGUMENT INVALID_BODY"),
        (float("nan"), "INVALID_ARGUMENT INVALID_JSON"),
        ({"text": "x" * 100}, "RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE"),
    ],
    ids=["type", "name", "no object", "NaN", "size"],
)
@pytest.mark.parametrize("where", ["open", "message"])
async def test_a_body_that_does_not_fit_ends_its_stream_alone(world, kind, body, reason, where):
    async def script(call):
        while await call.receive() is not None:
            pass

    it = world(limits={"message_size": 50})
    it.backends[kind].script = script
    client = it.dial()
    await client.hello()
    if where == "open":
        client.says("open", id=1, method=f"t.S/{kind}", body=body)
    else:
        client.says("open", id=1, method=f"t.S/{kind}")
        client.says("message", id=1, body=body)
    await settled()
    assert client.hears() == [f"status 1 {reason}"]
    assert client.ended is None
    client.says("ping")
    assert client.hears() == ["pong"]


async def test_an_error_of_a_later_message_says_which(it, client):
    async def script(call):
        while await call.receive() is not None:
            pass

    it.backends["Client"].script = script
    client.opens(1, "Client", "a")
    client.says("message", id=1, body={"text": 1})
    await settled()
    status = client.hears_frames()[-1]
    assert status["message"].startswith("Message 2: ")


@pytest.mark.parametrize("kind", ["Unary", "Server"])
async def test_a_reply_that_is_none_is_internal(it, client, kind):
    async def script(call):
        await call.send(b"\xff")

    it.backends[kind].script = script
    client.opens(1, kind, "x", end=True)
    if kind == "Unary":
        it.backends[kind].done[0](reply("y").__class__(b"\xff"))
    await settled()
    assert client.hears() == ["status 1 INTERNAL INVALID_UPSTREAM_MESSAGE"]


async def test_a_method_that_is_not_served(client):
    client.says("open", id=1, method="t.S/Nope", body={})
    assert client.hears() == ["status 1 UNIMPLEMENTED METHOD_NOT_FOUND"]


@pytest.mark.parametrize("where", ["the call", "start"])
async def test_a_bug_is_internal_and_logged(it, client, caplog, monkeypatch, where):
    async def script(call):
        raise ValueError("secret")

    def start(call, done):
        raise ValueError("secret")

    it.backends["Bidi"].script = script
    monkeypatch.setattr(it.serving.methods["t.S/Unary"], "start", start)
    with caplog.at_level(logging.ERROR):
        client.opens(1, "Bidi" if where == "the call" else "Unary", "x")
        await settled()
    frames = client.hears_frames()
    assert [each["status"] for each in frames] == ["INTERNAL"]
    assert "secret" not in str(frames)
    assert [str(each.exc_info[1]) for each in caplog.records] == ["secret"]


async def test_many_requests_wait_for_no_flush_of_their_own(it, client):
    """A call that answers at once within an open that came while frames are written."""
    it.backends["Unary"].at_once = reply("y")
    for id_ in range(1, 60):
        client.opens(id_, "Unary", "x", end=True)
    assert client.hears() == [
        line for id_ in range(1, 60) for line in (f"message {id_} y", f"status {id_} OK")
    ]


# What calls carry.


async def carried(it, client, metadata=(), **more):
    client.opens(1, "Unary", "x", metadata=list(metadata), **more)
    calls = it.backends["Unary"].calls
    return calls[0] if calls else None


async def test_metadata_passes_as_headers_do(it, client):
    given = [["X-A", "1"], ["x-a", "2"], ["x-other", "no"], ["z-bin", "AP8="], ["z-bin", "AQ,Ag=="]]
    call = await carried(it, client, given)
    assert list(call.metadata.without("x-request-id")) == [
        ("x-a", "1"),
        ("x-a", "2"),
        ("z-bin", b"\0\xff"),
        ("z-bin", b"\1"),
        ("z-bin", b"\2"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "grpc-timeout",
        "content-type",
        "host",
        "te",
        ":path",
        "Connection",
        "sec-websocket-key",
        "ü",
        "a b",
        "",
        "x" + "\ud800",
    ],
)
async def test_names_of_http_and_grpc_end_the_stream(it, client, name):
    assert await carried(it, client, [[name, "1"]]) is None
    assert client.hears() == ["status 1 INVALID_ARGUMENT INVALID_METADATA"]


async def test_a_bin_value_that_is_not_base64_ends_the_stream(it, client):
    assert await carried(it, client, [["z-bin", "%"]]) is None
    assert client.hears() == ["status 1 INVALID_ARGUMENT INVALID_METADATA"]


@pytest.mark.parametrize("value", ["", "ü", "a\nb", "\x7f"])
async def test_a_value_that_metadata_cannot_hold_ends_the_stream(it, client, value):
    assert await carried(it, client, [["x-a", value]]) is None
    assert client.hears() == ["status 1 INVALID_ARGUMENT INVALID_METADATA"]


async def test_but_not_under_a_name_that_does_not_pass(it, client):
    assert await carried(it, client, [["x-other", "ü"]]) is not None


async def test_too_much_metadata_ends_the_stream(it, client):
    assert await carried(it, client, [["x-a", "v" * 17_000]]) is None
    assert client.hears() == ["status 1 INVALID_ARGUMENT HEADERS_TOO_LARGE"]


async def test_what_the_handshake_brought_goes_along_and_open_stands_in_its_place(world):
    rules = HeaderRules(["x-a", "x-b", "authorization"], response_allow=["*"])
    it = world(rules=rules, request_id_passes=False)
    client = it.dial(headers=[("x-a", "hand"), ("x-b", "hand"), ("x-c", "no")])
    await client.hello(token="t")
    call = await carried(it, client, [["x-a", "1"], ["x-a", "2"]])
    assert list(call.metadata) == [
        ("x-b", "hand"),
        ("authorization", "Bearer t"),
        ("x-a", "1"),
        ("x-a", "2"),
    ]


async def test_authorization_in_open_stands_in_place_of_the_token(world):
    it = world(request_id_passes=False)
    client = it.dial()
    await client.hello(token="t")
    call = await carried(it, client, [["Authorization", "Basic x"]])
    assert list(call.metadata) == [("authorization", "Basic x")]


@pytest.mark.parametrize("token", ["a\nb", "é", "a b", "x" * 20_000])
async def test_a_token_that_no_header_can_hold_closes_with_4401(world, token):
    it = world()
    client = it.dial()
    client.says("hello", token=token)
    await settled()
    assert client.ended == 4401
    client = it.dial()
    await client.hello()
    client.says("auth", token=token)
    await settled()
    assert client.ended == 4401


@pytest.mark.parametrize("name", ["x-request-id", "X-Request-Id"])
async def test_a_request_id_of_the_clients_names_the_call(it, client, name):
    call = await carried(it, client, [[name, "mine"]])
    assert call.request_id == call.metadata.get("x-request-id") == "mine"


async def test_each_call_has_a_request_id_of_its_own(it, client):
    client.opens(1, "Unary", "x")
    client.opens(2, "Unary", "x")
    one, two = (each.request_id for each in it.backends["Unary"].calls)
    assert one != two
    assert len(one) == len(two) == 32


async def test_trace_context_is_that_of_open_before_that_of_the_handshake(world):
    it = world()
    client = it.dial(headers=[("traceparent", "00-hand")])
    await client.hello()
    client.opens(1, "Unary", "x")
    client.opens(2, "Unary", "x", metadata=[["traceparent", "00-open"]])
    assert [each.traceparent for each in it.backends["Unary"].calls] == ["00-hand", "00-open"]


@pytest.mark.parametrize(
    ("handshake", "timeout_ms", "seconds"),
    [
        (None, None, None),
        (None, 1500, 1.5),
        ("2S", None, 2.0),
        ("2S", 1500, 1.5),
        ("1S", 1500, 1.0),
        (None, 2**53 - 1, (2**53 - 1) / 1000),
    ],
    ids=["none", "open", "handshake", "both", "both, the handshake's shorter", "the longest"],
)
async def test_deadlines(world, hand_clock, handshake, timeout_ms, seconds):
    it = world()
    client = it.dial(headers=[("grpc-timeout", handshake)] if handshake else [])
    await client.hello()
    hand_clock.turn(1.0)
    more = {} if timeout_ms is None else {"timeout_ms": timeout_ms}
    call = await carried(it, client, **more)
    expected = None if seconds is None else hand_clock.now + seconds
    assert (call.deadline and call.deadline.at) == expected


@pytest.mark.parametrize(
    ("headers", "more"),
    [([], {"timeout_ms": 0}), ([("grpc-timeout", "soon")], {})],
    ids=["no time at all", "a handshake's that is none"],
)
async def test_time_outs_that_are_none(world, headers, more):
    it = world()
    client = it.dial(headers=headers)
    await client.hello()
    assert await carried(it, client, **more) is None
    assert client.hears() == ["status 1 INVALID_ARGUMENT INVALID_TIMEOUT"]


async def test_errors_of_the_gateways_own_name_the_request(it, client, monkeypatch):
    it.backends["Unary"].at_once = error("STREAM_IDLE", "Slow.", headers={"Retry-After": "3"})
    client.opens(1, "Unary", "x", metadata=[["x-request-id", "mine"]])
    (status,) = client.hears_frames()
    info, request = status["details"]
    assert info["reason"] == "STREAM_IDLE"
    assert request["@type"].endswith("google.rpc.RequestInfo")
    assert status["trailers"] == [["retry-after", "3"]]


@pytest.mark.parametrize("name", ["authorization", "Authorization", "cookie", "x-key", "x_key"])
async def test_credentials_in_the_metadata_of_an_open_go_nowhere(world, name):
    rules = HeaderRules(["authorization", "cookie", "x-key", "x_key", "x-a"])
    it = world(rules=rules, request_id_passes=False)
    it.serving = replace(it.serving, credentials=frozenset({"authorization", "cookie", "x-key"}))
    client = it.dial(headers=[("authorization", "Bearer judged")])
    await client.hello()
    call = await carried(it, client, [(name, "forged"), ("x-a", "b")])
    assert list(call.metadata) == [("authorization", "Bearer judged"), ("x-a", "b")]
