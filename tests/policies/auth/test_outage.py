"""When a server that does not answer is left alone."""

import pytest

from gateway.policies.auth.outage import Outage


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def outage(now):
    return Outage(lambda: now[0])


def fail(outage, times):
    return [outage.failed() for _ in range(times)]


def test_a_server_that_answers_is_asked(outage):
    outage.succeeded()
    assert outage.wait() == 0


def test_three_failures_in_a_row_are_an_outage_which_is_told_once(outage):
    assert fail(outage, 6) == [False, False, True, False, False, False]
    assert outage.wait() == 1


def test_failures_that_are_not_in_a_row_are_none(outage):
    for _ in range(5):
        fail(outage, 2)
        outage.succeeded()
    assert outage.wait() == 0


def test_after_a_while_one_may_try_and_the_others_wait(outage, now):
    fail(outage, 3)
    now[0] += 1
    assert outage.wait() == 0
    assert outage.wait() == 1


def test_the_while_doubles_with_each_try_that_fails_up_to_an_end(outage, now):
    fail(outage, 3)
    waits = []
    for _ in range(7):
        waits.append(outage.wait())
        now[0] += waits[-1]
        assert outage.wait() == 0
        outage.failed()
    assert waits == [1, 2, 4, 8, 16, 16, 16]


def test_those_that_were_asked_before_say_nothing_new(outage, now):
    fail(outage, 100)
    assert outage.wait() == 1


def test_one_success_ends_it(outage, now):
    fail(outage, 3)
    now[0] += 1
    assert outage.wait() == 0
    outage.succeeded()
    assert outage.wait() == 0
    assert fail(outage, 3) == [False, False, True]
    assert outage.wait() == 1


def test_a_try_of_which_nothing_is_heard_is_not_the_last(outage, now):
    fail(outage, 3)
    now[0] += 1
    outage.wait()
    now[0] += 1
    assert outage.wait() == 0
