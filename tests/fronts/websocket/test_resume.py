"""Sessions that outlive their sockets: coming back, too late, and as somebody else."""

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.call import Principal
from gateway.errors import error
from gateway.fronts.websocket.identity import Identity
from gateway.fronts.websocket.sessions import Sessions
from tests.fronts.websocket.drivers import PROTO, reply, text
from tests.fronts.websocket.plain.fakes import settled


async def counting(call):
    number = 0
    while True:
        number += 1
        await call.send(text(str(number)))


async def nothing(call):
    await asyncio.Event().wait()


@pytest.fixture
async def it(world):
    return world(resume=30.0, times={"ping": 1e6, "idle": 1e6})


async def began(it, **members):
    client = it.dial()
    welcome = await client.hello(features=["resume"], **members)
    return client, welcome


async def came_back(it, session, room=10**9, **members):
    """Says hello with a session; returns the client and the welcome, with what came after it."""
    client = it.dial(room=room)
    client.says("hello", features=["resume"], session=session, **members)
    await settled()
    if client.socket.ended is not None:
        return client, None
    return client, client.hears_frames()[0]


async def test_a_session_can_be_resumed_where_both_want_it(world):
    it = world(resume=30.0)
    _, welcome = await began(it)
    assert welcome["resume_ms"] == 30_000
    assert welcome["resumed"] == welcome["lost"] == []
    assert welcome["last_id"] == 0
    client = it.dial()
    assert "resume_ms" not in await client.hello()
    off = world().dial()
    assert "resume_ms" not in await off.hello(features=["resume"])


