"""The limit in front of a simulated backend: it finds the best number of calls, and finds it again.

The best is known: with `k` servers, `k` calls. Then nothing waits and no server is idle.
"""

from __future__ import annotations

from statistics import mean

import pytest

from gateway.policies.adaptive.gradient import START, Gradient
from gateway.policies.adaptive.lines import Lines, Priority
from gateway.policies.adaptive.turns import Turns
from tests.policies.adaptive.simulation import Backend, Clock, Gateway, Kind


def overloaded(servers, seconds, *, spread=0.3, times=2.0, **given):
    """Twice as many calls as the backend can answer, unless said otherwise."""
    clock = Clock()
    backend = Backend(clock, servers)
    kind = Kind("a.B/C", times * servers / seconds, seconds, spread)
    return clock, backend, kind, Gateway(clock, backend, [kind], **given)


def measured(clock, kind, seconds):
    """Returns throughput in calls a second, and the mean latency at the backend."""
    kind.forget()
    clock.run(seconds)
    return len(kind.answered) / seconds, mean(kind.answered)


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0], ids=["exact", "some-noise", "exponential"])
@pytest.mark.parametrize(("servers", "seconds"), [(2, 0.01), (4, 0.1), (16, 0.02), (64, 0.1)])
def test_it_converges_near_the_best(servers, seconds, spread):
    clock, _, kind, gateway = overloaded(servers, seconds, spread=spread)
    clock.run(45)
    throughput, latency = measured(clock, kind, 15)
    assert throughput > 0.8 * servers / seconds
    assert latency < 2 * seconds
    assert 0.8 * servers < gateway.gradient.aim < 2 * servers + 2


@pytest.mark.parametrize("least", [1, 8, 100])
def test_it_begins_low_and_within_its_bounds(least):
    assert Gradient(least, 1000, Clock()).limit == max(START, least)
    assert Gradient(1, 3, Clock()).limit == 3


def test_it_is_there_within_seconds():
    clock, _, kind, _ = overloaded(64, 0.05)
    clock.run(10)
    throughput, latency = measured(clock, kind, 5)
    assert throughput > 0.8 * 64 / 0.05
    assert latency < 2 * 0.05


def test_without_it_everything_is_slow():
    """What the other tests are held to: with no limit the queue forms in the backend."""
    clock, _, kind, _ = overloaded(16, 0.02, least=1000, queue=0)
    clock.run(3)
    _, latency = measured(clock, kind, 3)
    assert latency > 30 * 0.02


@pytest.mark.parametrize("spread", [0.3, 1.0])
@pytest.mark.parametrize("least", [1, 8])
def test_it_recovers_after_a_slow_down_and_after_its_end(least, spread):
    clock, backend, kind, _ = overloaded(16, 0.02, spread=spread, least=least)
    clock.run(40)
    backend.slowness = 3.0
    clock.run(30)
    throughput, latency = measured(clock, kind, 20)
    assert throughput > 0.8 * 16 / 0.06
    assert latency < 2 * 0.06
    backend.slowness = 1.0
    clock.run(10)
    throughput, latency = measured(clock, kind, 20)
    assert throughput > 0.8 * 16 / 0.02
    assert latency < 2 * 0.02


def test_it_follows_a_backend_that_scales():
    clock, backend, kind, gateway = overloaded(8, 0.02, times=10)
    clock.run(40)
    assert gateway.gradient.aim < 16
    backend.servers = 40
    clock.run(30)
    throughput, latency = measured(clock, kind, 20)
    assert throughput > 0.8 * 40 / 0.02
    assert latency < 2 * 0.02
    backend.servers = 8
    clock.run(30)
    throughput, latency = measured(clock, kind, 20)
    assert throughput > 0.8 * 8 / 0.02
    assert latency < 2 * 0.02


def test_methods_of_different_latency_are_told_apart():
    """A mix that changes is no change of the backend."""
    clock = Clock()
    backend = Backend(clock, 16)
    fast, slow = Kind("a.B/Fast", 1600, 0.005), Kind("a.B/Slow", 0, 0.05)
    gateway = Gateway(clock, backend, [fast, slow])
    clock.run(30)
    fast.rate, slow.rate = 1000, 500  # more than the backend can do, and mostly slow work
    clock.run(30)
    assert 12 < gateway.gradient.aim < 32
    slow.forget()
    clock.run(30)
    assert mean(slow.answered) < 2 * 0.05


def test_under_low_load_nothing_is_refused_and_the_limit_stays():
    clock, _, kind, gateway = overloaded(16, 0.02, times=0.1)
    clock.run(60)
    assert kind.refused == 0
    assert START - 2 <= gateway.gradient.aim <= 3 * START
    before = gateway.gradient.aim
    kind.rate = 0
    clock.run(600)
    assert gateway.gradient.aim == before


@pytest.mark.parametrize(("workers", "servers"), [(2, 8), (4, 16)])
def test_workers_that_learn_at_the_same_times_do_not_learn_each_others_queue(workers, servers):
    clock = Clock()
    backend = Backend(clock, servers)
    kind = Kind("a.B/C", 2 * servers / 0.02 / workers, 0.02)
    for number in range(workers):
        Gateway(clock, backend, [kind], seed=number)
    clock.run(150)
    throughput, latency = measured(clock, kind, 30)
    assert throughput > 0.85 * servers / 0.02
    assert latency < 2 * 0.02


