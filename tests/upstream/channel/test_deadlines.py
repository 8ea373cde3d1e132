"""Calls that are over: one timer for all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.channel.deadlines import NEVER, Deadlines


class Timer:
    def __init__(self, at, callback):
        self.at = at
        self.callback = callback
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


class Loop:
    """A loop whose time passes when the test says so."""

    def __init__(self):
        self.now = 1000.0
        self.timers = []

    def time(self):
        return self.now

    def call_at(self, at, callback):
        timer = Timer(at, callback)
        self.timers.append(timer)
        return timer

    @property
    def armed(self):
        return [timer for timer in self.timers if not timer.cancelled]

    def pass_to(self, now):
        """Fires timers in order until `now`."""
        while due := [timer for timer in self.armed if timer.at <= now]:
            timer = min(due, key=lambda timer: timer.at)
            self.timers.remove(timer)
            self.now = max(self.now, timer.at)
            timer.callback()
        self.now = now


class Run:
    def __init__(self, deadlines):
        self.deadlines = deadlines
        self.expired = None

    def expire(self):
        assert self.expired is None
        self.expired = self.deadlines._loop.now
        self.deadlines.remove(self)


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def deadlines(loop):
    return Deadlines(loop)


def add(deadlines, *ats):
    runs = [Run(deadlines) for _ in ats]
    for run, at in zip(runs, ats, strict=True):
        deadlines.add(run, at)
    return runs


def test_many_calls_have_one_timer(loop, deadlines):
    add(deadlines, *(1010.0 + number for number in range(1000)))
    assert [timer.at for timer in loop.timers] == [1010.0]
    assert len(deadlines) == 1000


def test_an_earlier_deadline_moves_the_timer(loop, deadlines):
    add(deadlines, 1010.0, 1005.0)
    assert [timer.at for timer in loop.armed] == [1005.0]


def test_a_call_without_a_deadline_needs_no_timer(loop, deadlines):
    (run,) = add(deadlines, NEVER)
    assert loop.timers == []
    assert deadlines.runs() == [run]
    add(deadlines, 1001.0)
    loop.pass_to(1002.0)
    assert loop.armed == []
    assert deadlines.runs() == [run]


def test_each_ends_at_its_own_time(loop, deadlines):
    early, late, latest = add(deadlines, 1001.0, 1002.0, 1003.0)
    loop.pass_to(1002.5)
    assert early.expired == pytest.approx(1001.0, abs=0.01)
    assert late.expired == pytest.approx(1002.0, abs=0.01)
    assert latest.expired is None
    assert deadlines.runs() == [latest]


def test_a_call_that_has_left_does_not_expire(loop, deadlines):
    gone, here = add(deadlines, 1001.0, 1002.0)
    deadlines.remove(gone)
    deadlines.remove(gone)
    loop.pass_to(1003.0)
    assert gone.expired is None
    assert here.expired is not None


def test_the_timer_is_set_anew_by_those_that_are_left(loop, deadlines):
    gone, _ = add(deadlines, 1001.0, 1050.0)
    deadlines.remove(gone)
    loop.pass_to(1002.0)
    assert [timer.at for timer in loop.armed] == [1050.0]


def test_with_no_calls_left_there_is_no_timer(loop, deadlines):
    add(deadlines, 1001.0)
    loop.pass_to(1002.0)
    assert loop.armed == []
    assert len(deadlines) == 0


def test_stop_leaves_no_timer_and_expires_nothing(loop, deadlines):
    (run,) = add(deadlines, 1001.0)
    deadlines.stop()
    loop.pass_to(1010.0)
    assert loop.armed == []
    assert run.expired is None


def test_a_call_that_begins_while_others_expire_is_watched(loop, deadlines):
    second = []

    class Restless(Run):
        def expire(self):
            super().expire()
            second.extend(add(self.deadlines, self.deadlines._loop.now + 1))

    deadlines.add(Restless(deadlines), 1001.0)
    loop.pass_to(1005.0)
    assert second[0].expired == pytest.approx(1002.0, abs=0.01)


def test_many_calls_are_looked_at_seldom(loop, deadlines):
    looks = 0
    call_at = loop.call_at

    def counted(at, callback):
        nonlocal looks
        looks += 1
        return call_at(at, callback)

    loop.call_at = counted
    runs = add(deadlines, *(1001.0 + number / 100_000 for number in range(10_000)))
    loop.pass_to(1002.0)
    assert all(run.expired is not None for run in runs)
    assert looks < 100


@given(st.lists(st.floats(1000.0, 1100.0), min_size=1, max_size=50), st.data())
def test_all_that_stay_expire_soon_after_their_time_and_none_before(ats, data):
    loop = Loop()
    deadlines = Deadlines(loop)
    runs = add(deadlines, *ats)
    leaves = data.draw(st.sets(st.integers(0, len(ats) - 1)))
    for index in leaves:
        deadlines.remove(runs[index])
    loop.pass_to(1200.0)
    for index, (run, at) in enumerate(zip(runs, ats, strict=True)):
        if index in leaves:
            assert run.expired is None
        else:
            assert -0.0011 <= run.expired - at <= 0.0025
    assert loop.armed == []