async def test_ids_of_sessions_are_secrets_of_128_bits(it):
    ids = [(await began(it))[1]["session"] for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(len(id_.partition(".")[2]) == 32 for id_ in ids)


async def test_streams_go_on(it):
    client, welcome = await began(it)
    it.backends["Bidi"].script = counting
    client.opens(1, "Bidi", credit=3)
    client.sends(1, "a", seq=1)
    await settled()
    assert client.hears() == ["message 1#1 1", "message 1#2 2", "message 1#3 3"]
    client.socket.goes()
    await settled()
    assert it.backends["Bidi"].ended == 0
    other, back = await came_back(it, welcome["session"], seen={"1": 2}, granted={"1": 5})
    assert back["session"] == welcome["session"]
    assert back["resumed"] == [{"id": 1, "seq": 1, "granted": 16}]
    assert (back["lost"], back["last_id"]) == ([], 1)
    assert [each["seq"] for each in _frames(other)] == [3, 4, 5]
    other.sends(1, "a", seq=1)  # again, in vain
    other.sends(1, "b", seq=2)
    assert len(it.backends["Bidi"].call.setting.stream.inflow.inbox) == 2


def _frames(client):
    return [each for each in _sent(client) if each["t"] == "message"]


async def test_what_ends_meanwhile_is_told_when_the_client_is_back(it):
    client, welcome = await began(it)
    client.opens(1, "Unary", "x", end=True)
    client.socket.goes()
    it.backends["Unary"].done[0](reply("y"))
    other, back = await came_back(it, welcome["session"], seen={"1": 0}, granted={"1": 64})
    assert back["resumed"] == [{"id": 1, "seq": 0, "granted": 16}]
    assert [frame["t"] for frame in _sent(other)] == ["welcome", "message", "status"]
    other.says("credit", id=1, n=0, seq=2)
    assert it.sessions.find(welcome["session"]).session.idle


def _sent(client):
    return [json.loads(frame) for frame in client.socket.sent]


async def test_streams_that_are_not_named_are_cancelled(it):
    client, welcome = await began(it)
    it.backends["Bidi"].script = nothing
    client.opens(1, "Bidi")
    client.opens(2, "Unary", "x")
    await settled()
    client.socket.goes()
    _, back = await came_back(it, welcome["session"], seen={"2": 0, "7": 1}, granted={"2": 64})
    await settled()
    assert [each["id"] for each in back["resumed"]] == [2]
    assert back["lost"] == [7]
    assert it.backends["Bidi"].cancelled == 1
    assert it.backends["Unary"].cancelled == 0


async def test_a_session_that_waited_too_long_is_gone(it, hand_clock):
    client, welcome = await began(it)
    it.backends["Bidi"].script = nothing
    client.opens(1, "Bidi")
    client.opens(2, "Unary", "x")
    await settled()
    client.socket.goes()
    hand_clock.turn(29.9)
    await settled()
    assert it.backends["Bidi"].cancelled == it.backends["Unary"].cancelled == 0
    hand_clock.turn(0.1)
    await settled()
    assert it.backends["Bidi"].cancelled == it.backends["Unary"].cancelled == 1
    _, back = await came_back(it, welcome["session"], seen={"1": 0, "2": 0})
    assert back["session"] != welcome["session"]
    assert (back["lost"], back["resumed"], back["last_id"]) == ([1, 2], [], 0)


async def test_a_session_waits_anew_after_each_socket(it, hand_clock):
    client, welcome = await began(it)
    for _ in range(5):
        client.socket.goes()
        hand_clock.turn(20.0)
        client, back = await came_back(it, welcome["session"])
        assert back["session"] == welcome["session"]
        hand_clock.turn(20.0)


@pytest.mark.parametrize("code", [1001, 1006, 1011, 4002])
async def test_a_session_outlives_closes_that_are_not_for_good(it, code):
    client, welcome = await began(it)
    client.socket.goes(code)
    _, back = await came_back(it, welcome["session"])
    assert back["session"] == welcome["session"]


@pytest.mark.parametrize("how", ["closed well", "a broken rule"])
async def test_a_session_ends_with_some_closes(it, how):
    client, welcome = await began(it)
    client.opens(1, "Unary", "x")
    if how == "closed well":
        client.socket.goes(1000)
    else:
        client.socket.receives("{")
    assert it.backends["Unary"].cancelled == 1
    _, back = await came_back(it, welcome["session"])
    assert back["session"] != welcome["session"]


async def test_a_client_may_come_back_before_its_socket_is_known_to_be_broken(it):
    client, welcome = await began(it)
    it.backends["Bidi"].script = counting
    client.opens(1, "Bidi", credit=2)
    await settled()
    other, back = await came_back(it, welcome["session"], seen={"1": 1}, granted={"1": 3})
    assert client.ended == 4000
    assert client.hears() == ["message 1#1 1", "message 1#2 2"]
    assert [each["seq"] for each in _frames(other)] == [2, 3]
    client.socket.goes()
    await settled()
    other.says("credit", id=1, n=1)
    await settled()
    assert [each["seq"] for each in _frames(other)] == [2, 3, 4]
    assert it.backends["Bidi"].cancelled == 0
    assert back["session"] == welcome["session"]


async def test_two_sockets_that_want_one_session_have_it_one_after_the_other(it):
    client, welcome = await began(it)
    one, two = it.dial(), it.dial()
    for each in (one, two):
        each.says("hello", features=["resume"], session=welcome["session"])
    await settled()
    assert [client.ended, one.ended, two.ended] == [4000, 4000, None]
    assert it.sessions.find(welcome["session"]).outlet is two.driver


async def test_coming_back_from_a_socket_that_was_full(it):
    client = it.dial(room=2)
    welcome = await client.hello(features=["resume"])
    it.backends["Server"].script = counting
    client.opens(1, "Server", "x", end=True)
    await settled()
    assert client.socket.paused
    other, _ = await came_back(it, welcome["session"], seen={"1": 0}, granted={"1": 4})
    assert [each["seq"] for each in _frames(other)] == [1, 2, 3, 4]
    assert not other.socket.paused


@pytest.mark.parametrize("still_open", [True, False], ids=["open", "broken"])
async def test_another_subject_is_not_let_in(world, still_open):
    async def authenticate(credentials):
        if credentials.token is None:
            raise error("TOKEN_EXPIRED", "None.")
        return Identity(Principal(credentials.token, "test"))

    it = world(resume=30.0, authenticate=authenticate)
    client, welcome = await began(it, token="ann")
    client.opens(1, "Unary", "x")
    if not still_open:
        client.socket.goes()
    thief, _ = await came_back(it, welcome["session"], token="bob", seen={})
    assert thief.ended == 4403
    nobody, _ = await came_back(it, welcome["session"])
    assert nobody.ended == 4401
    assert client.ended == (None if still_open else 1006)
    assert it.backends["Unary"].cancelled == 0
    _, back = await came_back(it, welcome["session"], token="ann", seen={"1": 0})
    assert [each["id"] for each in back["resumed"]] == [1]


async def test_callers_without_a_name_have_sessions_that_none_of_them_resumes(world):
    async def authenticate(_):
        return Identity(Principal("", "test"))

    it = world(resume=30.0, authenticate=authenticate)
    client, welcome = await began(it)
    assert "resume_ms" not in welcome
    client.opens(1, "Unary", "x")
    it.backends["Unary"].done[0](reply("y"))
    assert client.hears()[-1].startswith("status 1")
    client.socket.goes()
    _, back = await came_back(it, welcome["session"], seen={"1": 0})
    assert back["session"] != welcome["session"]


async def test_a_client_that_comes_back_with_a_new_token(it):
    client, welcome = await began(it, token="one")
    client.socket.goes()
    other, _ = await came_back(it, welcome["session"], token="two")
    other.opens(1, "Unary", "x")
    assert it.backends["Unary"].call.metadata.get("authorization") == "Bearer two"


async def test_an_expired_token_ends_streams_and_not_the_session(world, hand_clock):
    async def authenticate(credentials):
        return Identity(Principal("ann", "test"), lasts=100.0)

    it = world(resume=30.0, authenticate=authenticate, times={"ping": 1e6})
    client, welcome = await began(it)
    client.opens(1, "Unary", "x")
    client.opens(2, "Unary", "x", credit=0)
    it.backends["Unary"].done[1](reply("y"))
    hand_clock.turn(100.0)
    assert client.ended == 4003
    other, back = await came_back(
        it, welcome["session"], seen={"1": 0, "2": 0}, granted={"1": 64, "2": 1}
    )
    assert [each["id"] for each in back["resumed"]] == [1, 2]
    assert [
        (each["t"], each["id"], each["seq"], each.get("status"))
        for each in _sent(other)
        if "id" in each
    ] == [
        ("status", 1, 1, "UNAUTHENTICATED"),
        ("message", 2, 1, None),
        ("status", 2, 2, "OK"),
    ]


async def test_another_framing_finds_no_session(it):
    from gateway.v1 import websocket_pb2 as pb

    client, welcome = await began(it)
    client.socket.goes()
    other = it.dial(framing=PROTO)
    said = {"session": welcome["session"], "features": ["resume"], "seen": {3: 1}}
    other.socket.receives(pb.ClientFrame(hello=said).SerializeToString())
    await settled()
    (frame,) = map(pb.ServerFrame.FromString, other.socket.sent)
    assert frame.welcome.session != welcome["session"]
    assert list(frame.welcome.lost) == [3]


async def test_another_host_finds_no_session(it):
    it.hosts = {"other.example": replace(it.serving, methods={}), "same.example": it.serving}
    client = it.dial()
    session = (await client.hello(features=["resume"]))["session"]
    client.socket.goes()
    other = await it.dial(host="other.example").hello(features=["resume"], session=session)
    assert other["session"] != session
    same = await it.dial(host="same.example").hello(features=["resume"], session=session)
    assert same["session"] == session


async def test_without_the_feature_a_session_is_not_taken(it):
    client, welcome = await began(it)
    other = it.dial()
    back = await other.hello(session=welcome["session"], seen={"1": 2})
    assert back["session"] != welcome["session"]
    assert back["lost"] == [1]
    assert "resume_ms" not in back
    assert client.ended is None


@pytest.mark.parametrize("session", ["", "0.", "x" * 1000, "\ud800", "1.0"])
async def test_forged_sessions_are_gone(it, session):
    _, back = await came_back(it, session, seen={"9007199254740991": 9007199254740991})
    assert back["lost"] == [9007199254740991]
    assert back["resumed"] == []


async def test_forged_numbers_break_nothing(world):
    it = world(resume=30.0, limits={"session_buffer": 1000, "message_size": 100})
    client, welcome = await began(it)
    it.backends["Bidi"].script = counting
    client.opens(1, "Bidi", credit=1)
    await settled()
    most = 2**53 - 1
    other, back = await came_back(
        it, welcome["session"], room=500, seen={"1": most}, granted={"1": most, "5": most}
    )
    assert [each["id"] for each in back["resumed"]] == [1]
    # It has 2^31 - 1 of credit; what is not acknowledged is kept, up to a bound.
    session = it.sessions.find(welcome["session"]).session
    assert len(_frames(other)) == 499
    assert session._kept <= 1000
    other.says("cancel", id=1)
    other.socket.takes(5)
    await settled()
    assert it.backends["Bidi"].cancelled == 1
    # The frames that were kept no more are lost with the next socket, and the stream with them.
    _, back = await came_back(it, welcome["session"], seen={"1": 2}, granted={"1": most})
    assert back["lost"] == [1]


async def test_a_forged_seq_closes_with_4400_and_ends_the_session(it):
    client, welcome = await began(it)
    it.backends["Bidi"].script = nothing
    client.opens(1, "Bidi")
    client.sends(1, "x", seq=2**53 - 1)
    await settled()
    assert client.ended == 4400
    assert it.sessions.find(welcome["session"]) is None
    assert it.backends["Bidi"].ended == 0


@pytest.mark.parametrize("bound", ["most", "most_of_address"])
async def test_so_many_sessions_may_wait_and_the_oldest_goes_first(world, hand_clock, bound):
    sessions = Sessions(timer=hand_clock.call_later)
    setattr(sessions, bound, 2)
    it = world(resume=30.0, sessions=sessions)
    clients = [await began(it) for _ in range(4)]
    for number, (client, _) in enumerate(clients[:3], 1):
        client.opens(number, "Unary", "x")
        client.socket.goes()
    here = [it.sessions.find(welcome["session"]) is not None for _, welcome in clients]
    assert here == [False, True, True, True]
    assert it.backends["Unary"].cancelled == 1


@pytest.mark.parametrize(
    ("code", "waits"),
    [
        *((code, True) for code in (1001, 1005, 1006, 1011, 4001)),
        *((code, False) for code in (1000, 1002, 1007, 4413)),
    ],
)
async def test_a_session_waits_unless_its_client_is_done_or_broke_the_protocol(it, code, waits):
    client, welcome = await began(it)
    client.socket.goes(code)
    assert (it.sessions.find(welcome["session"]) is not None) is waits


async def test_a_session_that_came_back_from_another_address_counts_there(world, hand_clock):
    sessions = Sessions(timer=hand_clock.call_later)
    sessions.most_of_address = 1
    it = world(resume=30.0, sessions=sessions)
    client, welcome = await began(it)
    client.socket.goes()
    session = sessions.find(welcome["session"])
    sessions.attached(session)
    session.request.peer = "192.0.2.99"
    sessions.detached(session, 30.0)
    other, _ = await began(it)
    other.socket.goes()
    assert sessions.find(welcome["session"]) is session
    assert set(sessions._by_address) == {"192.0.2.99", "192.0.2.1"}
    sessions.close()
    assert not sessions._by_address


async def test_sessions_end_with_the_gateway(it):
    client, _ = await began(it)
    client.opens(1, "Unary", "x")
    client.socket.goes()
    it.sessions.close()
    assert it.backends["Unary"].cancelled == 1
