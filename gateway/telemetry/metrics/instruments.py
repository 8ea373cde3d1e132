"""What counts: a number, or a histogram, for each set of labels; and what has them, bounded.

For one thread, without locks. What counts often asks for a child once and keeps it: to count is an
addition then. A family has so many children at most; all sets of labels beyond share one whose
labels are `_other`, and how often that was asked for is counted (`Family.overflows`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, Generic, NamedTuple, TypeVar

from gateway.telemetry.metrics.definition import Metric

OTHER: Final = "_other"
"""The value of all labels of what is beyond a family's bound."""

T = TypeVar("T")


class Number:
    """A counter, or a gauge.

    Attributes:
        value: It.
    """

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0


class Exemplar(NamedTuple):
    """A request that a bucket counted last, to look at.

    Attributes:
        trace: Its trace id, in hexadecimal digits.
        value: What was observed.
        at: When, seconds since 1970.
    """

    trace: str
    value: float
    at: float


class Histogram:
    """A histogram.

    Attributes:
        bounds: Upper bounds of its buckets, each inclusive, without the last.
        counts: How many were in each bucket, the last for all beyond the bounds. Not cumulative.
        sum: All together.
        exemplars: By bucket.
    """

    __slots__ = ("bounds", "counts", "exemplars", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        self.exemplars: dict[int, Exemplar] | None = None

    def observe(self, value: float) -> None:
        """Counts a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def show(self, exemplar: Exemplar) -> None:
        """Takes down an example of what was counted."""
        if self.exemplars is None:
            self.exemplars = {}
        self.exemplars[bisect_left(self.bounds, exemplar.value)] = exemplar


class _Family(ABC, Generic[T]):
    """The children of one metric.

    Attributes:
        metric: The metric.
        overflows: How often a set of labels was asked for that is one too many.
    """

    __slots__ = ("_children", "_rest", "metric", "overflows")

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.overflows = 0
        self._children: dict[tuple[str, ...], T] = {}
        self._rest = (OTHER,) * len(metric.labels)

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], T]]:
        return iter(self._children.items())

    def child(self, *labels: str) -> T:
        """Returns what counts for a set of labels.

        Args:
            labels: Their values, in the order of the metric's.
        """
        assert len(labels) == len(self.metric.labels), f"{self.metric.name} has other labels"
        found = self._children.get(labels)
        if found is not None:
            return found
        if len(self._children) >= self.metric.most and labels != self._rest:
            self.overflows += 1
            return self.child(*self._rest)
        made = self._children[labels] = self._make()
        return made

    @abstractmethod
    def _make(self) -> T:
        """Returns what counts for a set of labels that is new."""


class Numbers(_Family[Number]):
    """The numbers of a counter or a gauge, by their labels."""

    __slots__ = ()

    def _make(self) -> Number:
        return Number()


class Histograms(_Family[Histogram]):
    """The histograms of a metric, by their labels."""

    __slots__ = ()

    def _make(self) -> Histogram:
        return Histogram(self.metric.bounds)
