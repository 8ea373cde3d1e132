"""One socket with its streams, between a client and backends; without a network."""

import asyncio
import gc
from itertools import pairwise

import pytest

from gateway.call import Code, Metadata, Principal, RpcError, Status
from gateway.errors import error
from gateway.fronts.websocket.driver import SocketDriver
from gateway.fronts.websocket.identity import Identity
from tests.fronts.websocket.drivers import PROTO, reply, text
from tests.fronts.websocket.plain.fakes import settled

FOREVER = 10**9


async def endless(call):
    number = 0
    while True:
        number += 1
        await call.send(text(str(number)))


async def nothing(call):
    await asyncio.Event().wait()


async def echo(call):
    while (message := await call.receive()) is not None:
        await call.send(message)


# Backpressure to the client.


async def test_without_credit_the_backend_is_read_no_further(world):
    it = world()
    client = it.dial()
    await client.hello()
    sent = []

    async def script(call):
        for number in range(10):
            await call.send(text(str(number)))
            sent.append(number)

    it.backends["Server"].script = script
    client.opens(1, "Server", "x", credit=2, end=True)
    await settled()
    assert client.hears() == ["message 1 0", "message 1 1"]
    assert sent == [0, 1]  # the third waits
    client.says("credit", id=1, n=1)
    await settled()
    assert client.hears() == ["message 1 2"]
    assert sent == [0, 1, 2]
    client.says("credit", id=1, n=100)
    await settled()
    assert client.hears()[-1] == "status 1 OK"


async def test_a_full_socket_holds_the_backend_back_too(world):
    it = world()
    client = it.dial(room=3)
    await client.hello()
    sent = []

    async def script(call):
        for number in range(10):
            await call.send(text(str(number)))
            sent.append(number)

    it.backends["Server"].script = script
    client.opens(1, "Server", "x", end=True)
    await settled()
    assert client.hears() == ["message 1 0", "message 1 1"]
    assert sent == [0, 1]
    client.socket.takes(1)
    await settled()
    assert client.hears() == ["message 1 2"]
    client.socket.takes(FOREVER)
    await settled()
    assert client.hears()[-1] == "status 1 OK"


async def test_streams_take_turns_on_a_socket_that_takes_little(world):
    it = world()
    client = it.dial(room=1)
    await client.hello()
    it.backends["Server"].script = endless
    client.socket.takes(1)
    await settled()
    for id_ in (1, 2):
        client.opens(id_, "Server", "x", end=True)
    heard = []
    for _ in range(20):
        await settled()
        client.socket.takes(1)
        await settled()
        heard += client.hears()
    ids = [line.split()[1] for line in heard]
    assert len(ids) >= 20
    assert all(one != other for one, other in pairwise(ids[1:]))


async def test_control_frames_come_before_what_streams_have_to_say(world):
    it = world()
    client = it.dial(room=2)
    await client.hello()
    it.backends["Server"].script = endless
    client.opens(1, "Server", "x", end=True)
    await settled()
    assert client.hears() == ["message 1 1"]
    client.says("ping", data="x")
    client.socket.takes(2)
    await settled()
    assert client.hears() == ["pong", "message 1 2"]


async def test_a_client_is_heard_however_much_there_is_to_write(world):
    """Its frames are read between two fillings of the socket."""
    it = world()
    client = it.dial(room=2)
    await client.hello()
    it.backends["Server"].script = endless
    for id_ in (1, 2):
        client.opens(id_, "Server", "x", end=True)
    await settled()
    for id_ in (1, 2):
        client.says("cancel", id=id_)
    for _ in range(3):
        client.socket.takes(1)
        await settled()
    assert it.backends["Server"].cancelled == 2
    client.socket.takes(FOREVER)
    await settled()
    assert client.hears()[-2:] == ["status 1 CANCELLED CANCELLED", "status 2 CANCELLED CANCELLED"]


# Backpressure to backends.


