"""With many endpoints down, a call is not the work of asking all of them."""

import socket

import pytest

from gateway.call import Call, Reply, StreamCall
from gateway.upstream.attempts.retryable import MOST_UNSEEN
from gateway.upstream.channel import NotSentError, State
from gateway.upstream.endpoints import Endpoint as Address
from gateway.upstream.spec import BalancingSpec, RetrySpec
from gateway.upstream.upstream import build
from tests.upstream.attempts.stage import NEVER, SAFE, Endpoint, unsent
from tests.upstream.clients import spec, until
from tests.upstream.fakes import Clock, upstream_of

MANY = 1000


class Down(Endpoint):
    """An endpoint that can't be reached."""

    def __init__(self, name):
        super().__init__(name)
        self.always = unsent()
        self.state = State.FAILING

    async def stream(self, call):
        self.asked.append(call)
        raise unsent()


class Streamed(StreamCall):
    async def receive(self):
        return None

    async def start(self, initial):
        raise AssertionError("nobody answers")

    async def send(self, message):
        raise AssertionError("nobody answers")


def all_down(policy="round_robin", **spec):
    endpoints = [Down(f"e{number}") for number in range(MANY)]
    clock = Clock()
    upstream = upstream_of(*endpoints, clock=clock, balancing=BalancingSpec(policy), **spec)
    return upstream, clock


@pytest.mark.parametrize("policy", ["round_robin", "least_request", "random", "pick_first"])
@pytest.mark.parametrize("manner", [SAFE, NEVER], ids=["a read", "a write"])
async def test_a_few_are_asked(policy, manner):
    upstream, _ = all_down(policy)
    ended = []
    upstream.taking(manner).start(Call("m"), ended.append)
    assert isinstance(ended[0], NotSentError)
    assert upstream.counts.attempts == upstream.counts.unsent == MOST_UNSEEN


async def test_as_many_others_are_after_each_wait():
    upstream, clock = all_down(retries=RetrySpec(attempts=3))
    ended = []
    upstream.taking(NEVER).start(Call("m"), ended.append)
    clock.advance(10)
    assert len(ended) == 1
    assert upstream.counts.attempts == 3 * MOST_UNSEEN
    assert sum(node.calls > 0 for node in upstream.nodes.values()) == 3 * MOST_UNSEEN


@pytest.mark.parametrize("manner", [SAFE, NEVER], ids=["a read", "a write"])
async def test_streams_likewise(manner):
    upstream, _ = all_down()
    with pytest.raises(NotSentError):
        await upstream.taking(manner).stream(Streamed("m"))
    assert upstream.counts.attempts == upstream.counts.unsent == MOST_UNSEEN


async def test_one_that_is_up_is_found_among_many_that_are_down():
    upstream, _ = all_down()
    *_, last = upstream.nodes.values()
    last.channel.always = Reply(b"up")
    last.channel.become(State.READY)
    ended = []
    upstream.taking(NEVER).start(Call("m"), ended.append)
    assert ended == [Reply(b"up")]
    assert upstream.counts.attempts == 1


async def test_so_it_is_with_connections_that_are_refused():
    """The channel's own: what it ends at once it ends inside of the attempt that began it."""
    closed = [socket.create_server(("127.0.0.1", 0)) for _ in range(300)]
    addresses = [Address("127.0.0.1", each.getsockname()[1]) for each in closed]
    for each in closed:
        each.close()
    upstream = build(spec(*addresses))
    try:
        nodes = upstream.nodes.values()
        await until(lambda: all(node.state is State.FAILING for node in nodes))
        ended = []
        upstream.start(Call("a.B/C"), ended.append)
        assert isinstance(ended[0], NotSentError)
        assert upstream.counts.attempts == MOST_UNSEEN
        assert upstream.breaker.requests == sum(node.pending for node in nodes) == 0
    finally:
        await upstream.close(0)
