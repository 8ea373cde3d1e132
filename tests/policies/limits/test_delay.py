"""Calls that wait for their share: how long, how many, and how they leave."""

from __future__ import annotations

import asyncio

import pytest

from gateway.call import Deadline, RpcError
from gateway.policies.limits.delay import Room
from gateway.policies.limits.gate import RateLimits
from gateway.policies.limits.refusal import Notes
from tests.policies.limits.limiting import (
    BOB,
    Clock,
    Later,
    by_plan,
    call,
    limit,
    limiter,
    settle,
)


class Waiting:
    """A gate of one call a second that delays by five seconds at most."""

    def __init__(self, most=1000, *, wrap=lambda inner: inner, others=()):
        self.clock = Clock()
        self.room = Room(most)
        given = limit(rate=1, period=1.0, patience=5.0, room=self.room)
        plans = by_plan(self.clock, given, *others)
        inner = wrap(limiter(self.clock))
        self.gate = RateLimits(plans, inner, Notes(self.clock), self.clock.sleep)

    def start(self, **given):
        """Begins a call's wait, or admits it: a task either way."""

        async def run():
            waiting = self.gate.admit(call(**given))
            if waiting is not None:
                await waiting

        return asyncio.ensure_future(run())


async def test_a_call_waits_for_its_turn():
    here = Waiting()
    tasks = [here.start() for _ in range(3)]
    await settle()
    assert [task.done() for task in tasks] == [True, False, False]
    assert here.room.waiting == 2
    await here.clock.advance(1)
    assert [task.done() for task in tasks] == [True, True, False]
    await here.clock.advance(1)
    assert [task.done() for task in tasks] == [True, True, True]
    assert here.room.waiting == 0


async def test_a_call_that_would_wait_too_long_is_refused():
    here = Waiting()
    tasks = [here.start() for _ in range(7)]
    await settle()
    with pytest.raises(RpcError, match="RESOURCE_EXHAUSTED"):
        await tasks[6]
    await here.clock.advance(5)
    await asyncio.gather(*tasks[:6])


async def test_no_call_waits_beyond_its_deadline():
    here = Waiting()
    soon = Deadline(here.clock.now + 1.5)
    tasks = [here.start(deadline=soon) for _ in range(3)]
    await settle()
    with pytest.raises(RpcError, match="RESOURCE_EXHAUSTED"):
        await tasks[2]
    await here.clock.advance(1)
    await asyncio.gather(*tasks[:2])


async def test_a_call_whose_time_is_gone_does_not_wait():
    here = Waiting()
    await here.start()
    with pytest.raises(RpcError, match="RESOURCE_EXHAUSTED"):
        await here.start(deadline=Deadline(here.clock.now - 1))


async def test_only_so_many_wait():
    here = Waiting(most=2)
    tasks = [here.start(principal=who) for who in (None, BOB) for _ in range(3)]
    await settle()
    # One of each passes, two wait, and there is no room for the others.
    assert here.room.waiting == 2
    refused = [task for task in tasks if task.done() and task.exception()]
    assert len(refused) == 2
    await here.clock.advance(2)
    assert here.room.waiting == 0
    assert all(task.done() for task in tasks)


async def test_calls_that_ask_at_once_find_no_more_room_than_there_is():
    later = Later(limiter(Clock()))
    here = Waiting(most=3, wrap=lambda _: later)
    later.gate.clear()
    tasks = [here.start() for _ in range(9)]
    await settle()
    later.gate.set()
    await settle()
    # The first passes. It had a place while it asked, so two are left for the others.
    assert here.room.waiting == 2
    assert sum(task.done() and task.exception() is not None for task in tasks) == 6
    await here.clock.advance(2)
    assert here.room.waiting == 0


@pytest.mark.parametrize("how", ["cancelled", "closed", "failed"])
async def test_who_leaves_as_it_asks_gives_its_place_back(how):
    later = Later(None)
    here = Waiting(wrap=lambda _: later)
    later.gate.clear()
    if how == "closed":
        here.gate.admit(call()).close()
    else:
        task = here.start()
        await settle()
        assert here.room.waiting == 1
        if how == "cancelled":
            task.cancel()
        later.failure = OSError()
        later.gate.set()
        await asyncio.gather(task, return_exceptions=True)
    assert here.room.waiting == 0


async def test_who_leaves_leaves_its_turn_behind():
    here = Waiting()
    first, second, third = [here.start() for _ in range(3)]
    await settle()
    second.cancel()
    await settle()
    assert here.room.waiting == 1
    await here.clock.advance(1)
    assert not third.done()
    await here.clock.advance(1)
    await asyncio.gather(first, third)


async def test_a_wait_that_never_begins_gives_its_place_back():
    here = Waiting()
    await here.start()
    waiting = here.gate.admit(call())
    assert here.room.waiting == 1
    waiting.close()
    waiting.close()
    assert here.room.waiting == 0


async def test_a_delayed_call_waits_after_a_decision_that_takes_time():
    here = Waiting(wrap=Later)
    tasks = [here.start() for _ in range(2)]
    await settle()
    assert [task.done() for task in tasks] == [True, False]
    await here.clock.advance(1)
    await asyncio.gather(*tasks)
    assert here.room.waiting == 0


async def test_a_limit_that_refuses_beside_it_is_not_waited_for():
    here = Waiting(others=[limit("day", 1, 86_400.0)])
    tasks = [here.start() for _ in range(2)]
    await settle()
    with pytest.raises(RpcError, match="RESOURCE_EXHAUSTED"):
        await tasks[1]
    assert here.room.waiting == 0


async def test_of_two_the_longer_wait_counts():
    slow = Room()
    other = limit("slow", 1, 3.0, patience=5.0, room=slow)
    here = Waiting(others=[other])
    tasks = [here.start() for _ in range(2)]
    await settle()
    assert (here.room.waiting, slow.waiting) == (1, 1)
    await here.clock.advance(1)
    assert not tasks[1].done()
    await here.clock.advance(2)
    await asyncio.gather(*tasks)