async def test_the_client_gets_no_credit_when_the_backend_does_not_take(world):
    it = world(limits={"credit": 4, "message_size": 100, "buffer": 1000})
    client = it.dial()
    await client.hello()
    go_on = asyncio.Event()

    async def script(call):
        await go_on.wait()
        while await call.receive() is not None:
            pass

    it.backends["Client"].script = script
    client.opens(1, "Client", "0")
    for number in range(4):
        client.sends(1, str(number))
    await settled()
    assert client.hears() == []
    go_on.set()
    await settled()
    assert client.hears() == ["credit 1 2", "credit 1 2"]


async def test_a_slow_stream_does_not_hold_its_neighbour_up(world):
    it = world(limits={"credit": 2})
    client = it.dial()
    await client.hello()
    it.backends["Client"].script = nothing
    it.backends["Bidi"].script = echo
    client.opens(1, "Client", "0")
    client.opens(2, "Bidi")
    for _ in range(2):
        client.sends(1, "x")
    for _ in range(20):
        client.sends(2, "y")
        await settled()
        client.says("credit", id=2, n=1)
    assert not client.socket.paused
    assert client.hears().count("message 2 y") == 20
    client.sends(1, "x")
    assert client.hears() == ["status 1 RESOURCE_EXHAUSTED FLOW_CONTROL"]


# Reading is paused, and always resumed.


async def test_reading_is_paused_while_the_socket_is_full(world):
    it = world()
    client = it.dial(room=2)
    await client.hello()
    it.backends["Server"].script = endless
    client.opens(1, "Server", "x", end=True)
    await settled()
    assert client.socket.paused
    client.socket.takes(2)
    await settled()
    assert client.socket.paused  # full again
    client.says("cancel", id=1)
    client.socket.takes(5)
    await settled()
    assert not client.socket.paused


async def test_reading_is_paused_while_finding_out_who_it_is(world):
    known = asyncio.Event()

    async def authenticate(credentials):
        await known.wait()
        return Identity()

    client = world(authenticate=authenticate).dial()
    client.says("hello")
    await settled()
    assert client.socket.paused
    assert client.hears() == []
    known.set()
    await settled()
    assert not client.socket.paused
    assert client.hears() == ["welcome"]
    known.clear()
    client.says("auth", token="x")
    await settled()
    assert client.socket.paused
    known.set()
    await settled()
    assert not client.socket.paused
    assert client.hears() == ["auth_ok for ever"]


async def test_reading_is_paused_by_the_pace_of_messages(world, hand_clock):
    client = world(rates={"messages": 10.0}).dial()
    await client.hello()
    for _ in range(12):
        client.says("pong")
    assert client.socket.paused
    assert len(client.socket.backlog) == 2
    hand_clock.turn(0.09)
    assert client.socket.paused
    for left in (1, 0):
        hand_clock.turn(0.1)
        await settled()
        assert len(client.socket.backlog) == left
        assert client.socket.paused  # by the one that was passed
    hand_clock.turn(0.1)
    assert not client.socket.paused


async def test_reading_is_paused_for_several_reasons_at_once(world, hand_clock):
    it = world(rates={"messages": 10.0})
    client = it.dial(room=11)
    await client.hello()
    for _ in range(10):
        client.says("ping")
    await settled()
    assert client.socket.paused
    hand_clock.turn(0.3)
    assert client.socket.paused  # it takes nothing
    client.socket.takes(5)
    await settled()
    assert not client.socket.paused


# Closes.


@pytest.mark.parametrize(
    ("frames", "code"),
    {
        "no frame": (["{"], 4400),
        "a frame before hello": (['{"t":"ping"}'], 4400),
        "hello twice": (['{"t":"hello"}', '{"t":"hello"}'], 4400),
    }.values(),
    ids=["no frame", "a frame before hello", "hello twice"],
)
async def test_broken_rules_close(world, frames, code):
    client = world().dial()
    for frame in frames:
        client.socket.receives(frame)
        await settled()
    assert client.ended == code
    assert client.hears() == ["welcome"] * (len(frames) - 1)


