"""Each message of a stream is charged, either way."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.call import Metadata, RpcError
from gateway.policies.limits.delay import Room
from gateway.policies.limits.messages import MessageLimits
from gateway.policies.limits.refusal import Notes
from tests.policies.limits.limiting import (
    ADA,
    BOB,
    Clock,
    Later,
    by_plan,
    limit,
    limiter,
    settle,
)
from tests.policies.streams import Client


class Streams:
    """Streams whose backend says twice what it is told, under a limit of messages."""

    def __init__(self, *usual, wrap=lambda inner: inner, **plans):
        self.clock = Clock()
        self.received = []
        plans = by_plan(self.clock, *usual, **plans)
        inner = wrap(limiter(self.clock))
        self.policy = MessageLimits(plans, inner, Notes(self.clock), self.clock.sleep)

    async def backend(self, call):
        while (message := await call.receive()) is not None:
            self.received.append(message)
            await call.send(message)
            await call.send(message)
        return Metadata([("t", "1")])

    def run(self, *messages, principal=ADA, **given):
        client = Client("a.B/C", messages=list(messages), principal=principal, **given)
        return client, asyncio.ensure_future(self.policy.stream(client, self.backend))


async def test_messages_either_way_are_charged():
    streams = Streams(limit(rate=5))
    client, running = streams.run(b"1", b"2", b"3")
    with pytest.raises(RpcError) as ended:
        await running
    assert ended.value.reason == "RATE_LIMITED"
    assert streams.received == [b"1", b"2"]
    assert client.heard == [b"1", b"1", b"2"]


async def test_a_stream_within_its_limits_ends_as_its_backend_says():
    client, running = Streams(limit(rate=6)).run(b"1", b"2")
    assert await running == Metadata([("t", "1")])
    assert client.heard == [b"1", b"1", b"2", b"2"]


async def test_a_message_that_is_refused_never_arrives():
    streams = Streams(limit(rate=3))
    _, running = streams.run(b"1", b"2")
    with pytest.raises(RpcError):
        await running
    assert streams.received == [b"1"]


async def test_callers_have_their_own():
    streams = Streams(limit(rate=3))
    await streams.run(b"1")[1]
    await streams.run(b"1", principal=BOB)[1]


@pytest.mark.parametrize("wrap", [lambda inner: inner, Later], ids=["at once", "later"])
async def test_a_stream_is_slowed_down(wrap):
    room = Room()
    streams = Streams(limit(rate=1, period=1.0, patience=1.0, room=room), wrap=wrap)
    client, running = streams.run(b"1")
    await settle()
    assert (client.heard, room.waiting) == ([], 1)
    await streams.clock.advance(1)
    assert client.heard == [b"1"]
    await streams.clock.advance(1)
    await running
    assert (client.heard, room.waiting) == ([b"1", b"1"], 0)


async def test_a_stream_that_is_cancelled_as_it_waits_gives_its_place_back():
    room = Room()
    streams = Streams(limit(rate=1, period=1.0, patience=1.0, room=room))
    _, running = streams.run(b"1")
    await settle()
    running.cancel()
    await settle()
    assert room.waiting == 0


async def test_a_decision_is_awaited():
    streams = Streams(limit(rate=2), wrap=Later)
    client, running = streams.run(b"1")
    with pytest.raises(RpcError):
        await running
    assert client.heard == [b"1"]


async def test_a_plan_without_such_a_limit():
    streams = Streams()
    client, running = streams.run(b"1")
    await running
    assert client.heard == [b"1", b"1"]


async def test_dark_limits_end_no_stream(caplog):
    caplog.set_level(logging.INFO, "gateway.limits")
    client, running = Streams(limit(rate=1, dark=True)).run(b"1")
    await running
    assert client.heard == [b"1", b"1"]
    assert "would refuse a.B/C" in caplog.text


async def test_the_end_is_logged(caplog):
    caplog.set_level(logging.INFO, "gateway.limits")
    _, running = Streams(limit(rate=1)).run(b"1", peer="203.0.113.7")
    with pytest.raises(RpcError):
        await running
    assert 'ended the stream of a.B/C from 203.0.113.7: the limit "user"' in caplog.text
