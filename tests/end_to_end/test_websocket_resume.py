"""Sessions that outlive their sockets, through real cuts: nothing is lost, and nothing doubled."""

from __future__ import annotations

from itertools import repeat

import pytest

from tests.end_to_end.cuts import cutting
from tests.end_to_end.resuming import Resuming, Talk
from tests.end_to_end.sockets import COUNT, DOWNLOAD, JOIN, STOCK, WATCH, bare, config, socket
from tests.end_to_end.system import gateway, resident

COUNTED = {"warehouseId": "w1", "count": {"productId": "p1", "pieces": "7"}}
MIB = 1024 * 1024
FLOOD = {"path": "samples/noise.bin", "size": "104857600", "pieceSize": 65536}
RESUME = {"features": ["resume"]}


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("resuming")
    settings = config(shop, resume="60s")
    with gateway(folder, settings, module="tests.end_to_end.impatient") as each:
        yield each


# Cuts at random moments.


def pings(count):
    return ({"ping": str(number)} for number in range(1, count + 1))


@pytest.mark.parametrize(("framing", "seed", "most"), [("json", 1, 8000), ("proto", 2, 3000)])
async def test_200_cuts_lose_nothing_double_nothing_and_keep_the_order(
    served, backend, framing, seed, most
):
    """10,000 messages each way at least, of all kinds of stream, on one session."""
    each = 2500
    chats = [Talk(id_, JOIN, {"room": "lobby"}, pings(each)) for id_ in (1, 2, 3)]
    ticks = Talk(4, WATCH, {"interval": "0.001s", "count": each}, iter(()))
    counting = Talk(5, COUNT, COUNTED, repeat(COUNTED, each))
    before = {method: await backend.counts(f"/{method}") for method in (JOIN, WATCH, COUNT)}
    memory = resident(served.pid)
    session = Resuming(framing, [*chats, ticks, counting])
    async with cutting(served.url, seed=seed, times=200, most=most) as cuts:
        await session.run(cuts.url)
    assert cuts.left == 0
    assert session.resumptions > 100
    for talk in chats:
        pongs = [message["pong"] for message in talk.heard if "pong" in message]
        assert pongs == [str(number) for number in range(1, each + 1)]
    assert [tick["sequence"] for tick in ticks.heard] == [str(n) for n in range(1, each + 1)]
    assert [message["counted"] for message in counting.heard] == [each + 1]
    assert {talk.status["code"] for talk in (*chats, ticks, counting)} == {0}
    for method, count in zip((JOIN, WATCH, COUNT), (3, 1, 1), strict=True):
        after = await backend.counts(f"/{method}")
        assert after.started - before[method].started == count, "a call was made twice"
        assert after.completed - before[method].completed == count
    assert resident(served.pid) - memory < 32 * MIB


# Coming back.


async def cut(client):
    client.websocket.transport.abort()
    await client.closed()


def coming_back(client, *, seen, granted=None, **more):
    """What a hello says to go on with the session of another socket."""
    return {
        **RESUME,
        "session": client.welcome["session"],
        "seen": {str(id_): seq for id_, seq in seen.items()},
        "granted": {str(id_): n for id_, n in (granted or dict.fromkeys(seen, 64)).items()},
        **more,
    }


async def test_a_stream_that_ends_while_its_client_is_away_is_told_when_it_is_back(served, backend):
    before = await backend.counts(f"/{STOCK}")
    async with socket(served.url, **RESUME) as client:
        id_ = await client.faulty(STOCK, {"productId": "p1"}, end=True, delay="0.2s")
        await backend.until_started(f"/{STOCK}", before)
        await cut(client)
    await backend.until_gone(f"/{STOCK}", before)
    async with socket(served.url, **coming_back(client, seen={id_: 0})) as back:
        assert [each["id"] for each in back.welcome["resumed"]] == [id_]
        assert back.welcome["lost"] == []
        assert back.welcome["last_id"] == id_
        (stock,), status = await back.whole(id_)
        assert stock["productId"] == "p1"
        assert status["code"] == 0


async def test_what_was_not_acknowledged_is_sent_again_and_nothing_else(served):
    async with socket(served.url, **RESUME) as client:
        id_ = await client.open(WATCH, {"interval": "0.001s", "count": 20}, end=True)
        assert (await client.end(id_))["seq"] == 22
        await cut(client)
    async with socket(served.url, **coming_back(client, seen={id_: 15})) as back:
        back.goes_on_with(client)
        assert [(await back.of(id_))["seq"] for _ in range(7)] == list(range(16, 23))
        await back.say("credit", id=id_, n=0, seq=22)
        stock = await back.open(STOCK, {"productId": "p1"}, end=True)
        assert (await back.end(stock))["code"] == 0  # so what was said before it has arrived
        await cut(back)
    async with socket(served.url, **coming_back(client, seen={id_: 22})) as again:
        assert again.welcome["resumed"] == []


