"""Many calls at once on one channel, many of them given up."""

import asyncio
from random import Random

import pytest

from gateway.call import Call, Reply
from gateway.upstream.channel.native import NativeChannel
from tests.upstream.clients import opened, unary, until
from tests.upstream.servers import answer, backend, message, peers

CROWD = 1000


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_thousand_calls_are_cancelled_by_chance_and_the_rest_are_answered(make, seed):
    random = Random(seed)
    answers, over = {}, asyncio.Event()
    cancelled = set()

    async def slow(request, context):
        await asyncio.sleep(random.random() * 0.02)
        return request

    def done(number):
        def take(result):
            assert number not in answers
            assert number not in cancelled
            answers[number] = result
            if len(answers) + len(cancelled) == CROWD:
                over.set()

        return take

    async with backend(Slow=slow) as endpoint, opened(make, endpoint) as channel:
        await unary(channel, Call("test.Echo/Slow"))
        cancels = {}
        for number in range(CROWD):
            cancels[number] = channel.start(Call("test.Echo/Slow", b"%d" % number), done(number))
            if random.random() < 0.02:
                await asyncio.sleep(0)
        for number in random.sample(range(CROWD), CROWD // 2):
            if number not in answers:
                cancelled.add(number)
            cancels[number]()
            if random.random() < 0.05:
                await asyncio.sleep(random.random() * 0.005)
        if len(answers) + len(cancelled) < CROWD:
            await over.wait()
        assert channel.pending == 0
        assert cancelled
        for number, result in answers.items():
            assert isinstance(result, Reply)
            assert result.message == b"%d" % number
        assert (await unary(channel, Call("test.Echo/Slow", b"x"))).message == b"x"


async def test_a_unary_call_has_no_task():
    held = []

    async def scene(peer):
        while len(held) < CROWD:
            stream = await peer.request()
            held.append(stream)
        await peer.until(lambda: peer.heard(6))
        peer.say(b"".join(answer(stream, b"hi") for stream in held))
        await peer.closed.wait()

    replies = []
    async with peers(scene) as servers, opened(NativeChannel, servers.endpoint) as channel:
        peer = await servers.at(0)
        await until(lambda: channel._connections and channel._connecting is None)
        tasks = asyncio.all_tasks()
        for number in range(CROWD):
            channel.start(Call("test.Echo/Call", b"%d" % number), replies.append)
        assert channel.pending == CROWD
        await until(lambda: len(held) == CROWD)
        assert asyncio.all_tasks() == tasks
        assert peer.heard(0) == [message(b"%d" % number) for number in range(CROWD)]
        (connection,) = channel._connections
        connection.http.ping(b"whatever")
        connection.schedule()
        await until(lambda: len(replies) == CROWD)
        assert asyncio.all_tasks() == tasks
        assert channel.pending == 0
        assert connection.http.streams == {}
    assert {reply.message for reply in replies} == {b"hi"}


async def test_calls_that_are_cancelled_before_they_leave_send_nothing():
    async with peers() as servers, opened(NativeChannel, servers.endpoint) as channel:
        peer = await servers.at(0)
        await until(lambda: channel._connections)
        (connection,) = channel._connections
        window = connection.http.outgoing.window
        for cancel in [
            channel.start(Call("test.Echo/Call", bytes(10)), lambda _: None) for _ in range(CROWD)
        ]:
            cancel()
        assert connection.http.outgoing.window == window
        connection.http.ping(b"whatever")
        connection.schedule()
        await peer.until(lambda: peer.heard(6))
        assert peer.heard(1) == peer.heard(0) == peer.heard(3) == []
        assert channel.pending == 0
