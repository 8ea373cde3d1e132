"""How long the native channel waits: for backends that end at once or read nothing; and what it tells."""

import asyncio

from hpack import Decoder as Hpack

from gateway.call import Call, Deadline
from gateway.upstream.channel import NotSentError, native, native_connection
from gateway.upstream.channel.native import NativeChannel
from gateway.upstream.spec import ChannelSpec
from tests.upstream.clients import Client, failure, opened, unary, until
from tests.upstream.servers import answer, frame, peers, settings

METHOD = "test.Echo/Call"
MAX_STREAMS = 3


def call(request=b"x", seconds=None):
    now = asyncio.get_running_loop().time()
    return Call(METHOD, request, deadline=None if seconds is None else Deadline(now + seconds))


def timeout_of(block):
    """The milliseconds of a request's `grpc-timeout`."""
    value = dict(Hpack().decode(block))["grpc-timeout"]
    assert value.endswith("m")
    return int(value[:-1])


async def ends_at_once(peer):
    peer.say(settings({MAX_STREAMS: 0}))
    await peer.until(lambda: peer.heard(4))


async def test_a_backend_that_ends_at_once_is_not_stormed_while_a_call_waits(monkeypatch):
    waits = []
    monkeypatch.setattr(native, "delay", lambda failures, _: waits.append(failures) or 0.05)
    async with (
        peers(ends_at_once, {MAX_STREAMS: 0}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        error = await failure(channel, call(seconds=0.5))
        connections = len(servers.all)
    assert error.reason == "DEADLINE_EXCEEDED"
    # Each wait is longer than the one before, as after attempts that failed.
    assert waits == list(range(1, len(waits) + 1))
    assert len(waits) >= connections - 1 > 1


async def test_a_connection_that_was_of_use_is_replaced_without_delay(monkeypatch):
    monkeypatch.setattr(native, "delay", lambda *_: 60.0)

    async def one_answer(peer):
        peer.say(answer(await peer.request(), b"hi"))
        await asyncio.sleep(0)

    async with peers(one_answer) as servers, opened(NativeChannel, servers.endpoint) as channel:
        for _ in range(3):
            assert (await unary(channel, call())).message == b"hi"
            await until(lambda: not channel._connections)
    assert len(servers.all) == 3


async def test_a_backend_that_talks_and_never_reads_is_left(monkeypatch):
    monkeypatch.setattr(native_connection, "_DEAF", 0.1)

    async def deaf(peer):
        peer.reading.clear()
        # Windows without end: all that is sent fills the sockets, and then our buffer.
        peer.say(settings({4: 2**31 - 1}), frame(8, 0, 0, (2**30).to_bytes(4, "big")))
        while not peer.closed.is_set():
            peer.say(frame(6, 0, 0, bytes(8)))
            await asyncio.sleep(0.01)

    async with (
        peers(deaf, {4: 2**31 - 1}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        await until(
            lambda: channel._connections and channel._connections[0].http.outgoing.window > 2**29
        )
        (connection,) = channel._connections
        calls = [asyncio.ensure_future(failure(channel, call(bytes(4_000_000)))) for _ in range(8)]
        errors = await asyncio.gather(*calls)
        assert connection.cause == "it does not read what it is sent"
    assert {error.reason for error in errors} <= {"UPSTREAM_RESET", "DRAINING"}


async def test_a_call_that_has_waited_tells_the_time_that_is_left(monkeypatch):
    monkeypatch.setattr(native, "MOST_CONNECTIONS", 1)

    async def slow(peer):
        first = await peer.request()
        await asyncio.sleep(0.2)
        peer.say(answer(first, b"hi"))
        while True:
            peer.say(answer(await peer.request(), b"hi"))

    async with (
        peers(slow, {MAX_STREAMS: 1}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        peer = await servers.at(0)
        running = [asyncio.ensure_future(unary(channel, call(seconds=60))) for _ in range(2)]
        client = Client(METHOD, [b"x"], deadline=call(seconds=60).deadline)
        stream = asyncio.ensure_future(channel.stream(client))
        await asyncio.gather(*running, stream)
        first, *waited = map(timeout_of, peer.heard(1))
    assert first <= 60_001
    # Those that waited for its answer have as much less.
    assert all(each <= 59_850 for each in waited)
    assert len(waited) == 2


async def test_a_crowd_that_waits_in_vain_is_told_one_and_all():
    async with peers(first=b"\x00garbage!" * 10) as servers:
        channel = NativeChannel(ChannelSpec(), servers.endpoint)
        answers = []
        for _ in range(1_000):
            channel.start(call(), answers.append)
        assert channel.pending == 1_000
        await until(lambda: len(answers) == 1_000)
        assert all(isinstance(answer, NotSentError) for answer in answers)
        assert channel.pending == 0
        await channel.close(0)
