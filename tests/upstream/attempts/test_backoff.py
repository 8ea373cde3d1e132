"""Waits between attempts: gRFC A6, "Exponential Backoff"."""

import pytest

from gateway.upstream.attempts.backoff import backoff
from gateway.upstream.spec import RetrySpec

SPEC = RetrySpec(base=0.1, most=1.0)


@pytest.mark.parametrize(
    ("number", "seconds"),
    [
        pytest.param(1, 0.1, id="the-first-is-the-initial-one"),
        pytest.param(2, 0.2, id="each-is-twice-the-one-before"),
        pytest.param(4, 0.8, id="and-so-on"),
        pytest.param(5, 1.0, id="up-to-the-longest"),
        pytest.param(10_000, 1.0, id="however-many-there-were"),
    ],
)
def test_waits_are_doubled_up_to_a_bound(number, seconds):
    assert backoff(SPEC, number, lambda: 0.5) == pytest.approx(seconds)


@pytest.mark.parametrize(("luck", "share"), [(0.0, 0.8), (0.25, 0.9), (1.0, 1.2)])
def test_jitter_is_a_fifth_either_way_of_the_longest_too(luck, share):
    assert backoff(SPEC, 1, lambda: luck) == pytest.approx(0.1 * share)
    assert backoff(SPEC, 9, lambda: luck) == pytest.approx(1.0 * share)
