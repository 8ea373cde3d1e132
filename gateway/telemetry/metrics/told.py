"""The numbers of one process at a moment, in a form that JSON has: what workers tell.

Of each metric by its name, a list of `[labels, value]`; the value of a histogram is an object. What
the names and labels mean is the catalogue's: who tells and who hears have the same one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from gateway.telemetry.metrics.instruments import Histogram, Histograms, Numbers

Rows: TypeAlias = "list[list[Any]]"
"""`[labels, value]`, for each set of labels of a metric."""

Told: TypeAlias = "dict[str, Rows]"
"""By the metric's name."""


def numbers(family: Numbers) -> Rows:
    """Returns what is told of counters, or of gauges."""
    return [[list(labels), number.value] for labels, number in family]


def histograms(family: Histograms) -> Rows:
    """Returns what is told of histograms: each `counts`, `sum` and `exemplars` by bucket."""
    return [[list(labels), _histogram(each)] for labels, each in family]


def _histogram(histogram: Histogram) -> dict[str, Any]:
    exemplars = histogram.exemplars or {}
    return {
        "counts": list(histogram.counts),
        "sum": histogram.sum,
        "exemplars": {str(bucket): list(each) for bucket, each in exemplars.items()},
    }


def rows(found: Iterable[tuple[tuple[str, ...], float]]) -> Rows:
    """Returns what is told of numbers that were read."""
    return [[list(labels), value] for labels, value in found]
