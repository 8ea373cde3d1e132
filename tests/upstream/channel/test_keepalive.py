"""When a silent connection is asked for a sign of life, and when it is given up (gRFC A8)."""

import pytest

from gateway.upstream.channel.keepalive import Check, Verdict, Watch, backed_off
from gateway.upstream.spec import Keepalive

TIMES = Keepalive(time=10.0, timeout=2.0)
WAIT, PING, DEAD = Verdict


@pytest.fixture
def watch():
    return Watch(TIMES, 100.0)


@pytest.mark.parametrize(
    ("now", "verdict", "delay"),
    [(100.0, WAIT, 10.0), (104.0, WAIT, 6.0), (109.5, WAIT, 0.5), (110.0, PING, 2.0)],
)
def test_it_is_asked_once_it_has_been_silent_for_the_time(watch, now, verdict, delay):
    assert watch.check(now, active=True) == Check(verdict, delay)


def test_what_is_heard_puts_the_question_off(watch):
    watch.heard = 107.0
    assert watch.check(110.0, active=True) == Check(WAIT, 7.0)
    assert watch.check(117.0, active=True).verdict is PING


def test_without_calls_nothing_is_asked(watch):
    assert watch.check(500.0, active=False) == Check(WAIT, 10.0)
    assert watch.check(510.0, active=True).verdict is PING


def test_it_is_dead_when_the_answer_does_not_come_in_time(watch):
    watch.check(110.0, active=True)
    assert watch.check(111.5, active=True) == Check(WAIT, 0.5)
    assert watch.check(112.0, active=True).verdict is DEAD


def test_calls_that_have_ended_meanwhile_do_not_take_the_question_back(watch):
    watch.check(110.0, active=True)
    assert watch.check(112.0, active=False).verdict is DEAD


@pytest.mark.parametrize("heard", [110.0, 111.0, 111.999])
def test_anything_heard_since_the_question_is_an_answer(watch, heard):
    watch.check(110.0, active=True)
    watch.heard = heard
    check = watch.check(112.0, active=True)
    assert check.verdict is WAIT
    assert check.delay == pytest.approx(heard + TIMES.time - 112.0)


def test_what_was_heard_before_the_question_is_none(watch):
    watch.check(110.0, active=True)
    watch.heard = 109.9
    assert watch.check(112.0, active=True).verdict is DEAD


def test_it_is_asked_again_after_the_next_silence(watch):
    asked = []
    now, until = 100.0, 160.0
    while now < until:
        check = watch.check(now, active=True)
        if check.verdict is PING:
            asked.append(now)
            watch.heard = now + 0.5
        now += check.delay
    assert asked == [110.0, 120.5, 131.0, 141.5, 152.0]


def test_a_backend_with_too_many_pings_gets_half_as_many():
    assert backed_off(TIMES) == Keepalive(time=20.0, timeout=2.0)
    assert backed_off(backed_off(TIMES)).time == 40.0
