"""One of five backends dies, hangs, errs, is slow or refuses, under load from all three fronts.

Calls that change nothing do not notice; all others that fail, fail with the right status, and only
those that the backend may have seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.end_to_end.load import OK, READS, WRITES
from tests.end_to_end.resilient import System, system

RESET = "UNAVAILABLE UPSTREAM_RESET"
GONE = "UNAVAILABLE UPSTREAM_UNAVAILABLE"
LATE = "DEADLINE_EXCEEDED DEADLINE_EXCEEDED"


@pytest.fixture(params=["native", "grpcio"])
def running(request, tmp_path) -> Iterator[System]:
    with system(tmp_path, transport=request.param) as each:
        yield each


async def test_killed_and_started_again(running):
    victim = running.replicas[0]
    async with running.load(*READS, *WRITES) as outcomes:
        await asyncio.to_thread(victim.kill)
        told = await running.until(victim, lambda now: now["out"])
        await asyncio.sleep(0.5)
        await asyncio.to_thread(victim.start)
        await running.until_asked(victim)
    assert told["out"][0]["why"]
    assert set(outcomes.of(*READS)) == {OK}
    # grpcio can't always say that a call never left, when the connection is back meanwhile.
    assert set(outcomes.of(*WRITES)) <= {OK, RESET, GONE}, "what it may have seen is not repeated"
    # Of each kind two are under way at a time, of which this one had a fifth.
    assert outcomes.of(*WRITES)[RESET] <= 6
    assert outcomes.slowest(*READS) < 1.5


async def test_frozen_and_thawed(running):
    victim = running.replicas[0]
    async with running.load(*READS, *WRITES) as outcomes:
        victim.freeze()
        await running.until(victim, lambda now: now["out"])
        # What was given to it before goes elsewhere if it can be, and ends at its deadline else.
        await running.until(victim, lambda now: now["pending"] == 0)
        await asyncio.sleep(0.2)  # until clients were told
        before = outcomes.of(*WRITES)[LATE]
        await asyncio.sleep(0.5)
        assert outcomes.of(*WRITES)[LATE] == before, "nothing is sent there any more"
        victim.thaw()
        await running.until_asked(victim)
    assert set(outcomes.of(*READS)) == {OK}
    assert outcomes.slowest(*READS) < 2.5, "reads do not wait for their deadline"
    assert set(outcomes.of(*WRITES)) <= {OK, LATE}
    assert outcomes.of(*WRITES)[LATE] <= 6


async def test_one_that_refuses_connections(running):
    victim = running.replicas[0]
    async with running.load(*READS, *WRITES) as outcomes:
        await asyncio.to_thread(victim.restart, "--refuse")
        told = await running.until(victim, lambda now: now["state"] == "failing")
        outcomes.clear()
        await asyncio.sleep(1)
    assert not outcomes.failures(), "a call that nobody saw goes elsewhere, whatever it is"
    assert told["pending"] == 0


async def test_one_that_errs(running):
    victim = running.replicas[0]
    async with running.load(*READS, *WRITES) as outcomes:
        await asyncio.to_thread(victim.restart, "--error", "UNAVAILABLE")
        await running.until(victim, lambda now: now["ejections"] > 0)
        await asyncio.to_thread(victim.restart)
        await running.until_asked(victim)
    assert set(outcomes.of(*READS)) == {OK}
    # It is put out by five failures in a row, each time that it is tried again.
    assert set(outcomes.of(*WRITES)) <= {OK, RESET, "UNAVAILABLE"}
    assert outcomes.of(*WRITES)["UNAVAILABLE"] <= 30


async def test_one_whose_errors_are_not_tried_again(running):
    victim = running.replicas[0]
    async with running.load(*READS) as outcomes:
        await asyncio.to_thread(victim.restart, "--error", "INTERNAL")
        await running.until(victim, lambda now: now["ejections"] > 0)
        failed = outcomes.of(*READS)["INTERNAL"]
    assert 0 < failed <= 12, "those that were under way, beside the five that put it out"
    # A restart breaks off what is under way, which is tried again.
    assert set(outcomes.of(*READS)) == {OK, "INTERNAL"}


async def test_a_slow_one_gets_few_calls(running):
    victim = running.replicas[0]
    async with running.load(*READS, each=4) as outcomes:
        await asyncio.to_thread(victim.restart, "--delay", "200ms")
        await running.until(victim, lambda now: now["calls"] > 0 and now["latency"])
        await running.until_asked(victim, 3)
        began = {each.address: running.told(each)["calls"] for each in running.replicas}
        await asyncio.sleep(2)
        calls = {
            each.address: running.told(each)["calls"] - began[each.address]
            for each in running.replicas
        }
    assert not outcomes.failures()
    assert calls[victim.address] < 0.05 * sum(calls.values()), calls
