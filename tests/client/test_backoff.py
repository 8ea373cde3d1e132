import pytest

from gateway.client import Backoff


@pytest.mark.parametrize(
    ("attempt", "most"), [(0, 0.25), (1, 0.5), (2, 1.0), (6, 16.0), (7, 30.0), (10_000, 30.0)]
)
def test_the_ceiling_doubles_with_each_attempt_up_to_the_most(attempt, most):
    assert Backoff(random=lambda: 1.0).delay(attempt) == most


def test_jitter_is_full():
    assert Backoff(random=lambda: 0.0).delay(5) == 0.0
    assert Backoff(random=lambda: 0.5).delay(1) == 0.25


@pytest.mark.parametrize(("first", "most"), [(-1, 1), (2, 1)])
def test_a_backoff_that_makes_no_sense_is_refused(first, most):
    with pytest.raises(ValueError, match="0 <= first <= most"):
        Backoff(first, most)
