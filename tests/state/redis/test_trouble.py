"""What the log says of a Redis that is away: once that it is, once that it is back."""

import logging

import pytest

from gateway.state.redis.trouble import Trouble


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def trouble(clock):
    return Trouble("redis://r:6379/0", clock)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="gateway.state")
    return lambda: [record.getMessage() for record in caplog.records]


def test_one_line_an_outage_however_many_calls_fail(trouble, lines):
    for _ in range(100):
        trouble.failed("timed out")
    assert lines() == ["the state redis://r:6379/0 is away: timed out"]
    assert trouble.lasts


def test_one_line_when_it_is_over(trouble, clock, lines):
    trouble.failed("timed out")
    clock.now += 12.3
    trouble.succeeded()
    assert lines()[1:] == ["the state redis://r:6379/0 is back, after 12.3 s"]
    assert not trouble.lasts


def test_one_that_fails_now_and_then_is_in_trouble_all_the_time(trouble, clock, lines):
    for _ in range(20):
        trouble.failed("OOM")
        clock.now += 0.5
        trouble.succeeded()
    assert len(lines()) == 1


def test_another_outage_is_told_again(trouble, clock, lines):
    for _ in range(2):
        trouble.failed("timed out")
        clock.now += 1.0
        trouble.succeeded()
    assert len(lines()) == 4
