"""A channel that drains: what becomes of its calls when the backend ends the connection first.

So it is in a deployment: an endpoint leaves DNS, and its server says goodbye to who is still there.
"""

import asyncio
from contextlib import asynccontextmanager

import pytest

from gateway.call import Call
from gateway.upstream.channel import NotSentError, State
from gateway.upstream.channel.native import NativeChannel
from gateway.upstream.channel.queue import Queue
from gateway.upstream.spec import ChannelSpec
from tests.upstream.clients import Client, failure, stream_failure, unary, until
from tests.upstream.servers import answer, answering, goaway, peers, settings

METHOD = "test.Echo/Call"
MAX_STREAMS = 3


@asynccontextmanager
async def closing(channel):
    """Has a channel close for as long as its calls take."""
    task = asyncio.create_task(channel.close(60))
    await asyncio.sleep(0)
    try:
        yield
        await asyncio.wait_for(task, 5)
    finally:
        task.cancel()
        await asyncio.wait({task})
        await channel.close(0)


KINDS = {
    "unary": lambda channel: failure(channel, Call(METHOD, b"x")),
    "stream": lambda channel: stream_failure(channel, Client(METHOD)),
}
kinds = pytest.mark.parametrize("start", KINDS.values(), ids=KINDS)


@kinds
async def test_a_call_that_a_goaway_gives_back_goes_elsewhere_at_once(start):
    async with peers() as servers:
        channel = NativeChannel(ChannelSpec(), servers.endpoint)
        peer = await servers.at(0)
        await until(lambda: channel.state is State.READY)
        call = asyncio.create_task(start(channel))
        await peer.request()
        async with closing(channel):
            peer.say(goaway(0, 0))
            ended = await asyncio.wait_for(call, 5)
    assert isinstance(ended, NotSentError)
    assert ended.reason == "UPSTREAM_UNAVAILABLE"


@kinds
@pytest.mark.parametrize("end", [goaway(2**31 - 1, 0), None], ids=["it drains", "it is lost"])
async def test_a_call_that_waits_for_room_does_when_the_only_connection_ends(start, end):
    queue = Queue()
    async with peers(None, {MAX_STREAMS: 1}) as servers:
        channel = NativeChannel(ChannelSpec(), servers.endpoint, queue=queue)
        peer = await servers.at(0)
        await until(lambda: channel.state is State.READY)
        first = asyncio.create_task(failure(channel, Call(METHOD)))
        await peer.request()
        # A server that allows no streams is not given a further connection either.
        peer.say(settings({MAX_STREAMS: 0}))
        await until(lambda: not channel._connections[0].http.most_streams)
        second = asyncio.create_task(start(channel))
        await until(lambda: queue.waiting == 1)
        async with closing(channel):
            if end is None:
                peer.writer.close()
            else:
                peer.say(end)
            ended = await asyncio.wait_for(second, 5)
            assert queue.waiting == 0
            peer.writer.close()
            assert (await first).reason == "UPSTREAM_RESET"
    assert isinstance(ended, NotSentError)


async def test_one_that_another_connection_can_take_is_sent_there():
    async with peers() as servers:
        channel = NativeChannel(ChannelSpec(connections=2), servers.endpoint)
        await servers.at(1)
        await until(lambda: len(channel._connections) == 2)
        call = asyncio.create_task(unary(channel, Call(METHOD)))
        (peer,) = await until_one_is_asked(servers.all)
        (other,) = (each for each in servers.all if each is not peer)
        async with closing(channel):
            peer.say(goaway(0, 0))
            other.say(answer(await other.request(), b"hi"))
            assert (await call).message == b"hi"


async def until_one_is_asked(found):
    """Returns the peers that were asked, once one is."""
    await until(lambda: any(peer.heard(1) for peer in found))
    return [peer for peer in found if peer.heard(1)]


@kinds
async def test_no_call_comes_in(start):
    async with peers(answering) as servers:
        channel = NativeChannel(ChannelSpec(), servers.endpoint)
        await until(lambda: channel.state is State.READY)
        async with closing(channel):
            assert (await start(channel)).reason == "DRAINING"
