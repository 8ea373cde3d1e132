"""Peak EWMA: up at once, down slowly."""

from math import exp

import pytest

from gateway.upstream.latency import BELIEVED, DECAY, FIRST, Latency


def latency(*calls):
    """Returns one that has been judged by its first call, and has had the others since."""
    made = Latency()
    for _ in range(FIRST):
        made.took(*calls[0])
    for seconds, now in calls:
        made.took(seconds, now)
    return made


def test_nothing_is_known_at_first():
    assert Latency().seconds == Latency().at(1000.0) == 0
    assert Latency().failures_at(1000.0) == 0


def test_it_is_judged_by_the_fastest_of_the_first_answers():
    made = Latency()
    made.took(0.9, 0.0)
    assert (made.seconds, made.settled) == (0.9, False)
    made.took(0.1, 1.0)
    assert (made.seconds, made.settled) == (0.9, False)
    made.took(0.2, 2.0)
    assert (made.seconds, made.settled) == (0.1, True)
    made.took(0.3, 3.0)
    assert made.seconds == 0.3


def test_a_slower_call_is_taken_at_once():
    assert latency((0.1, 0.0), (0.5, 0.1)).seconds == 0.5


def test_a_faster_call_counts_by_the_time_that_has_passed():
    assert latency((0.5, 0.0), (0.1, DECAY)).seconds == pytest.approx(
        0.5 / exp(1) + 0.1 * (1 - 1 / exp(1))
    )


def test_many_calls_at_a_time_count_as_one():
    assert latency((0.5, 0.0), *[(0.1, 0.0)] * 1000).seconds == 0.5


def test_it_stays_while_there_are_calls():
    assert latency((0.5, 100.0)).at(100.9) == 0.5


def test_it_is_forgotten_when_there_are_none():
    assert latency((0.5, 100.0)).at(100.0 + DECAY) == pytest.approx(0.5 / exp(1))


def test_one_that_nobody_calls_is_in_doubt_soon_and_later_after_failures():
    made = latency((0.5, 100.0))
    assert not made.doubtful(100.0 + BELIEVED - 0.1)
    assert made.doubtful(100.0 + BELIEVED)
    made.failed(0.001, 101.0)
    assert not made.doubtful(101.0 + 1.5 * BELIEVED)
    assert made.doubtful(101.0 + 2 * BELIEVED)


def test_the_answer_of_one_that_is_tried_again_is_believed_alone():
    made = latency((0.5, 100.0))
    made.failed(0.001, 101.0)
    made.try_again(106.0)
    assert not made.doubtful(107.0), "once is enough for now"
    made.took(0.1, 107.0)
    assert (made.seconds, made.failures) == (0.1, 0)
    made.took(0.01, 107.1)
    assert made.seconds == pytest.approx(0.1, rel=0.02), "and those after it as ever"


def test_a_failure_is_no_fast_answer():
    made = latency((0.5, 0.0))
    made.failed(0.001, 100.0)
    assert made.seconds == 0.5


def test_a_failure_that_took_longer_says_how_slow_it_is():
    made = latency((0.1, 0.0))
    made.failed(5.0, 1.0)
    assert made.seconds == 5.0


def test_a_failure_before_there_was_an_answer_says_nothing_of_latency():
    made = Latency()
    made.failed(0.001, 0.0)
    assert made.seconds == 0


def test_failures_add_up_and_are_forgotten():
    made = Latency()
    for _ in range(3):
        made.failed(0.001, 10.0)
    assert made.failures_at(10.0) == 3
    assert made.failures_at(10.0 + DECAY) == pytest.approx(3 / exp(1))
    assert made.failures_at(10.0 + 10 * DECAY) == 0
    assert made.failures == 0
