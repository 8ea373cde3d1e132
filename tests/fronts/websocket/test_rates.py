"""A pace: so many a second, with bursts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.websocket.rates import Pace


def test_a_burst_is_of_a_second_and_then_one_by_one():
    pace = Pace(4.0)
    assert [pace.try_spend(10.0) for _ in range(4)] == [0.0] * 4
    assert pace.try_spend(10.0) == pytest.approx(0.25)
    assert pace.try_spend(10.0) == pytest.approx(0.25)  # what is refused costs nothing
    assert pace.try_spend(10.25) == 0.0


def test_one_is_there_at_least():
    pace = Pace(0.1)
    assert pace.try_spend(0.0) == 0.0
    assert pace.try_spend(0.0) == pytest.approx(10.0)


def test_who_does_not_wait_waits_longer():
    pace = Pace(4.0)
    waits = [pace.spend(10.0) for _ in range(7)]
    assert waits == pytest.approx([0, 0, 0, 0, 0.25, 0.5, 0.75])


def test_a_longer_burst():
    pace = Pace(2.0, seconds=10.0)
    assert [pace.try_spend(5.0) for _ in range(20)] == [0.0] * 20
    assert pace.try_spend(5.0) > 0


@given(st.floats(0.5, 100.0), st.lists(st.floats(0.0, 2.0), max_size=200))
def test_no_more_pass_than_the_rate_and_a_burst(rate, gaps):
    pace, now, passed = Pace(rate), 0.0, 0
    for gap in gaps:
        now += gap
        passed += not pace.try_spend(now)
    assert passed <= max(1.0, rate) + rate * now + 1e-3
