"""Streams are made again before the backend began to answer, and never after."""

import asyncio

import pytest

from gateway.call import NO_METADATA, Code, Deadline, RpcError
from gateway.errors import error
from gateway.upstream.attempts.replay import KEPT
from gateway.upstream.blame import Blame
from gateway.upstream.channel import RefusedError, State
from gateway.upstream.node import Cause
from gateway.upstream.spec import BalancingSpec, RetrySpec
from tests.upstream.attempts.stage import (
    IDEMPOTENT,
    NEVER,
    RETRIES,
    SAFE,
    answered,
    broken,
    busy,
    late,
    refused,
    unsent,
)
from tests.upstream.clients import Client
from tests.upstream.fakes import Clock, upstream_of


class Streams:
    """A channel that runs streams as its script says: `(messages it reads, replies, end)` each."""

    def __init__(self, name, *script):
        self.address = name
        self.state = State.READY
        self.script = list(script)
        self.got = []
        self.previous = []
        self.heard = None
        self.pending = 0

    async def stream(self, call):
        reads, replies, end = self.script.pop(0)
        self.previous.append(call.metadata.text("grpc-previous-rpc-attempts"))
        self.got.append([])
        for _ in range(reads):
            self.got[-1].append(await call.receive())
        if replies:
            await call.start(NO_METADATA)
        for reply in replies:
            await call.send(reply)
        if end is None:
            return NO_METADATA
        if isinstance(end, asyncio.Event):
            await end.wait()
        raise end

    async def close(self, grace):
        pass


class Play:
    """An upstream of such channels, and one stream through it."""

    def __init__(self, *channels, manner=SAFE, retries=RETRIES, requests=(b"1", b"2"), **call):
        self.clock = Clock()
        self.channels = channels
        self.client = Client("m", requests, **call)
        self.upstream = upstream_of(
            *channels,
            clock=self.clock,
            random=lambda: 0.5,
            retries=retries,
            balancing=BalancingSpec("round_robin"),
        )
        self.task = asyncio.create_task(self._run(manner))

    async def _run(self, manner):
        try:
            return await self.upstream.taking(manner).stream(self.client)
        except RpcError as failure:
            return failure

    async def waits(self):
        """Returns once the call waits for an alarm."""
        while not len(self.upstream.alarms):
            assert not self.task.done()
            await asyncio.sleep(0)

    async def end(self):
        """Lets all time pass that it waits for; returns how the call ended."""
        while not self.task.done():
            if len(self.upstream.alarms):
                self.clock.advance(0.1)
            await asyncio.sleep(0)
        self.assert_nothing_is_left()
        return self.task.result()

    def assert_nothing_is_left(self):
        breaker = self.upstream.breaker
        assert (breaker.requests, breaker.retries, len(self.upstream.alarms)) == (0, 0, 0)
        assert all(node.pending == 0 for node in self.upstream.nodes.values())
        assert asyncio.all_tasks() <= {asyncio.current_task(), self.task}


ANSWER = (2, [b"x"], None)


@pytest.mark.parametrize(("replies", "failures"), [([b"x", b"y"], 0), ([], 1)])
async def test_a_stream_that_delivers_until_its_deadline_is_no_failure_of_its_endpoint(
    replies, failures
):
    class Slow(Streams):
        async def stream(self, call):
            play.clock.now += 60
            return await super().stream(call)

    spoke = []

    class Record:
        def ended(self, blame, seconds):
            spoke.append(blame)

        def spoke(self):
            spoke.append("spoke")

    play = Play(Slow("a", (0, replies, late())))
    (node,) = play.upstream.nodes.values()
    node.record = Record()
    assert (await play.end()).reason == "DEADLINE_EXCEEDED"
    assert play.client.replies == replies
    assert node.failures == failures
    assert node.latency.failures == 0
    assert spoke == ([*["spoke"] * 3, Blame.NOBODY] if replies else [Blame.LATE])


@pytest.mark.parametrize(("manner", "again"), [(SAFE, True), (IDEMPOTENT, True), (NEVER, False)])
@pytest.mark.parametrize("failure", [busy(), broken()], ids=["its-own-status", "a-broken-one"])
async def test_only_what_may_be_repeated_is_made_again(manner, again, failure):
    play = Play(Streams("a", (1, [], failure)), Streams("b", ANSWER), manner=manner)
    assert await play.end() == (NO_METADATA if again else failure)
    assert play.client.replies == ([b"x"] if again else [])


async def test_the_next_attempt_has_all_that_the_client_sent():
    play = Play(Streams("a", (1, [], busy())), Streams("b", (2, [], busy()), ANSWER))
    first, second = play.channels
    first.script.append(ANSWER)
    await play.end()
    assert first.got[0] == [b"1"]
    assert second.got[0] == [b"1", b"2"]
    assert first.got[1] == [b"1", b"2"]
    assert play.client.taken == 2
    assert (first.previous, second.previous) == ([None, "2"], ["1"])


