"""Resolvers of one run: so many at once, and none left when it is cancelled."""

import asyncio

from gateway.fronts.graphql.execute.tasks import Tasks
from tests.fronts.graphql.execute.upstreams import ticks


async def test_a_value_takes_no_task():
    taken = []
    Tasks().call(lambda: 1, taken.append)
    assert taken == [1]
    assert len(asyncio.all_tasks()) == 1


async def test_beyond_the_limit_resolvers_are_not_called():
    tasks, gates, called, taken = Tasks(at_once=2), [asyncio.Event() for _ in range(4)], [], []

    async def work(number):
        await gates[number].wait()
        return number

    for number in range(4):
        tasks.call(lambda n=number: called.append(n) or work(n), taken.append)
    assert called == [0, 1]
    gates[1].set()
    await ticks()
    assert (called, taken) == ([0, 1, 2], [1])
    for gate in gates:
        gate.set()
    await ticks()
    assert sorted(taken) == [0, 1, 2, 3]


async def test_what_is_raised_is_taken():
    taken = []

    async def fails():
        raise ValueError("x")

    def fails_at_once():
        raise KeyError("y")

    tasks = Tasks()
    tasks.call(fails, taken.append)
    tasks.call(fails_at_once, taken.append)
    await ticks()
    assert [type(each) for each in taken] == [KeyError, ValueError]


async def test_a_resolver_that_cancels_itself_has_failed():
    taken = []

    async def cancels():
        raise asyncio.CancelledError

    Tasks().call(cancels, taken.append)
    await ticks()
    assert taken[0].status.code.name == "CANCELLED"


async def test_cancelling_ends_what_runs_and_what_waits():
    taken, ended = [], []

    async def waits():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    tasks = Tasks(at_once=1)
    tasks.call(waits, taken.append)
    tasks.call(waits, taken.append)
    tasks.wait(waits(), taken.append)  # cancelled before it began: closed, with no warning
    await asyncio.sleep(0)
    tasks.wait(waits(), taken.append)
    tasks.cancel()
    await ticks()
    assert taken == []
    assert len(asyncio.all_tasks()) == 1