async def test_a_socket_without_hello_is_closed(world, hand_clock):
    client = world(times={"hello": 5.0}).dial()
    hand_clock.turn(5.0)
    assert client.ended == 4408


async def test_a_client_that_takes_nothing_is_closed(world):
    it = world(times={"stall": 7.0})
    client = it.dial(room=2)
    await client.hello()
    it.backends["Server"].script = endless
    client.opens(1, "Server", "x", end=True)
    await settled()
    seconds, stalled = client.socket.stall
    assert seconds == 7.0
    stalled()
    await settled()
    assert client.ended == 4001
    assert it.backends["Server"].cancelled == 1


async def test_pings_are_websockets_own_and_their_answers_count(world, hand_clock):
    client = world(times={"ping": 10.0}).dial()
    await client.hello()
    for number in range(1, 4):
        hand_clock.turn(10.0)
        assert len(client.socket.pings) == number
        client.socket.pings[-1](0.1)
    hand_clock.turn(20.0)
    assert client.ended == 4002


async def test_a_client_that_takes_nothing_is_not_asked(world, hand_clock):
    client = world(times={"ping": 10.0}).dial(room=1)
    await client.hello()
    hand_clock.turn(35.0)
    assert client.socket.pings == []
    assert client.ended is None


@pytest.mark.parametrize("how", ["drain", "max_age"])
async def test_a_socket_that_is_left_says_goaway_and_ends_after_its_streams(world, hand_clock, how):
    it = world(times={"max_age": 100.0, "ping": 1e6})
    client = it.dial()
    await client.hello()
    client.opens(1, "Unary", "x", end=True)
    if how == "drain":
        client.socket.drains()
    else:
        hand_clock.turn(100.0)
    assert client.hears() == ["goaway"]
    client.opens(2, "Unary", "x", end=True)
    assert client.hears() == ["status 2 UNAVAILABLE DRAINING"]
    assert client.ended is None
    it.backends["Unary"].done[0](reply("y"))
    assert client.hears() == ["message 1 y", "status 1 OK"]
    assert client.ended == 4000


async def test_streams_that_do_not_end_in_time_are_unavailable(world, hand_clock):
    it = world(times={"drain": 30.0})
    client = it.dial()
    await client.hello()
    it.backends["Bidi"].script = nothing
    client.opens(1, "Bidi")
    client.opens(2, "Unary", "x")
    client.socket.drains()
    await settled()
    hand_clock.turn(30.0)
    await settled()
    assert client.hears() == [
        "goaway",
        "status 1 UNAVAILABLE DRAINING",
        "status 2 UNAVAILABLE DRAINING",
    ]
    assert client.ended == 4000
    assert it.backends["Bidi"].cancelled == it.backends["Unary"].cancelled == 1


@pytest.mark.parametrize("code", [1000, 1001, 1006])
async def test_calls_are_cancelled_when_the_client_goes(world, code):
    it = world()
    client = it.dial()
    await client.hello()
    it.backends["Bidi"].script = nothing
    client.opens(1, "Bidi")
    client.opens(2, "Unary", "x")
    await settled()
    client.socket.goes(code)
    await settled()
    assert it.backends["Bidi"].cancelled == it.backends["Unary"].cancelled == 1


# Who the client is.


def provider(**known):
    async def authenticate(credentials):
        match known.get(credentials.token):
            case None:
                raise error("TOKEN_EXPIRED", "No such token.")
            case Exception() as failure:
                raise failure
            case subject, lasts:
                return Identity(Principal(subject, "test"), lasts)

    return authenticate


