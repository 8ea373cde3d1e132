"""How what several workers tell becomes one, over their lives. No counter goes back.

A worker that ends takes its counters with it; of their sum Prometheus could not know. So what it
told last stays in the sum, and so does what a worker told last that does not answer in time. What
it counted after that is lost. Gauges are of those that answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from gateway.telemetry.metrics.catalogue import METRICS
from gateway.telemetry.metrics.definition import Kind, Metric, Together
from gateway.telemetry.metrics.instruments import OTHER
from gateway.telemetry.metrics.told import Rows, Told

Content: TypeAlias = "dict[str, Any]"
"""The answer to the operation `metrics`: `worker`, its number; `life`, which differs from one start
of it to the next; `metrics`, what it tells (`Told`)."""

_TOGETHER: Final[Mapping[Together, Callable[[Sequence[float]], float]]] = {
    Together.SUM: sum,
    Together.MAX: max,
}


class Workers:
    """What all workers told last, and what those counted that have ended."""

    def __init__(self) -> None:
        self._last: dict[int, Content] = {}
        self._ended: Told = {}

    def merge(self, answers: Sequence[Content]) -> Content:
        """Returns the answer of all workers.

        Args:
            answers: Those of the workers that answer now.
        """
        for answer in answers:
            before = self._last.get(answer["worker"])
            if before is not None and before["life"] != answer["life"]:
                self._ended = added([self._ended, _counters(before["metrics"])])
            self._last[answer["worker"]] = answer
        there = {answer["worker"] for answer in answers}
        silent = [
            _counters(each["metrics"]) for worker, each in self._last.items() if worker not in there
        ]
        told = [answer["metrics"] for answer in answers]
        return {"metrics": added([*told, *silent, self._ended])}


def added(told: Sequence[Told]) -> Told:
    """Returns what several tell as one."""
    names = dict.fromkeys(name for each in told for name in each)
    return {name: _one(METRICS[name], [each.get(name, []) for each in told]) for name in names}


def _counters(told: Told) -> Told:
    return {name: rows for name, rows in told.items() if METRICS[name].kind is not Kind.GAUGE}


def _one(metric: Metric, given: Sequence[Rows]) -> Rows:
    groups: dict[tuple[str, ...], list[Any]] = {}
    for rows in given:
        for labels, value in rows:
            key = tuple(labels)
            if key not in groups and len(groups) >= metric.most:
                key = (OTHER,) * len(key)
            groups.setdefault(key, []).append(value)
    if metric.kind is Kind.HISTOGRAM:
        return [[list(labels), _histogram(values)] for labels, values in groups.items()]
    together = _TOGETHER[metric.together]
    return [[list(labels), together(values)] for labels, values in groups.items()]


def _histogram(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    exemplars: dict[str, list[Any]] = {}
    for value in values:
        for bucket, exemplar in value["exemplars"].items():
            if bucket not in exemplars or exemplars[bucket][2] < exemplar[2]:
                exemplars[bucket] = exemplar
    return {
        "counts": [sum(counts) for counts in zip(*(v["counts"] for v in values), strict=True)],
        "sum": sum(value["sum"] for value in values),
        "exemplars": exemplars,
    }
