"""Calls that come before it is known where any endpoint is."""

import asyncio

import pytest

from gateway.call import Call, Deadline, Reply, RpcError
from gateway.errors import error
from gateway.upstream.attempts.counts import Counts
from gateway.upstream.channel.queue import Queue
from gateway.upstream.lobby import MOST, Lobby
from gateway.upstream.spec import BreakerSpec
from tests.upstream.clients import Client, until
from tests.upstream.fakes import FakeChannel, upstream_of


def nobody():
    return error("UPSTREAM_UNAVAILABLE", "The backend cannot be reached.")


class Begun:
    """What was started when it was let in."""

    def __init__(self):
        self.calls = []
        self.cancelled = []

    def __call__(self, call, done):
        self.calls.append(call)
        done(Reply(call.request))
        return lambda: self.cancelled.append(call)


def soon(seconds):
    return Deadline(asyncio.get_running_loop().time() + seconds)


async def test_calls_enter_in_the_order_in_which_they_came():
    lobby, begun, replies = Lobby(Queue(), Counts()), Begun(), []
    calls = [Call("m", request=bytes([number])) for number in range(3)]
    for call in calls:
        lobby.start(call, replies.append, begun)
    assert (len(lobby), lobby.queue.waiting, begun.calls) == (3, 3, [])
    lobby.admit()
    assert begun.calls == calls
    assert [reply.message for reply in replies] == [b"\0", b"\1", b"\2"]
    assert (len(lobby), lobby.queue.waiting) == (0, 0)


async def test_a_crowd_enters_in_turns_with_what_else_the_loop_has_to_do():
    lobby, begun, replies = Lobby(Queue(), Counts()), Begun(), []
    for _ in range(1000):
        lobby.start(Call("m"), replies.append, begun)
    lobby.admit()
    assert 0 < len(replies) < 1000
    await until(lambda: len(replies) == 1000)
    assert lobby.queue.waiting == 0


async def test_a_stream_goes_on_when_it_is_let_in():
    lobby = Lobby(Queue(), Counts())
    waiting = asyncio.ensure_future(lobby.stream(Client("m")))
    await until(lambda: len(lobby))
    lobby.admit()
    await waiting
    assert lobby.queue.waiting == 0


async def test_each_that_is_sent_away_hears_of_it_by_itself():
    lobby, ends = Lobby(Queue(), Counts()), []
    lobby.start(Call("m"), ends.append, Begun())
    lobby.start(Call("m"), ends.append, Begun())
    stream = asyncio.ensure_future(lobby.stream(Client("m")))
    await until(lambda: len(lobby) == 3)
    lobby.refuse(nobody)
    with pytest.raises(RpcError) as failure:
        await stream
    assert {end.reason for end in (*ends, failure.value)} == {"UPSTREAM_UNAVAILABLE"}
    assert len({*map(id, ends), id(failure.value)}) == 3
    assert (len(lobby), lobby.queue.waiting) == (0, 0)


async def test_a_call_waits_until_its_deadline_at_most():
    lobby, ends = Lobby(Queue(), Counts()), []
    lobby.start(Call("m", deadline=soon(0.01)), ends.append, Begun())
    lobby.start(Call("m", deadline=soon(3600)), ends.append, Begun())
    with pytest.raises(RpcError) as failure:
        await lobby.stream(Client("m", deadline=soon(0.02)))
    assert failure.value.reason == "DEADLINE_EXCEEDED"
    assert [end.reason for end in ends] == ["DEADLINE_EXCEEDED"]
    assert (len(lobby), lobby.queue.waiting) == (1, 1)
    lobby.refuse(nobody)


async def test_one_that_leaves_is_never_let_in():
    lobby, begun, ends = Lobby(Queue(), Counts()), Begun(), []
    leave = lobby.start(Call("m"), ends.append, begun)
    stream = asyncio.ensure_future(lobby.stream(Client("m")))
    await until(lambda: len(lobby) == 2)
    leave()
    stream.cancel()
    await asyncio.wait([stream])
    assert (len(lobby), lobby.queue.waiting) == (0, 0)
    lobby.admit()
    leave()
    assert (begun.calls, ends) == ([], [])


async def test_what_cancels_a_call_that_waits_cancels_it_under_way_too():
    lobby, begun, call = Lobby(Queue(), Counts()), Begun(), Call("m")
    cancel = lobby.start(call, lambda _: None, begun)
    lobby.admit()
    cancel()
    assert begun.cancelled == [call]


@pytest.mark.parametrize(
    ("most", "before", "reason"),
    [(2, 2, "CIRCUIT_OPEN"), (0, 0, "CIRCUIT_OPEN"), (None, MOST, "UPSTREAM_UNAVAILABLE")],
    ids=["by the circuit breaker", "by one that lets nobody wait", "without one"],
)
async def test_no_more_wait_than_may(most, before, reason):
    lobby, ends = Lobby(Queue(most), Counts()), []
    for _ in range(before):
        lobby.start(Call("m"), lambda _: None, Begun())
    lobby.start(Call("m"), ends.append, Begun())
    with pytest.raises(RpcError) as failure:
        await lobby.stream(Client("m"))
    assert [ends[0].reason, failure.value.reason] == [reason, reason]
    assert lobby.counts.refused == (2 if reason == "CIRCUIT_OPEN" else 0)
    assert lobby.queue.waiting == before
    lobby.refuse(nobody)
    await until(lambda: not len(lobby))


async def test_calls_of_the_upstream_that_wait_for_connections_count_too():
    queue, ends = Queue(1), []
    queue.waiting = 1
    Lobby(queue, Counts()).start(Call("m"), ends.append, Begun())
    assert ends[0].reason == "CIRCUIT_OPEN"
    assert queue.waiting == 1


async def test_each_call_is_counted_once_whatever_becomes_of_it():
    channel, ends = FakeChannel("a"), []
    upstream = upstream_of(channel, breaker=BreakerSpec(pending=4))
    lobby = upstream.lobby = Lobby(upstream.queue, upstream.counts)
    upstream.start(Call("m"), ends.append)
    streams = [asyncio.ensure_future(upstream.stream(Client("m")))]
    upstream.start(Call("m", deadline=soon(0.01)), ends.append)
    streams.append(asyncio.ensure_future(upstream.stream(Client("m", deadline=soon(0.01)))))
    await until(lambda: len(lobby) == 4)
    upstream.start(Call("m"), ends.append)
    with pytest.raises(RpcError):
        await upstream.stream(Client("m"))
    assert (upstream.counts.calls, upstream.counts.refused) == (6, 2)
    await until(lambda: len(lobby) == 2)
    upstream.update(upstream.spec.endpoints)
    await asyncio.wait(streams)
    assert [getattr(end, "reason", "OK") for end in ends] == [
        "CIRCUIT_OPEN",
        "DEADLINE_EXCEEDED",
        "OK",
    ]
    assert [stream.exception() is None for stream in streams] == [True, False]
    assert (upstream.counts.calls, upstream.counts.attempts) == (6, 2)


async def test_nothing_is_left_when_all_have_gone():
    loop = asyncio.get_running_loop()
    lobby = Lobby(Queue(), Counts())
    lobby.start(Call("m", deadline=soon(3600)), lambda _: None, Begun())
    timer = lobby._deadlines._timer
    lobby.refuse(nobody)
    assert timer.cancelled()
    assert loop is lobby._loop