@pytest.mark.parametrize(
    ("headers", "token", "passed"),
    {
        "header": ([("authorization", "Bearer head")], None, "head"),
        "header before hello": ([("authorization", "Bearer head")], "said", "head"),
        "subprotocol": ([("sec-websocket-protocol", "bearer.aGVhZA, x")], None, "head"),
        "subprotocol before hello": (
            [("sec-websocket-protocol", "bearer.aGVhZA, x")],
            "said",
            "head",
        ),
        "hello": ([], "said", "said"),
    }.values(),
    ids=[
        "header",
        "header before hello",
        "subprotocol",
        "subprotocol before hello",
        "hello",
    ],
)
async def test_where_a_token_is_taken_from(world, headers, token, passed):
    it = world()
    client = it.dial(headers=headers)
    await client.hello(**({"token": token} if token else {}))
    client.opens(1, "Unary", "x")
    assert it.backends["Unary"].call.metadata.get("authorization") == f"Bearer {passed}"


async def test_auth_is_for_streams_that_are_opened_later(world):
    it = world()
    client = it.dial()
    await client.hello(token="one")
    client.opens(1, "Unary", "x")
    client.says("auth", token="two")
    await settled()
    assert client.hears() == ["auth_ok for ever"]
    client.opens(2, "Unary", "x")
    one, two = (each.metadata.get("authorization") for each in it.backends["Unary"].calls)
    assert (one, two) == ("Bearer one", "Bearer two")


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (error("TOKEN_EXPIRED", "No."), 4401),
        (error("INVALID_METADATA", "No."), 4401),
        (RpcError(Status(Code.PERMISSION_DENIED, "No.")), 4403),
        (error("AUTHENTICATION_UNAVAILABLE", "Nobody to ask."), 4004),
        (error("TOO_MANY_UNAUTHENTICATED", "Later."), 4004),
        (error("LOCKED_OUT", "Later."), 4004),
        (RpcError(Status(Code.UNKNOWN, "No.")), 1011),
        (ValueError("secret"), 1011),
    ],
    ids=[
        "unauthenticated",
        "no token",
        "denied",
        "unavailable",
        "address",
        "locked out",
        "unknown",
        "a bug",
    ],
)
@pytest.mark.parametrize("when", ["hello", "auth"])
async def test_who_is_not_known_is_closed(world, failure, code, when):
    it = world(authenticate=provider(good=("ann", None), bad=failure))
    client = it.dial()
    if when == "hello":
        assert await client.hello(token="bad") is None
    else:
        await client.hello(token="good")
        client.says("auth", token="bad")
        await settled()
    assert client.ended == code
    assert "secret" not in client.socket.ended[1]
    assert client.hears() == []


async def test_a_subprotocol_that_holds_no_token_closes_with_4401(world):
    client = world().dial(headers=[("sec-websocket-protocol", "bearer.!!")])
    assert await client.hello() is None
    assert client.ended == 4401


async def test_a_token_of_another_subject_closes_with_4403(world):
    it = world(authenticate=provider(a=("ann", None), b=("bob", None)))
    client = it.dial()
    await client.hello(token="a")
    client.opens(1, "Unary", "x")
    client.says("auth", token="b")
    await settled()
    assert client.ended == 4403
    assert it.backends["Unary"].cancelled == 1


async def test_a_token_that_expires(world, hand_clock):
    it = world(authenticate=provider(a=("ann", 100.0)), times={"ping": 1e6})
    client = it.dial()
    assert (await client.hello(token="a"))["token_s"] == 100
    it.backends["Bidi"].script = nothing
    client.opens(1, "Bidi")
    client.opens(2, "Unary", "x")
    await settled()
    hand_clock.turn(70.0)
    assert client.hears() == ["auth_expiring 30"]
    hand_clock.turn(30.0)
    assert client.hears() == [
        "status 1 UNAUTHENTICATED TOKEN_EXPIRED",
        "status 2 UNAUTHENTICATED TOKEN_EXPIRED",
    ]
    assert client.ended == 4003
    await settled()
    assert it.backends["Bidi"].cancelled == it.backends["Unary"].cancelled == 1


