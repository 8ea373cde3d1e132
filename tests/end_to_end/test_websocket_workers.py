"""Sessions of a gateway with two workers: a client comes back to either, and finds its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import signal
import stat
import tempfile
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from unittest import mock

import pytest
import yaml

from tests.cli.processes import gateway
from tests.cli.several import Gateway, accepted_inode, open_files, until
from tests.end_to_end.cuts import cutting
from tests.end_to_end.resuming import Resuming, Talk
from tests.end_to_end.sockets import DIGEST, DOWNLOAD, JOIN, STOCK, WATCH, bare, config
from tests.end_to_end.system import reason_of

PIECES = {"path": "samples/noise.bin", "size": "7000000", "pieceSize": 700_000}
RESUME = {"features": ["resume"]}


@contextmanager
def two_workers(shop, folder, **settings):
    """A gateway of two workers; its socket folder is below `folder`."""
    given = config(shop, resume="60s") | {"workers": 2}
    given["listener"] |= settings.pop("listener", {})
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(given | settings))
    with gateway("serve", cwd=folder) as serving:
        yield Gateway(serving)


@contextmanager
def short_folder():
    # Not pytest's: a Unix socket's path has about a hundred bytes.
    with (
        tempfile.TemporaryDirectory(prefix="w-") as name,
        mock.patch.dict(os.environ, {"TMPDIR": name}),
    ):
        yield Path(name)


@pytest.fixture
def folder():
    with short_folder() as each:
        yield each


@pytest.fixture(scope="module")
def running(shop):
    """A gateway whose workers live."""
    with short_folder() as here, two_workers(shop, here) as each:
        yield each


@pytest.fixture
def mortal(shop, folder):
    """A gateway whose workers may be killed."""
    with two_workers(shop, folder) as each:
        yield each


def meeting(folder):
    """Where the workers meet."""
    (found,) = folder.glob("gateway-*")
    return found


def links(running):
    """How many Unix sockets each worker has open."""
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    every = {f"socket:[{line.split()[6]}]" for line in lines}
    return {number: len(open_files(pid) & every) for number, pid in running.workers.items()}


def owner_of(client):
    return int(client.welcome["session"].partition(".")[0])


def worker_of(running, client):
    """The worker that accepted a socket's connection."""
    port = client.websocket.transport.get_extra_info("sockname")[1]
    inode = accepted_inode(running.port, port)
    return next(n for n, pid in running.workers.items() if f"socket:[{inode}]" in open_files(pid))


@asynccontextmanager
async def silent(running, worker):
    """A socket at a worker that has said nothing yet."""
    for _ in range(200):
        async with bare(running.url) as client:
            if worker_of(running, client) == worker:
                yield client
                return
    raise AssertionError(f"no connection of 200 went to worker {worker}")


@asynccontextmanager
async def at(running, worker, **hello):
    """A socket at a worker, after its `welcome`."""
    async with silent(running, worker) as client:
        await client.say("hello", **hello)
        client.welcome = await client.of(None)
        assert client.welcome["t"] == "welcome"
        yield client


async def cut(client):
    client.websocket.transport.abort()
    await client.closed()


def coming_back(client, **seen):
    """What a hello says to go on with the session of another socket: `_1=7` has seen 7 of 1."""
    numbers = {name.removeprefix("_"): seq for name, seq in seen.items()}
    return {
        **RESUME,
        "session": client.welcome["session"],
        "seen": numbers,
        "granted": dict.fromkeys(numbers, 64),
    }


@asynccontextmanager
async def relayed(running, owner=1):
    """A socket with a chat at the worker that does not own its session."""
    async with at(running, owner, **RESUME) as before:
        assert owner_of(before) == owner
        assert await before.joined() == 1
        await cut(before)
    async with at(running, 3 - owner, **coming_back(before, _1=2)) as client:
        assert client.welcome["session"] == before.welcome["session"]
        assert [each["id"] for each in client.welcome["resumed"]] == [1]
        client.goes_on_with(before)
        yield client


async def says(client, number):
    """Has a number come back through the chat of a session that is resumed."""
    await client.say("message", id=1, seq=number, body={"ping": str(number)})
    while (await client.message(1)).get("pong") != str(number):
        pass


# Coming back.


async def test_a_session_is_gone_on_with_at_either_worker(running):
    async with relayed(running, 1) as client, relayed(running, 2) as other:
        for number in range(1, 20):
            await says(client, number)
            await says(other, number)


