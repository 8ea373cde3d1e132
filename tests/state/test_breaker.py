"""A breaker: what it lets through, and when it may be probed."""

import pytest

from gateway.state.breaker import Breaker, State


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(clock)


def test_closed_it_lets_calls_through(breaker):
    assert breaker.state is State.CLOSED
    assert breaker.wait() == 0


def test_the_fifth_failure_in_a_row_opens_it(breaker):
    assert [breaker.failed() for _ in range(5)] == [False, False, False, False, True]
    assert breaker.state is State.OPEN


def test_failures_with_a_success_between_do_not(breaker):
    for _ in range(10):
        breaker.failed()
        breaker.succeeded()
    assert breaker.state is State.CLOSED


def test_one_time_out_opens_it(breaker):
    breaker.open()
    assert breaker.state is State.OPEN


def test_open_it_may_be_probed_after_a_pause(breaker, clock):
    breaker.open()
    assert breaker.wait() == pytest.approx(0.1)
    clock.now = 0.06
    assert breaker.wait() == pytest.approx(0.04)
    clock.now = 1.0
    assert breaker.wait() == 0


def test_a_probe_that_is_answered_closes_it(breaker):
    breaker.open()
    breaker.probe()
    assert breaker.state is State.HALF_OPEN
    assert breaker.answered()
    assert breaker.state is State.CLOSED


def test_a_probe_that_began_before_it_opened_says_nothing(breaker):
    breaker.probe()
    breaker.open()
    assert not breaker.answered()
    assert breaker.state is State.OPEN


def test_pauses_double_with_each_probe_that_fails_up_to_two_seconds(breaker, clock):
    pauses = []
    for _ in range(7):
        breaker.open()
        pauses.append(breaker.wait())
        clock.now += pauses[-1]
        breaker.probe()
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0])


def test_one_that_answers_probes_and_fails_calls_is_left_alone_for_longer_and_longer(
    breaker, clock
):
    pauses = []
    for _ in range(3):
        breaker.open()
        pauses.append(breaker.wait())
        clock.now += pauses[-1]
        breaker.probe()
        breaker.answered()
    assert pauses == pytest.approx([0.1, 0.2, 0.4])


def test_a_call_that_succeeds_makes_pauses_short_again(breaker, clock):
    for _ in range(3):
        breaker.open()
        clock.now += breaker.wait()
        breaker.probe()
    breaker.answered()
    breaker.succeeded()
    breaker.open()
    assert breaker.wait() == pytest.approx(0.1)


def test_what_was_under_way_when_it_opened_says_nothing_new(breaker, clock):
    breaker.open()
    clock.now = 0.05
    assert not breaker.failed()
    breaker.open()
    breaker.succeeded()
    assert breaker.state is State.OPEN
    assert breaker.wait() == pytest.approx(0.05)
