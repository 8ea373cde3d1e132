"""Which endpoints' calls fail too often, by the counts of an interval. Pure.

Two measures. The share that succeeds is compared with what is usual among the endpoints (gRFC A50,
"Success Rate Algorithm"), but a difference that is small in itself makes no outlier: where nearly
all calls succeed, the deviation is so small that a single failure would. The share that fails is
measured by itself ("Failure Percentage Algorithm"); what is late is left out of it, since clients
choose deadlines, and one that gives a slow method too little time does so at every endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Final, TypeVar

from gateway.upstream.outliers.tally import Counts
from gateway.upstream.spec import OutlierSpec

MARGIN: Final = 0.05
"""By how much a share of successes must be under the mean, however alike the others are."""

K = TypeVar("K")


def outliers(counts: Mapping[K, Counts], spec: OutlierSpec) -> dict[K, str]:
    """Returns which endpoints are outliers, and why, a clause for operators; the worst first.

    Args:
        counts: Of the endpoints that took calls in the interval.
        spec: What makes an outlier.
    """
    enough = {key: each for key, each in counts.items() if each.total >= spec.minimum_requests}
    found = _by_percentage(enough, spec) | _by_success(enough, spec)
    return dict(sorted(found.items(), key=lambda item: _success(enough[item[0]])))


def _success(counts: Counts) -> float:
    return counts.answered / counts.total if counts.total else 1.0


def _by_success(counts: Mapping[K, Counts], spec: OutlierSpec) -> dict[K, str]:
    if not spec.success_rate_stdev or not counts or len(counts) < spec.minimum_hosts:
        return {}
    rates = {key: _success(each) for key, each in counts.items()}
    mean = sum(rates.values()) / len(rates)
    deviation = sqrt(sum((rate - mean) ** 2 for rate in rates.values()) / len(rates))
    least = mean - max(spec.success_rate_stdev * deviation, MARGIN)
    return {
        key: f"{rate:.0%} of its calls succeed, where {mean:.0%} is usual"
        for key, rate in rates.items()
        if rate < least
    }


def _by_percentage(counts: Mapping[K, Counts], spec: OutlierSpec) -> dict[K, str]:
    if not spec.failure_percentage:
        return {}
    shares = {key: each.failed / each.total for key, each in counts.items() if each.total}
    return {
        key: f"{share:.0%} of its calls fail"
        for key, share in shares.items()
        if share * 100 >= spec.failure_percentage
    }
