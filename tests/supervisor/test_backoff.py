"""When a worker that died is started again."""

import itertools

import pytest

from gateway.supervisor.backoff import FIRST, LONGEST, STEADY, Backoff, delay


class Clock:
    """Stands until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_the_first_time_at_once_then_later_and_later_up_to_a_bound():
    delays = [delay(deaths) for deaths in range(10_000)]
    assert delays[:3] == [0, FIRST, 2 * FIRST]
    assert all(one <= other for one, other in itertools.pairwise(delays))
    assert delays[-1] == LONGEST


def test_deaths_in_a_row_add_up(clock):
    backoff = Backoff(clock)
    waits = []
    for _ in range(4):
        backoff.began()
        clock.now += STEADY - 1
        waits.append(backoff.ended())
    assert waits == [delay(deaths) for deaths in range(4)]


def test_deaths_are_forgotten_after_a_steady_life(clock):
    backoff = Backoff(clock)
    for _ in range(4):
        backoff.ended()
    backoff.began()
    clock.now += STEADY
    assert backoff.ended() == 0
    backoff.began()
    assert backoff.ended() == FIRST