@pytest.mark.parametrize(("framing", "seed"), [("json", 1), ("proto", 2)])
async def test_60_cuts_lose_nothing_and_double_nothing(running, framing, seed):
    """Half of the sockets arrive at the other worker, by the kernel's choice."""
    each = 1000
    pings = [({"ping": str(number)} for number in range(1, each + 1)) for _ in range(2)]
    chats = [Talk(id_, JOIN, {"room": "lobby"}, pings[id_ - 1]) for id_ in (1, 2)]
    ticks = Talk(3, WATCH, {"interval": "0.001s", "count": each}, iter(()))
    session = Resuming(framing, [*chats, ticks])
    async with cutting(running.url, seed=seed, times=60, most=4000) as cuts:
        await session.run(cuts.url)
    assert cuts.left == 0
    assert session.resumptions > 30
    for talk in chats:
        pongs = [message["pong"] for message in talk.heard if "pong" in message]
        assert pongs == [str(number) for number in range(1, each + 1)]
    assert [tick["sequence"] for tick in ticks.heard] == [str(n) for n in range(1, each + 1)]
    assert {talk.status["code"] for talk in (*chats, ticks)} == {0}


async def test_what_is_said_right_behind_hello_comes_in_order(running):
    async with at(running, 1, **RESUME) as before:
        await before.joined()
        await cut(before)
    frames = [{"t": "hello", **coming_back(before, _1=2)}]
    frames += [
        {"t": "message", "id": 1, "seq": number, "body": {"ping": str(number)}}
        for number in range(1, 17)
    ]
    async with silent(running, 2) as client:
        client.goes_on_with(before)
        # In one piece, so that all of it is there before anybody looks at hello.
        protocol = client.websocket.protocol
        for frame in frames:
            protocol.send_text(json.dumps(frame).encode())
        client.websocket.transport.write(b"".join(protocol.data_to_send()))
        assert (await client.of(None))["session"] == before.welcome["session"]
        pongs = [(await client.message(1))["pong"] for _ in range(16)]
        assert pongs == [str(number) for number in range(1, 17)]


async def test_large_messages_are_relayed_both_ways(running):
    data = bytes(range(256)) * 2500
    async with relayed(running) as client:
        up = await client.open(DIGEST, {"data": base64.b64encode(data).decode()}, end=True)
        digest = await client.message(up)
        assert base64.b64decode(digest["sha256"]) == hashlib.sha256(data).digest()
        down = await client.open(DOWNLOAD, PIECES, end=True)
        pieces, status = await client.whole(down)
        assert [len(base64.b64decode(piece["data"])) for piece in pieces] == [700_000] * 10
        assert status["code"] == 0


async def test_many_sessions_are_relayed_at_once_and_leave_no_descriptor(running):
    before = links(running)

    async def use():
        async with bare(running.url) as client:
            await client.say("hello", **RESUME)
            client.welcome = await client.of(None)
            # All hear of each other's coming and going: 64 messages would not do.
            chat = await client.open(JOIN, {"room": "lobby"}, credit=1000)
            while "joined" not in await client.message(chat):
                pass
            await cut(client)
        for number in range(1, 5):
            async with bare(running.url) as back:
                hello = coming_back(client, _1=number + 1) | {"granted": {"1": 1000}}
                await back.say("hello", **hello)
                assert (await back.of(None))["session"] == client.welcome["session"]
                back.goes_on_with(client)
                await says(back, number)
                await cut(back)
        async with bare(running.url) as last:
            await last.say("hello", **coming_back(client))
            await last.of(None)

    await asyncio.gather(*(use() for _ in range(50)))

    await asyncio.to_thread(until, lambda: links(running) == before)


@pytest.mark.parametrize(
    "session", ["3.f", "9999.f", "01.f", "\u0661.f", "1" * 5000 + ".f", "1.f", "2.f", "../1.f"]
)
async def test_a_forged_session_is_lost(running, session):
    for worker in (1, 2):
        hello = {**RESUME, "session": session, "seen": {"5": 1}}
        async with at(running, worker, **hello) as client:
            assert owner_of(client) == worker
            assert client.welcome["lost"] == [5]


# Ends of workers.


async def test_a_client_whose_owner_dies_is_sent_away_and_told_that_its_streams_are_lost(mortal):
    async with relayed(mortal, 1) as client:
        await says(client, 1)
        os.kill(mortal.workers[1], signal.SIGKILL)
        frames, code, reason = await client.all()
        assert [each for each in frames if each["t"] != "credit"] == []
        assert (code, reason) == (4000, "going away")
    await asyncio.to_thread(until, mortal.all_ready)
    for worker in (1, 2):
        async with at(mortal, worker, **coming_back(client, _1=3)) as back:
            assert back.welcome["session"] != client.welcome["session"]
            assert back.welcome["lost"] == [1]
    async with relayed(mortal, 1) as client:  # the next process meets the others too
        await says(client, 1)


