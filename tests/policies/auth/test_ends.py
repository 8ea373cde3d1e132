"""Many wait for one end; none of them can spoil it for the others."""

from __future__ import annotations

import asyncio

import pytest

from gateway.policies.auth.ends import Ends


class Counting(asyncio.Future):
    """Counts who is told of its end."""

    told = 0

    def add_done_callback(self, fn, *, context=None):
        self.told += 1
        super().add_done_callback(fn, context=context)

    def remove_done_callback(self, fn):
        raise AssertionError("each that leaves would cost a walk through all")


async def test_who_gives_up_costs_the_same_however_many_wait():
    ends, future = Ends(), Counting(loop=asyncio.get_running_loop())
    tasks = [asyncio.create_task(ends.of(future)) for _ in range(1_000)]
    await asyncio.sleep(0)
    for task in tasks[1:]:
        task.cancel()
    await asyncio.wait(tasks[1:])
    assert future.told == 1
    assert not future.done()
    future.set_result(None)
    await tasks[0]
    assert not ends._waiting


@pytest.mark.parametrize("how", ["result", "failure", "cancelled"])
async def test_however_it_ends(how):
    ends, future = Ends(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(ends.of(future))
    await asyncio.sleep(0)
    if how == "cancelled":
        future.cancel()
    elif how == "failure":
        future.set_exception(ValueError())
        future.exception()
    else:
        future.set_result(None)
    await task
    await ends.of(future)
