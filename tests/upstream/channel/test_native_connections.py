"""How many connections the native channel has: one, or as many as its calls need."""

import asyncio

import pytest

from gateway.call import Call, Deadline
from gateway.upstream.channel import State, native
from gateway.upstream.channel.native import NativeChannel
from tests.upstream.clients import Client, failure, opened, stream_failure, unary, until
from tests.upstream.servers import (
    answer,
    answering,
    goaway,
    message,
    peers,
    settings,
)

METHOD = "test.Echo/Call"
MAX_STREAMS = 3


def soon(seconds=0.2):
    return Deadline(asyncio.get_running_loop().time() + seconds)


def call(request=b"x", **arguments):
    return Call(METHOD, request, **arguments)


def starts(channel, count, **arguments):
    return [
        asyncio.ensure_future(unary(channel, call(b"%d" % n, **arguments))) for n in range(count)
    ]


# MAX_CONCURRENT_STREAMS.


async def silent(peer):
    await peer.closed.wait()


@pytest.mark.parametrize("most", [1, 3])
async def test_no_connection_carries_more_streams_than_it_allows(most):
    async with (
        peers(silent, {MAX_STREAMS: most}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        calls = starts(channel, 10)
        needed = -(-10 // most)
        last = await servers.at(needed - 1)
        await until(lambda: sum(len(peer.heard(1)) for peer in servers.all) == 10)
        assert max(len(peer.heard(1)) for peer in servers.all) == most
        assert len(servers.all) == needed
        for peer in servers.all:
            for kind, _, stream, _ in tuple(peer.frames):
                if kind == 1:
                    peer.say(answer(stream, b"hi"))
        await asyncio.gather(*calls)
        assert channel.state is State.READY
        assert not last.closed.is_set()


async def test_waiting_calls_are_sent_in_the_order_in_which_they_came(monkeypatch):
    monkeypatch.setattr(native, "MOST_CONNECTIONS", 1)
    async with (
        peers(answering, {MAX_STREAMS: 1}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        replies = await asyncio.gather(*starts(channel, 20))
        assert len(replies) == 20
        (peer,) = servers.all
        assert peer.heard(0) == [message(b"%d" % n) for n in range(20)]


async def test_a_waiting_call_ends_at_its_deadline_or_when_it_is_cancelled(monkeypatch):
    monkeypatch.setattr(native, "MOST_CONNECTIONS", 1)
    async with (
        peers(silent, {MAX_STREAMS: 1}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        first, second = starts(channel, 2)
        peer = await servers.at(0)
        await peer.until(lambda: peer.heard(0))
        client = Client(METHOD, [b"x"], deadline=soon())
        assert (await failure(channel, call(deadline=soon()))).reason == "DEADLINE_EXCEEDED"
        assert (await stream_failure(channel, client)).reason == "DEADLINE_EXCEEDED"
        assert client.taken == 0
        channel.start(call(), lambda _: pytest.fail("it was cancelled"))()
        assert channel.pending == 2
        peer.say(answer(1, b"hi"))
        await first
        await peer.until(lambda: len(peer.heard(0)) == 2)
        peer.say(answer(3, b"hi"))
        await second
        assert peer.heard(0) == [message(b"0"), message(b"1")]
    assert channel.pending == 0


async def test_a_peer_that_allows_no_streams_is_not_stormed():
    """Zero says that it takes none now (RFC 9113, 5.1.2), and not that it is alone to blame."""
    async with (
        peers(silent, {MAX_STREAMS: 0}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        error = await failure(channel, call(deadline=soon(0.5)))
        assert error.reason == "DEADLINE_EXCEEDED"
        assert len(servers.all) <= 4


async def test_a_peer_that_allows_streams_later_gets_the_calls_that_wait():
    async with (
        peers(answering, {MAX_STREAMS: 0}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        calls = starts(channel, 3)
        peer = await servers.at(0)
        await peer.until(lambda: len(peer.heard(4)) == 2)
        peer.say(settings({MAX_STREAMS: 100}))
        await asyncio.gather(*calls)
        assert peer.heard(0) == [message(b"%d" % n) for n in range(3)]


async def test_connections_that_a_crowd_needed_are_closed_when_it_has_gone(monkeypatch):
    monkeypatch.setattr(native, "_IDLE_SECONDS", 0.05)
    async with (
        peers(silent, {MAX_STREAMS: 1}) as servers,
        opened(NativeChannel, servers.endpoint) as channel,
    ):
        calls = starts(channel, 4)
        await servers.at(3)
        await until(lambda: sum(len(peer.heard(0)) for peer in servers.all) == 4)
        busy, *others = servers.all
        for peer in others:
            peer.say(answer(1, b"hi"))
        for peer in others[:-1]:
            await peer.closed.wait()
        await until(lambda: len(servers.open) == 1 or len(channel._connections) == 2)
        busy.say(answer(1, b"hi"))
        await asyncio.gather(*calls)
        await until(lambda: len(servers.open) == 1)
        assert channel.state is State.READY
        assert len(servers.all) == 4


async def test_as_many_connections_as_are_asked_for_share_the_calls():
    async with (
        peers(answering) as servers,
        opened(NativeChannel, servers.endpoint, connections=3) as channel,
    ):
        await servers.at(2)
        await until(lambda: len(channel._connections) == 3)
        await asyncio.gather(*starts(channel, 30))
        assert [len(peer.heard(1)) for peer in servers.all] == [10, 10, 10]


async def test_one_of_several_connections_that_ends_is_replaced():
    async with (
        peers(answering) as servers,
        opened(NativeChannel, servers.endpoint, connections=2) as channel,
    ):
        first = await servers.at(0)
        await until(lambda: len(channel._connections) == 2)
        first.say(goaway(0, 0))
        await first.closed.wait()
        await unary(channel, call())
        await servers.at(2)
        await until(lambda: len(channel._connections) == 2)
