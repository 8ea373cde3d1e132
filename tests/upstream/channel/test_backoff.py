"""The waits between attempts to connect (grpc/grpc, doc/connection-backoff.md)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.channel.backoff import INITIAL, JITTER, MOST, MULTIPLIER, delay


def middle():
    return 0.5


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0.2), (2, 0.32), (3, 0.512), (4, 0.8192), (5, 1.0), (99, 1.0)]
)
def test_delays_grow_by_a_factor_up_to_a_bound(failures, seconds):
    assert delay(failures, middle) == pytest.approx(seconds)


@pytest.mark.parametrize("failures", [10**3, 10**9, 10**30])
def test_any_number_of_failures_has_a_delay(failures):
    assert delay(failures, middle) == MOST


@given(failures=st.integers(1, 10**6), random=st.floats(0, 1, exclude_max=True))
def test_chance_moves_a_delay_by_a_share_either_way(failures, random):
    grown = min(INITIAL * MULTIPLIER ** min(failures - 1, 100), MOST)
    assert grown * (1 - JITTER) <= delay(failures, lambda: random) <= grown * (1 + JITTER) + 1e-9


def test_the_extremes_of_chance_are_reached():
    assert delay(1, lambda: 0.0) == pytest.approx(INITIAL * 0.8)
    assert delay(1, lambda: 0.999999) == pytest.approx(INITIAL * 1.2, rel=1e-5)