async def test_a_client_whose_relay_dies_finds_its_session(mortal):
    async with relayed(mortal, 1) as client:
        await says(client, 1)
        os.kill(mortal.workers[2], signal.SIGKILL)
        assert await client.closed() == 1006
    for worker in (1, 2):
        await asyncio.to_thread(until, mortal.all_ready)
        async with at(mortal, worker, **coming_back(client, _1=3)) as back:
            assert back.welcome["session"] == client.welcome["session"]
            back.goes_on_with(client)
            (resumed,) = back.welcome["resumed"]
            assert resumed["seq"] == worker
            await says(back, worker + 1)
            await cut(back)


async def test_an_owner_that_does_not_answer_is_not_waited_for(mortal):
    async with at(mortal, 1, **RESUME) as client:
        await client.joined()
        await cut(client)
    pid = mortal.workers[1]
    async with silent(mortal, 2) as other:
        os.kill(pid, signal.SIGSTOP)
        try:
            await other.say("hello", **coming_back(client, _1=2))
            welcome = await other.of(None)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert welcome["lost"] == [1]
        assert welcome["session"].startswith("2.")


async def test_sigterm_gives_relayed_streams_their_time_and_leaves_nothing(shop, folder):
    with two_workers(shop, folder, listener={"drain_timeout": "2s"}) as running:
        place = meeting(folder)
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert sorted(each.name for each in place.iterdir()) == ["1.sock", "2.sock"]
        async with relayed(running, 1) as client, relayed(running, 2) as other:
            ticks = await client.open(WATCH, {"interval": "0.05s", "count": 10}, end=True)
            await client.message(ticks)
            running.serving.signal(signal.SIGTERM)
            for each in (client, other):
                goaway = await each.of(None)
                assert (goaway["t"], goaway["reason"]) == ("goaway", "draining")
            refused = await client.end(await client.open(STOCK, {}, end=True))
            assert reason_of(refused) == "DRAINING"
            await says(client, 1)
            assert (await client.end(ticks))["status"] == "OK"
            for each in (client, other):
                assert (await each.end(1))["status"] == "UNAVAILABLE"
                assert await each.closed() == 4000
        assert await asyncio.to_thread(running.serving.wait) == 0
        assert "Traceback" not in running.serving.errors()
    assert not place.exists()


async def test_a_supervisor_that_is_killed_leaves_no_folder(shop, folder):
    with two_workers(shop, folder, listener={"drain_timeout": "1s"}) as running:
        place = meeting(folder)
        async with relayed(running) as client:
            running.serving.signal(signal.SIGKILL)
            assert (await client.of(None))["t"] == "goaway"
            assert await client.closed() == 4000
        await asyncio.to_thread(until, lambda: not place.exists())


# Configs.


async def test_a_reload_leaves_relayed_sockets_and_new_streams_get_what_is_new(shop, folder):
    with two_workers(shop, folder) as running:
        async with relayed(running, 2) as client:
            path = folder / "gateway.yaml"
            given = yaml.safe_load(path.read_text())
            given["headers"]["response"]["allow"] = []
            told = await client.open(STOCK, {"productId": "p1"}, end=True)
            assert "x-replica" in names(await client.of(told))
            path.write_text(yaml.safe_dump(given))
            running.serving.signal(signal.SIGHUP)
            await asyncio.to_thread(running.serving.read_error, "reloaded: ")
            await says(client, 1)
            stock = await client.open(STOCK, {"productId": "p1"}, end=True)
            assert "x-replica" not in names(await client.of(stock))


async def test_sessions_that_may_not_be_resumed_any_more_begin_anew(shop, folder):
    with two_workers(shop, folder) as running:
        async with at(running, 1, **RESUME) as client:
            await client.joined()
            await cut(client)
        path = folder / "gateway.yaml"
        given = yaml.safe_load(path.read_text())
        del given["websocket"]["resume"]
        path.write_text(yaml.safe_dump(given))
        running.serving.signal(signal.SIGHUP)
        await asyncio.to_thread(running.serving.read_error, "reloaded: ")
        for worker in (1, 2):
            async with at(running, worker, **coming_back(client, _1=2)) as back:
                assert "resume_ms" not in back.welcome
                assert owner_of(back) == worker


async def test_a_folder_whose_name_is_too_long_costs_no_more_than_the_relay(
    shop, folder, monkeypatch
):
    long = folder / ("x" * 120)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    with two_workers(shop, folder) as running:
        said = running.serving.read_error("can't be resumed here")
        assert "too long" in said
        async with at(running, 1, **RESUME) as client:
            await client.joined()
            await cut(client)
        async with at(running, 2, **coming_back(client, _1=2)) as back:
            assert back.welcome["lost"] == [1]
        async with at(running, 1, **coming_back(client, _1=2)) as back:
            assert back.welcome["session"] == client.welcome["session"]


def names(frame):
    return [name for name, _ in frame.get("metadata", ())]
