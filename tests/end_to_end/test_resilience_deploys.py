"""Deployments and outages: all backends go, one after another or all at once, and come back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from services_mock.fleet import Replica
from tests.end_to_end.load import OK, READS, STREAMS, WRITES
from tests.end_to_end.resilient import System, system

RESET = "UNAVAILABLE UPSTREAM_RESET"
GONE = "UNAVAILABLE UPSTREAM_UNAVAILABLE"


@pytest.fixture(params=["native", "grpcio"])
def running(request, tmp_path) -> Iterator[System]:
    with system(tmp_path, transport=request.param) as each:
        yield each


@pytest.mark.parametrize("end", [Replica.stop, Replica.kill], ids=["graceful", "killed"])
async def test_a_rolling_deploy_is_not_noticed_by_calls_that_change_nothing(running, end):
    async with running.load(*READS, *WRITES) as outcomes:
        for replica in running.replicas:
            await asyncio.to_thread(end, replica)
            await asyncio.to_thread(replica.start)
            await running.until_asked(replica)
    assert set(outcomes.of(*READS)) == {OK}
    # grpcio can't always say that a call never left, when the connection is back meanwhile.
    failed = outcomes.of(*WRITES)[RESET] + outcomes.of(*WRITES)[GONE]
    assert set(outcomes.of(*WRITES)) <= {OK, RESET, GONE}
    # Six clients write, and a fifth of their calls is at the one that goes, five times.
    assert failed <= 30


async def test_streams_are_drained_by_a_graceful_deploy(running):
    async with running.load(*STREAMS) as outcomes:
        for replica in running.replicas[:2]:
            await asyncio.to_thread(replica.stop)
            await asyncio.to_thread(replica.start)
            await running.until_asked(replica)
    # They take a tenth of a second, and have a second to end.
    assert set(outcomes.of(*STREAMS)) == {OK}


async def test_all_down_and_back(running):
    async with running.load(*READS, *WRITES, *STREAMS) as outcomes:
        for replica in running.replicas:
            await asyncio.to_thread(replica.kill)
        for replica in running.replicas:
            await running.until(replica, lambda now: now["state"] == "failing")
        outcomes.clear()
        await asyncio.sleep(1)
        down = dict(outcomes.counts)
        slowest = outcomes.slowest(*READS, *WRITES)
        for replica in running.replicas:
            await asyncio.to_thread(replica.start)
        for replica in running.replicas:
            await running.until_asked(replica)
        outcomes.clear()
        await asyncio.sleep(0.5)
        assert not outcomes.failures(), "all is as before"
    assert {how for _, how in down} == {GONE}
    assert slowest < 1.0, "they fail fast"


async def test_an_outage_makes_no_storm_of_attempts(running):
    async with running.load(*READS, each=20) as outcomes:
        for replica in running.replicas:
            await asyncio.to_thread(replica.restart, "--error", "UNAVAILABLE")
        outcomes.clear()
        await asyncio.sleep(3)
        counts = (await asyncio.to_thread(running.upstream))["counts"]
    assert outcomes.of(*READS)["UNAVAILABLE"] > 100
    # A fifth of the calls of ten seconds, or a hundred where that is more.
    again = counts["retries"] + counts["moved"]
    assert 0 < again <= max(0.2 * counts["calls"], 100)
    assert counts["attempts"] - counts["unsent"] <= counts["calls"] + again
    assert counts["exhausted"] > 0, "there were more to make"
    assert outcomes.slowest(*READS) < 2, "they fail fast"