async def test_after_the_first_message_it_is_not():
    failure = broken()
    play = Play(Streams("a", (1, [b"x"], failure)), Streams("b", ANSWER))
    assert await play.end() is failure
    assert play.client.replies == [b"x"]


async def test_after_the_response_headers_it_is_not():
    failure = answered(busy())
    play = Play(Streams("a", (1, [], failure)), Streams("b", ANSWER))
    assert await play.end() is failure


async def test_when_more_was_sent_than_is_kept_it_is_not():
    failure = busy()
    requests = [bytes(KEPT), b"2"]
    play = Play(Streams("a", (1, [], failure)), Streams("b", ANSWER), requests=requests)
    assert await play.end() is failure


async def test_a_client_s_mistake_is_told_at_once():
    mistake = error("INVALID_JSON", "no")
    spec = RetrySpec(on=frozenset(Code))
    play = Play(Streams("a", (1, [], None)), Streams("b"), retries=spec, requests=[mistake])
    assert await play.end() is mistake


@pytest.mark.parametrize("manner", [SAFE, NEVER])
async def test_what_nobody_saw_is_another_node_s_at_once_and_tried_again_later(manner):
    play = Play(
        Streams("a", (0, [], unsent()), (0, [], unsent())),
        Streams("b", (0, [], unsent()), ANSWER),
        manner=manner,
    )
    assert await play.end() == NO_METADATA
    assert (play.upstream.counts.unsent, play.upstream.counts.retries) == (3, 1)
    assert play.channels[1].previous == [None, None]


@pytest.mark.parametrize("manner", [SAFE, NEVER])
async def test_what_a_server_refused_is_another_s_once_for_nothing(manner):
    refusal = (0, [], refused())
    play = Play(Streams("a", refusal), Streams("b", ANSWER), manner=manner, retries=None)
    assert await play.end() == NO_METADATA
    play = Play(Streams("a", refusal), Streams("b", refusal), Streams("c"), retries=None)
    assert isinstance(await play.end(), RefusedError)
    play = Play(Streams("a", refusal, ANSWER), manner=manner, retries=None)
    assert await play.end() == NO_METADATA
    play = Play(Streams("a", refusal), Streams("b", refusal), Streams("c", ANSWER), manner=manner)
    assert await play.end() == NO_METADATA
    assert play.upstream.counts.retries == 1


async def test_attempts_are_bounded_and_the_last_failure_is_told():
    failures = [busy(), busy(), busy()]
    play = Play(*(Streams(str(number), (0, [], each)) for number, each in enumerate(failures)))
    assert await play.end() is failures[-1]
    assert play.upstream.counts.attempts == 3


async def test_the_budget_holds():
    failure = busy()
    spec = RetrySpec(ratio=0, minimum=0)
    play = Play(Streams("a", (0, [], failure)), Streams("b", ANSWER), retries=spec)
    assert await play.end() is failure
    assert play.upstream.counts.exhausted == 1


async def test_a_pushback_is_waited_for():
    play = Play(Streams("a", (0, [], busy(pushback="5000"))), Streams("b", ANSWER))
    began = play.clock.now
    assert await play.end() == NO_METADATA
    assert play.clock.now - began == pytest.approx(5, abs=0.11)


async def test_a_retry_does_not_outlive_the_deadline():
    failure = busy()
    play = Play(Streams("a", (0, [], failure)), Streams("b"), deadline=Deadline(1000.05))
    assert await play.end() is failure


def first_of(upstream):
    """Picks the first in the order of their listings, as in panic: who is out too."""

    def pick(key, avoid):
        return next((node for node in upstream.nodes.values() if node not in avoid), None)

    return pick


async def test_one_that_is_well_is_asked_again_rather_than_one_that_is_not():
    """Also in panic, when so few are well that calls are given to those that are not."""
    first = Streams("a", (0, [], busy()), ANSWER)
    play = Play(first, Streams("b", ANSWER), Streams("c", ANSWER))
    for ill in list(play.upstream.nodes.values())[1:]:
        ill.take_out(Cause.HEALTH, "it hangs")
    play.upstream.pick = first_of(play.upstream)
    assert await play.end() == NO_METADATA
    assert [len(channel.got) for channel in play.channels] == [2, 0, 0]


@pytest.mark.parametrize("when", ["while-it-waits", "while-it-runs"])
async def test_nothing_is_left_of_one_that_is_cancelled(when):
    play = Play(
        Streams("a", (0, [], busy()) if when == "while-it-waits" else (0, [], asyncio.Event())),
        Streams("b"),
    )
    if when == "while-it-waits":
        await play.waits()
    else:
        await asyncio.sleep(0)
    play.task.cancel()
    await asyncio.wait({play.task})
    play.assert_nothing_is_left()