async def test_a_stream_that_is_not_named_is_cancelled(served, backend):
    before = [await backend.counts(f"/{method}") for method in (JOIN, WATCH)]
    async with socket(served.url, **RESUME) as client:
        chat = await client.joined()
        ticks = await client.open(WATCH, {"interval": "0.01s"}, end=True)
        await client.message(ticks)
        await cut(client)
    async with socket(served.url, **coming_back(client, seen={chat: 1})) as back:
        assert [each["id"] for each in back.welcome["resumed"]] == [chat]
        await backend.until_gone(f"/{WATCH}", before[1])
        assert (await backend.counts(f"/{JOIN}")).ended == before[0].ended


async def test_the_old_socket_of_a_session_that_is_taken_over_is_closed_and_its_calls_go_on(
    served, backend
):
    before = await backend.counts(f"/{JOIN}")
    async with socket(served.url, **RESUME) as client:
        id_ = await client.joined()
        for number in range(5):
            await client.say("message", id=id_, seq=number + 1, body={"ping": str(number)})
        while (frame := await client.of(id_)).get("body", {}).get("pong") != "4":
            pass
        async with socket(served.url, **coming_back(client, seen={id_: frame["seq"]})) as other:
            assert await client.closed() == 4000
            (resumed,) = other.welcome["resumed"]
            assert resumed["seq"] == 5
            other.goes_on_with(client)
            await other.say("message", id=id_, seq=5, body={"ping": "4"})  # it was there already
            await other.say("message", id=id_, seq=6, body={"ping": "5"})
            while (heard := await other.of(id_))["t"] == "credit":
                pass  # for what came over the socket before
            assert heard["seq"] == frame["seq"] + 1
            assert heard["body"]["pong"] == "5"
            assert (await backend.counts(f"/{JOIN}")).ended == before.ended


async def test_an_open_that_never_arrived_is_lost_and_higher_than_the_last_id(served):
    async with socket(served.url, **RESUME) as client:
        id_ = await client.joined()
        await cut(client)
    hello = coming_back(client, seen={id_: 2, id_ + 1: 0})
    async with socket(served.url, **hello) as back:
        assert back.welcome["last_id"] == id_
        assert back.welcome["lost"] == [id_ + 1]
        assert (await back.open(STOCK, {"productId": "p1"}, id=id_ + 1, end=True)) == id_ + 1
        assert (await back.end(id_ + 1))["code"] == 0


# Sessions that are gone.


async def test_a_session_that_nobody_knows_is_lost_with_all_its_streams(served):
    hello = {**RESUME, "session": "0." + "0" * 32, "seen": {"3": 1, "7": 0}}
    async with socket(served.url, **hello) as client:
        assert client.welcome["session"] != hello["session"]
        assert sorted(client.welcome["lost"]) == [3, 7]
        assert client.welcome["resumed"] == []
        assert client.welcome["last_id"] == 0
        id_ = await client.joined()
        await client.say("message", id=id_, seq=1, body={"ping": "1"})
        assert (await client.message(id_))["pong"] == "1"


async def test_a_client_that_is_too_late_finds_its_calls_cancelled_and_its_streams_lost(
    shop, backend, tmp_path
):
    before = await backend.counts(f"/{JOIN}")
    with gateway(tmp_path, config(shop, resume="200ms")) as served:
        async with socket(served.url, **RESUME) as client:
            assert client.welcome["resume_ms"] == 200
            id_ = await client.joined()
            await cut(client)
        await backend.until_gone(f"/{JOIN}", before)
        async with socket(served.url, **coming_back(client, seen={id_: 2})) as back:
            assert back.welcome["session"] != client.welcome["session"]
            assert back.welcome["lost"] == [id_]


async def test_a_client_that_says_goodbye_leaves_its_session(served, backend):
    before = await backend.counts(f"/{JOIN}")
    async with socket(served.url, **RESUME) as client:
        id_ = await client.joined()
    await backend.until_gone(f"/{JOIN}", before)
    async with socket(served.url, **coming_back(client, seen={id_: 2})) as back:
        assert back.welcome["lost"] == [id_]


async def test_a_session_without_the_feature_is_not_kept(served, backend):
    before = await backend.counts(f"/{JOIN}")
    async with socket(served.url) as client:
        assert "resume_ms" not in client.welcome
        await client.joined()
        await cut(client)
    await backend.until_gone(f"/{JOIN}", before)