async def test_a_token_that_is_renewed_in_time(world, hand_clock):
    it = world(
        authenticate=provider(a=("ann", 100.0), b=("ann", 1000.0)),
        times={"ping": 1e6, "idle": 1e6},
    )
    client = it.dial()
    await client.hello(token="a")
    hand_clock.turn(90.0)
    client.says("auth", token="b")
    await settled()
    assert client.hears() == ["auth_expiring 30", "auth_ok 1000"]
    hand_clock.turn(900.0)
    assert client.ended is None


async def test_a_renewed_token_may_last_shorter(world, hand_clock):
    it = world(
        authenticate=provider(a=("ann", 1000.0), b=("ann", 60.0)), times={"ping": 1e6, "idle": 1e6}
    )
    client = it.dial()
    await client.hello(token="a")
    client.says("auth", token="b")
    await settled()
    hand_clock.turn(60.0)
    assert client.hears() == ["auth_ok 60", "auth_expiring 30"]
    assert client.ended == 4003


@pytest.mark.parametrize("resume", [0.0, 30.0], ids=["once", "resumable"])
async def test_a_socket_that_closes_while_its_client_is_looked_up_gets_no_session(
    world, hand_clock, resume
):
    known = asyncio.Event()

    async def authenticate(credentials):
        await known.wait()
        return Identity()

    it = world(authenticate=authenticate, resume=resume)
    client = it.dial()
    client.says("hello", features=["resume"])
    await settled()
    client.socket.drains()
    assert client.ended == 4000
    known.set()
    await settled()
    assert client.hears() == []
    assert it.sessions._known == {}


async def test_auth_while_one_is_checked(world):
    """Nothing is read meanwhile: they are checked one after the other."""
    known = asyncio.Event()
    asked = []

    async def authenticate(credentials):
        asked.append(credentials.token)
        await known.wait()
        return Identity()

    client = world(authenticate=authenticate).dial()
    known.set()
    await client.hello(token="a")
    known.clear()
    client.says("auth", token="b")
    client.says("auth", token="c")
    await settled()
    assert asked == ["a", "b"]
    known.set()
    await settled()
    assert asked == ["a", "b", "c"]
    assert client.hears() == ["auth_ok for ever"] * 2
    assert not client.socket.paused


# Nothing is left.


@pytest.mark.parametrize("how", ["goes", "is closed", "drains", "is slow"])
async def test_nothing_of_a_closed_socket_lives(world, hand_clock, how):
    others = {id(each) for each in gc.get_objects() if type(each) is SocketDriver}
    it = world(rates={"messages": 5.0})
    client = it.dial(room=4)
    await client.hello()
    it.backends["Bidi"].script = endless
    client.opens(1, "Bidi")
    client.opens(2, "Unary", "x")
    await settled()
    for _ in range(9):
        client.says("pong")
    match how:
        case "is closed":
            client.socket.receives("{")
        case "drains":
            client.socket.drains()
        case "is slow":
            client.socket.stall[1]()
    client.socket.goes()
    await settled()
    client.driver = None
    client.socket.tasks.clear()
    client.socket.stall = None
    for backend in it.backends.values():
        backend.calls.clear()
        backend.done.clear()
    gc.collect()
    left = [each for each in gc.get_objects() if type(each) is SocketDriver]
    assert {id(each) for each in left} <= others


# The other framing.


async def test_the_framing_of_protobuf(world):
    from gateway.v1 import websocket_pb2 as pb

    it = world()
    client = it.dial(framing=PROTO)
    client.socket.receives(pb.ClientFrame(hello={}).SerializeToString())
    await settled()
    it.backends["Unary"].at_once = reply("y", trailers=Metadata([("t-bin", b"\xff")]))
    said = pb.ClientFrame(open={"id": 1, "method": "t.S/Unary", "body": text("x"), "end": True})
    client.socket.receives(said.SerializeToString())
    _, message, status = (pb.ServerFrame.FromString(frame) for frame in client.socket.sent)
    assert message.message.body == text("y")
    assert it.backends["Unary"].call.request == text("x")
    (trailer,) = status.status.trailers
    assert (trailer.key, trailer.binary) == ("t-bin", b"\xff")
