"""What several workers tell as one, over their lives."""

from __future__ import annotations

from gateway.telemetry.metrics import catalogue, standing, terms
from gateway.telemetry.metrics.merging import Workers

REFUSED, OPEN, BREAKER, LAG = (
    catalogue.REFUSALS.name,
    catalogue.CONNECTIONS.name,
    catalogue.BREAKER.name,
    standing.LAG.name,
)


def answer(worker, count, *, life="1", connections=1, breaker=0, lag=0.5, at=1.0):
    buckets = [0] * (len(terms.SHORT) + 1)
    buckets[3] = count
    return {
        "worker": worker,
        "life": life,
        "metrics": {
            REFUSED: [[["rest", "RATE_LIMITED"], count]],
            OPEN: [[[], connections]],
            BREAKER: [[["shop"], breaker]],
            LAG: [[["all"], {"counts": buckets, "sum": lag, "exemplars": {"3": ["t", lag, at]}}]],
        },
    }


def value(merged, name):
    ((_, found),) = merged["metrics"][name]
    return found


def test_counters_and_histograms_are_added_up_and_gauges_as_each_says():
    merged = Workers().merge([answer(1, 2, breaker=1), answer(2, 3)])
    assert value(merged, REFUSED) == 5
    assert value(merged, OPEN) == 2
    assert value(merged, BREAKER) == 1
    assert value(merged, LAG)["counts"][3] == 5
    assert value(merged, LAG)["sum"] == 1.0


def test_the_last_exemplar_of_a_bucket_stays():
    merged = Workers().merge([answer(1, 1, lag=0.25, at=9.0), answer(2, 1, lag=0.5, at=3.0)])
    assert value(merged, LAG)["exemplars"] == {"3": ["t", 0.25, 9.0]}


def test_a_worker_that_is_silent_keeps_what_it_told_last_but_its_gauges():
    workers = Workers()
    workers.merge([answer(1, 2), answer(2, 3)])
    merged = workers.merge([answer(2, 4)])
    assert value(merged, REFUSED) == 6
    assert value(merged, OPEN) == 1


def test_what_a_worker_counted_before_it_was_started_again_stays():
    workers = Workers()
    workers.merge([answer(1, 2), answer(2, 3)])
    for count in (0, 1):
        merged = workers.merge([answer(1, count, life="2"), answer(2, 3)])
        assert value(merged, REFUSED) == 5 + count
    merged = workers.merge([answer(1, 0, life="3"), answer(2, 3)])
    assert value(merged, REFUSED) == 6
    assert value(merged, LAG)["counts"][3] == 6


def test_labels_of_one_are_told_beside_those_of_the_other():
    other = answer(2, 1)
    other["metrics"][REFUSED] = [[["graphql", "RATE_LIMITED"], 7]]
    merged = Workers().merge([answer(1, 2), other])
    assert merged["metrics"][REFUSED] == [
        [["rest", "RATE_LIMITED"], 2],
        [["graphql", "RATE_LIMITED"], 7],
    ]