# Whose session it is.


async def test_another_subject_cannot_have_a_session_and_its_own_can_with_any_token(served):
    async with socket(served.url, **RESUME, token="ann") as client:
        id_ = await client.joined()
        await cut(client)
    for token in ("bob", None):
        async with bare(served.url) as thief:
            hello = coming_back(client, seen={id_: 0})
            await thief.say("hello", **hello, **({"token": token} if token else {}))
            frames, code, _ = await thief.all()
            assert (frames, code) == ([], 4403)
    async with socket(served.url, **coming_back(client, seen={id_: 0}, token="ann!")) as back:
        assert [each["id"] for each in back.welcome["resumed"]] == [id_]


async def test_another_subject_cannot_take_over_an_open_one(served):
    async with socket(served.url, **RESUME, token="ann") as client:
        id_ = await client.joined()
        async with bare(served.url) as thief:
            await thief.say("hello", **coming_back(client, seen={id_: 0}, token="bob"))
            assert await thief.closed() == 4403
        await client.say("message", id=id_, seq=1, body={"ping": "1"})
        assert (await client.message(id_))["pong"] == "1"


async def test_a_new_token_must_be_of_the_same_subject(served):
    async with socket(served.url, token="ann") as client:
        id_ = await client.joined()
        await client.say("auth", token="ann!")
        assert (await client.of(None))["t"] == "auth_ok"
        await client.echo(id_, 1)
        await client.say("auth", token="bob")
        assert await client.closed() == 4403


async def test_a_token_that_is_not_good(served):
    async with bare(served.url) as client:
        await client.say("hello", token="1234")
        assert await client.closed() == 4401


# What is kept.


async def test_a_backend_waits_for_a_client_that_is_away_when_its_credit_is_used(served, backend):
    before = await backend.counts(f"/{DOWNLOAD}")
    memory = resident(served.pid)
    async with socket(served.url, **RESUME) as client:
        id_ = await client.open(DOWNLOAD, FLOOD, end=True, credit=2**31 - 1)
        await client.message(id_)
        await cut(client)
    async with socket(served.url) as other:
        await other.echoes(await other.joined(), 300)
    assert (await backend.counts(f"/{DOWNLOAD}")).ended == before.ended
    assert resident(served.pid) - memory < 32 * MIB
    async with socket(served.url, **coming_back(client, seen={})):
        await backend.until_gone(f"/{DOWNLOAD}", before)


async def test_a_client_that_acknowledges_nothing_takes_no_more_memory_for_it(served):
    """It has all the credit there is, and reads; but it never says what it has."""
    memory = resident(served.pid)
    async with socket(served.url, "proto", **RESUME) as client:
        id_ = await client.open(DOWNLOAD, FLOOD, end=True, credit=2**31 - 1)
        pieces, status = await client.whole(id_)
        assert len(pieces) == 1600
        assert status["code"] == 0
        assert resident(served.pid) - memory < 32 * MIB


async def test_a_stream_of_which_too_much_was_not_acknowledged_goes_on_and_cannot_come_back(
    served, backend
):
    before = await backend.counts(f"/{DOWNLOAD}")
    async with socket(served.url, "proto", **RESUME) as client:
        chat = await client.joined()
        id_ = await client.open(DOWNLOAD, FLOOD, end=True, credit=2**31 - 1)
        for _ in range(200):
            await client.of(id_)
        await cut(client)
    hello = coming_back(client, seen={chat: 2, id_: 1})
    async with socket(served.url, "proto", **hello) as back:
        assert back.welcome["lost"] == [id_]
        assert [each["id"] for each in back.welcome["resumed"]] == [chat]
        await backend.until_gone(f"/{DOWNLOAD}", before)
        back.goes_on_with(client)
        await back.say("message", id=chat, seq=1, body={"ping": "1"})
        assert (await back.message(chat))["pong"] == "1"


async def test_who_acknowledges_comes_back_to_a_stream_however_long_it_is(served):
    async with socket(served.url, "proto", **RESUME) as client:
        id_ = await client.open(DOWNLOAD, FLOOD, end=True)
        for number in range(400):
            frame = await client.of(id_)
            if number % 32 == 31:
                await client.say("credit", id=id_, n=32, seq=frame["seq"])
        await cut(client)
    hello = coming_back(client, seen={id_: frame["seq"]}, granted={id_: 64 + 32 * (400 // 32)})
    async with socket(served.url, "proto", **hello) as back:
        assert back.welcome["lost"] == []
        back.goes_on_with(client)
        assert (await back.of(id_))["seq"] == frame["seq"] + 1