class Steady:
    """A gradient that is told of calls one by one."""

    def __init__(self, **given):
        self.clock = Clock()
        self.gradient = Gradient(1, 1000, self.clock, **given)

    def tell(self, seconds, latency, *, inflight=None, dropped=False, method="a.B/C"):
        """Tells of 500 calls a second for some time."""
        for _ in range(int(seconds * 500)):
            self.clock.now += 0.002
            now = inflight or self.gradient.limit
            self.gradient.observe(method, latency, now, dropped=dropped)


class TestSamples:
    def test_calls_that_time_out_lower_it(self):
        """They are no answers, and all that there is of a backend that hangs."""
        steady = Steady()
        steady.tell(10, 0.01)
        before = steady.gradient.aim
        steady.tell(60, 1.0, dropped=True)
        assert steady.gradient.aim < before / 5

    def test_calls_that_clients_gave_up_soon_say_nothing(self):
        steady = Steady()
        steady.tell(10, 0.01)
        before = steady.gradient.aim
        steady.tell(5, 0.001, dropped=True)
        assert steady.gradient.aim == before

    def test_calls_that_were_dropped_before_anything_is_known_say_nothing(self):
        steady = Steady()
        steady.tell(5, 0.01, dropped=True)
        assert (steady.gradient.aim, steady.gradient.latency) == (START, None)

    def test_a_limit_that_is_not_used_stays(self):
        steady = Steady()
        steady.tell(20, 0.01, inflight=3)
        assert steady.gradient.aim == START

    def test_a_few_calls_that_take_very_long_say_little(self):
        steady = Steady()
        for _ in range(50):
            steady.tell(0.2, 0.01)
            steady.tell(0.02, 5.0)
        assert steady.gradient.aim > 2 * START

    def test_it_never_leaves_its_bounds(self):
        clock = Clock()
        gradient = Gradient(4, 20, clock)
        seen = set()
        for latency in (0.01, 0.5, 0.01):
            for _ in range(5000):
                clock.now += 0.002
                gradient.observe("a.B/C", latency, gradient.limit)
                seen.add(gradient.aim)
        assert min(seen) >= 4
        assert max(seen) == 20


def probes(gradient):
    """Whether the limit is lowered for a while."""
    return gradient.limit < int(gradient.aim)


class TestProbes:
    def begins(self, gradient, clock, seconds):
        """Returns when it probes."""
        times, before = [], False
        for _ in range(int(seconds * 500)):
            clock.now += 0.002
            gradient.observe("a.B/C", 0.01, min(3, gradient.limit))
            if probes(gradient) and not before:
                times.append(clock.now)
            before = probes(gradient)
        return times

    def test_they_come_at_times_that_all_agree_on(self):
        one, other = Clock(1003.0), Clock(5.0)
        first = self.begins(Gradient(1, 1000, one), one, 200)
        second = self.begins(Gradient(1, 1000, other, phase=998.0), other, 200)
        assert len(first) == len(second) > 5
        assert [each - 998.0 for each in first] == pytest.approx(second, abs=0.01)
        assert all(each % 30 < 0.02 for each in first[1:])

    def test_the_limit_is_half_of_what_is_worked_on_meanwhile(self):
        steady = Steady()
        while not probes(steady.gradient):
            steady.tell(0.002, 0.01, inflight=3)
        assert steady.gradient.limit == START / 2
        assert steady.gradient.aim == START

    def test_one_that_sees_no_calls_ends_and_changes_nothing(self):
        steady = Steady()
        while not probes(steady.gradient):
            steady.tell(0.002, 0.01, inflight=3)
        steady.clock.now += 60
        steady.tell(0.002, 0.01, inflight=3)
        assert not probes(steady.gradient)
        assert steady.gradient.limit == START

    def test_one_in_which_all_calls_fail_ends_and_changes_nothing(self):
        steady = Steady()
        while not probes(steady.gradient):
            steady.tell(0.002, 0.01, inflight=3)
        began = steady.clock.now
        while probes(steady.gradient):
            steady.clock.now += 0.002
            steady.gradient.passed(1)
            assert steady.clock.now < began + 4
        assert steady.gradient.limit == steady.gradient.aim == START

    def test_calls_that_fail_are_seen_to_leave_before_it_counts(self):
        steady = Steady()
        while not probes(steady.gradient):
            steady.tell(0.002, 0.01, inflight=3)
        began = steady.clock.now
        steady.clock.now += 0.5
        steady.gradient.passed(1)
        while probes(steady.gradient):
            steady.tell(0.002, 0.01, inflight=100)  # of before, as long as none is seen to leave
        assert steady.clock.now < began + 2

    def test_one_in_which_no_call_ends_ends_with_the_next_that_comes(self):
        steady = Steady()
        while not probes(steady.gradient):
            steady.tell(0.002, 0.01, inflight=3)
        turns = Turns(steady.gradient, Lines(10, 60.0), steady.clock)
        while turns.go():
            pass
        woken = []
        assert turns.wait(Priority.NORMAL, 60.0, woken.append) is not None
        assert turns.running == START / 2
        steady.clock.now += 2.9
        assert not turns.go()
        steady.clock.now += 0.2
        assert turns.go()
        assert woken == [True]
        assert (turns.running, turns.limit) == (START / 2 + 2, START)
