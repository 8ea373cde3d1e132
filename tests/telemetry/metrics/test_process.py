"""What is told of the process, on clocks that are set by hand."""

from __future__ import annotations

import gc

import pytest

from gateway.telemetry.metrics import standing
from gateway.telemetry.metrics.process import INTERVAL, Process
from tests.upstream.fakes import Clock


class Timers:
    """Timers that are let go by hand."""

    def __init__(self):
        self.set = []
        self.cancelled = 0

    def later(self, seconds, call):
        self.set.append((seconds, call))
        return self

    def cancel(self):
        self.cancelled += 1


@pytest.fixture
def watched():
    clock, timers = Clock(), Timers()
    process = Process("3", clock, timers.later)
    yield process, clock, timers
    process.close()


def children(process):
    lags, pauses = process.histograms
    return dict(lags), dict(pauses)


def test_the_loop_is_looked_at_again_and_again_and_its_lateness_counted(watched):
    process, clock, timers = watched
    for late in (0.0, 0.5):
        seconds, look = timers.set.pop()
        assert seconds == INTERVAL
        clock.advance(seconds + late)
        look()
    lag = children(process)[0]["3",]
    assert (sum(lag.counts), lag.sum) == (2, pytest.approx(0.5))


def test_a_collection_is_counted_by_its_generation(watched):
    process, *_ = watched
    gc.collect(1)
    pauses = children(process)[1]
    assert sum(pauses["1", "3"].counts) >= 1


def test_what_the_system_tells(watched):
    process, *_ = watched
    told = process.told()
    assert told[standing.MEMORY.name][0][1] > 1_000_000
    assert told[standing.DESCRIPTORS.name][0][1] > 2
    assert told[standing.UPTIME.name][0][1] > 0
    modes = {labels[0]: value for labels, value in told[standing.CPU.name]}
    assert modes["user"] > 0
    assert set(modes) == {"user", "system"}


def test_it_looks_no_more_once_it_is_closed():
    timers, before = Timers(), len(gc.callbacks)
    process = Process("0", Clock(), timers.later)
    assert len(gc.callbacks) == before + 1
    process.close()
    assert len(gc.callbacks) == before
    assert timers.cancelled == 1
