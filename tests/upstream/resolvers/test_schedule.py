"""When endpoints are looked up again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.resolvers.schedule import LEAST, after_answer, after_failure


@pytest.mark.parametrize(
    ("ttl", "refresh", "seconds"),
    [
        pytest.param(5, 10, 5, id="as long as the answer holds"),
        pytest.param(0, 10, 1, id="a second at least"),
        pytest.param(300, 10, 10, id="refresh at most"),
        pytest.param(None, 10, 10, id="refresh, where the answer does not say"),
        pytest.param(0, 0.2, 0.2, id="less than a second, where the operator says so"),
    ],
)
def test_an_answer_is_believed(ttl, refresh, seconds):
    assert after_answer(ttl, refresh, lambda: 0.0) == seconds


def test_failures_are_looked_at_again_soon_and_later_each_time():
    delays = [after_failure(failures, 10, lambda: 0.0) for failures in range(1, 8)]
    assert delays == [0.5, 1, 2, 4, 8, 10, 10]
    assert after_failure(10**9, 10, lambda: 0.0) == 10


@given(st.none() | st.floats(0, 1e6), st.floats(0.01, 3600), st.floats(0, 1, exclude_max=True))
def test_gateways_ask_a_tenth_apart_and_never_before_the_answer_is_over(ttl, refresh, luck):
    usual = after_answer(ttl, refresh, lambda: 0.0)
    assert min(LEAST, refresh) <= usual <= refresh
    assert usual <= after_answer(ttl, refresh, lambda: luck) <= usual * 1.1
