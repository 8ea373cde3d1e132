"""Who goes, who waits, who is shed: the order, the bounds, and that no permit is ever lost."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.policies.adaptive.lines import Lines, Priority
from gateway.policies.adaptive.turns import Turns
from tests.policies.adaptive.simulation import Backend, Clock, Gateway, Kind

HIGH, NORMAL, LOW = Priority.HIGH, Priority.NORMAL, Priority.LOW


class Fixed:
    """A limit that changes when a test says so (a Gradient)."""

    def __init__(self, limit, latency=None):
        self.limit = limit
        self.latency = latency
        self.observed = []

    @property
    def aim(self):
        return float(self.limit)

    def observe(self, method, latency, inflight, *, dropped=False):
        self.observed.append((method, latency, inflight, dropped))

    def passed(self, inflight):
        """There are no probes here."""

    def lapse(self):
        return False


class Desk:
    """Turns, with the names of calls."""

    def __init__(self, limit=1, queue=10, max_wait=1.0, latency=None):
        self.clock = Clock()
        self.gradient = Fixed(limit, latency)
        self.turns = Turns(self.gradient, Lines(queue, max_wait), self.clock)
        self.went, self.shed, self.waiters = [], [], {}

    def come(self, name, priority=NORMAL, left=inf):
        """A call comes; returns what becomes of it at once."""
        if self.turns.go():
            self.went.append(name)
            return "goes"
        waiter = self.turns.wait(
            priority, left, lambda permitted: (self.went if permitted else self.shed).append(name)
        )
        if waiter is None:
            return "refused"
        self.waiters[name] = waiter
        return "waits"

    def end(self, times=1):
        for _ in range(times):
            self.turns.end("a.B/C", self.clock(), dropped=False)


class TestOrder:
    def test_the_highest_goes_first_and_within_one_the_first(self):
        desk = Desk()
        desk.come("running")
        for name, priority in [
            ("l", LOW),
            ("n1", NORMAL),
            ("h1", HIGH),
            ("n2", NORMAL),
            ("h2", HIGH),
        ]:
            assert desk.come(name, priority) == "waits"
        desk.end(5)
        assert desk.went == ["running", "h1", "h2", "n1", "n2", "l"]

    def test_who_comes_when_others_wait_does_not_pass_them(self):
        desk = Desk()
        desk.come("running")
        desk.come("first")
        desk.end()
        assert desk.come("second") == "waits"
        assert desk.went == ["running", "first"]

    def test_a_limit_that_rises_lets_several_go(self):
        desk = Desk()
        desk.come("running")
        for name in "abcd":
            desk.come(name)
        desk.gradient.limit = 3
        desk.end()
        assert desk.went == ["running", "a", "b", "c"]

    def test_a_limit_that_falls_lets_nobody_go_until_enough_have_ended(self):
        desk = Desk(limit=3)
        for name in "abcd":
            desk.come(name)
        desk.gradient.limit = 1
        desk.end(2)
        assert desk.went == ["a", "b", "c"]
        desk.end()
        assert desk.went == ["a", "b", "c", "d"]


class TestShedding:
    def test_a_full_queue_refuses(self):
        desk = Desk(queue=1)
        assert [desk.come(name) for name in "abc"] == ["goes", "waits", "refused"]

    def test_without_a_queue_priority_does_not_help(self):
        desk = Desk(queue=0)
        assert [desk.come(name, HIGH) for name in "ab"] == ["goes", "refused"]

    def test_the_youngest_of_the_lowest_makes_place(self):
        desk = Desk(queue=4)
        desk.come("running")
        for name, priority in [("l1", LOW), ("n1", NORMAL), ("l2", LOW), ("n2", NORMAL)]:
            desk.come(name, priority)
        for name in ("h1", "h2", "h3"):
            assert desk.come(name, HIGH) == "waits"
        assert desk.shed == ["l2", "l1", "n2"]
        assert desk.come("n3", NORMAL) == "refused"

    def test_nobody_is_shed_for_an_equal(self):
        desk = Desk(queue=1)
        desk.come("running")
        desk.come("first", HIGH)
        assert desk.come("second", HIGH) == "refused"
        assert desk.shed == []

    def test_a_turn_that_would_come_too_late_is_not_waited_for(self):
        desk = Desk(limit=2, latency=0.2)  # one ends every 0.1 s
        desk.come("a")
        desk.come("b")
        assert desk.come("soon", left=0.15) == "waits"
        assert desk.come("late", left=0.15) == "refused"
        assert desk.come("first", HIGH, left=0.15) == "waits"  # the others do not count for it
        assert desk.come("patient", left=0.25) == "refused"
        assert desk.come("more-patient", left=0.35) == "waits"

    def test_who_waited_too_long_is_shed_and_not_let_in(self):
        desk = Desk()
        desk.come("running")
        desk.come("late", left=0.5)
        desk.come("other")
        desk.clock.now += 0.6
        desk.end()
        assert (desk.went, desk.shed) == (["running", "other"], ["late"])

    def test_in_a_line_that_stands_calls_wait_shortly(self):
        desk = Desk(max_wait=1.0)
        desk.come("running")
        desk.come("a")
        for number in range(10):
            desk.clock.now += 0.1
            desk.come(f"b{number}")
            desk.end()
        desk.clock.now += 0.05
        desk.come("last")
        assert desk.turns.left(desk.waiters["b0"]) == pytest.approx(0.05)
        assert round(desk.turns.left(desk.waiters["last"]), 6) == 0.1
        assert desk.come("important", HIGH) == "waits"
        assert round(desk.turns.left(desk.waiters["important"]), 6) == 1.0
        while desk.turns.waiting:
            desk.end()
        desk.come("later")
        assert round(desk.turns.left(desk.waiters["later"]), 6) == 1.0


class TestPermits:
    def test_who_leaves_while_waiting_had_none(self):
        desk = Desk()
        desk.come("running")
        desk.come("leaves")
        assert desk.turns.leave(desk.waiters["leaves"]) is True
        desk.end()
        assert (desk.turns.running, desk.went) == (0, ["running"])

    def test_who_leaves_just_when_its_turn_came_gives_it_to_the_next(self):
        desk = Desk()
        desk.come("running")
        desk.come("leaves")
        desk.come("next")
        desk.end()
        assert desk.turns.leave(desk.waiters["leaves"]) is False
        desk.turns.give_back()
        assert desk.went == ["running", "leaves", "next"]

    def test_only_calls_that_tell_something_are_observed(self):
        desk = Desk(limit=2)
        desk.come("a")
        desk.come("b")
        desk.clock.now += 0.25
        desk.turns.give_back()
        desk.turns.end("a.B/C", desk.clock.now - 0.25, dropped=True)
        assert desk.gradient.observed == [("a.B/C", 0.25, 1, True)]


class Machine(RuleBasedStateMachine):
    """Any order of events, against a list that says who waits."""

    def __init__(self):
        super().__init__()
        self.desk = Desk(limit=2, queue=4)
        self.number = 0
        self.waiting = []  # name, priority, until

    def sync(self):
        """Forgets who waits no longer; returns who went since."""
        gone = {*self.desk.went, *self.desk.shed}
        before = self.waiting
        self.waiting = [each for each in before if each[0] not in gone]
        return [each for each in before if each[0] in self.desk.went]

    def expected(self, places):
        """Who should go next, if so many may."""
        alive = [each for each in self.waiting if each[2] > self.desk.clock.now]
        return sorted(alive, key=lambda each: (-each[1], each[0]))[:places]

    @rule(priority=st.sampled_from(Priority), left=st.sampled_from([0.3, inf]))
    def comes(self, priority, left):
        self.number += 1
        full = len(self.waiting) == 4
        shed = len(self.desk.shed)
        what = self.desk.come(self.number, priority, left)
        if what == "goes":
            assert not self.waiting
        lower = [each for each in self.waiting if each[1] < priority]
        if what == "refused":
            assert full
            assert not lower
        if what == "waits":
            if full:
                lowest = min(each[1] for each in lower)
                youngest = max(each[0] for each in lower if each[1] == lowest)
                assert self.desk.shed[shed:] == [youngest]
            self.waiting.append((self.number, priority, self.desk.waiters[self.number].until))
            self.sync()

    @precondition(lambda self: self.desk.turns.running)
    @rule(limit=st.integers(1, 4))
    def ends(self, limit):
        self.desk.gradient.limit = limit
        expected = self.expected(max(0, limit - (self.desk.turns.running - 1)))
        number = len(self.desk.went)
        self.desk.end()
        assert self.desk.went[number:] == [each[0] for each in expected]
        self.sync()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leaves(self, data):
        each = data.draw(st.sampled_from(self.waiting))
        assert self.desk.turns.leave(self.desk.waiters[each[0]])
        assert not self.desk.turns.leave(self.desk.waiters[each[0]])
        self.waiting.remove(each)

    @rule(seconds=st.sampled_from([0.05, 0.4]))
    def time_passes(self, seconds):
        self.desk.clock.now += seconds

    @invariant()
    def nothing_is_lost(self):
        turns = self.desk.turns
        assert turns.waiting == len(self.waiting) <= 4
        assert turns.running >= min(turns.limit, turns.running + turns.waiting)

    def teardown(self):
        self.desk.gradient.limit = 4
        while self.desk.turns.running:
            self.desk.end()
        assert (self.desk.turns.running, self.desk.turns.waiting) == (0, 0)


TestMachine = Machine.TestCase


class TestOverload:
    """Twice as many calls as a backend can answer, of three priorities."""

    def run(self, high, normal, low, *, seconds=20):
        clock = Clock()
        kinds = [
            Kind(f"a.B/{priority.name}", rate * 16 / 0.02, 0.02, 0.5, priority)
            for rate, priority in [(high, HIGH), (normal, NORMAL), (low, LOW)]
        ]
        gateway = Gateway(clock, Backend(clock, 16), kinds, queue=50)
        clock.run(10)
        for kind in kinds:
            kind.forget()
        clock.run(seconds)
        assert gateway.most_waiting <= 50
        return kinds

    def test_low_is_shed_first_and_high_loses_nothing(self):
        high, normal, low = self.run(0.3, 0.3, 1.4)
        assert high.refused == 0
        assert normal.refused == 0
        assert low.refused > 0.5 * (len(low.answered) + low.refused)
        assert max(high.waits) < 0.2
        answered = sum(len(kind.answered) for kind in (high, normal, low))
        assert answered > 0.9 * 20 * 16 / 0.02  # nothing of what the backend can do is lost

    def test_normal_is_shed_only_where_no_low_is_left(self):
        high, normal, low = self.run(0.5, 1.0, 0.5)
        assert high.refused == 0
        assert len(low.answered) < 0.05 * low.refused
        assert 0.3 < len(normal.answered) / (len(normal.answered) + normal.refused) < 0.7

    def test_who_waits_in_vain_hears_of_it_soon(self):
        _, _, low = self.run(0.3, 0.3, 1.4)
        assert max(low.waits) <= 0.11
