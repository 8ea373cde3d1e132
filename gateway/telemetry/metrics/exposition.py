"""Metrics as Prometheus reads them: its text format 0.0.4, and OpenMetrics 1.0.

They differ in how a counter is named in what is said of it, in units, in exemplars, which only
OpenMetrics has, and in its end mark. No sample has a time: what is told is of now.

Sources: Prometheus, "Exposition formats"; OpenMetrics 1.0 ("Text Format"). It is our own since it
writes a sample in a tenth of the time that `prometheus_client` takes, which looks at each name
letter by letter; that library's parsers read in tests what is written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from gateway.telemetry.metrics.catalogue import METRICS
from gateway.telemetry.metrics.definition import Kind, Metric
from gateway.telemetry.metrics.told import Told

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def text(told: Told) -> str:
    """Returns metrics in Prometheus' text format 0.0.4."""
    return "".join(_lines(told, openmetrics=False))


def openmetrics(told: Told) -> str:
    """Returns metrics in OpenMetrics 1.0, with exemplars."""
    return "".join(_lines(told, openmetrics=True)) + "# EOF\n"


def _lines(told: Told, *, openmetrics: bool) -> Iterator[str]:
    for name, metric in METRICS.items():
        rows = told.get(name)
        if rows:
            yield _about(metric, openmetrics=openmetrics)
            for labels, value in rows:
                yield from _samples(metric, labels, value, openmetrics=openmetrics)


def _about(metric: Metric, *, openmetrics: bool) -> str:
    name = metric.prometheus
    if metric.kind is Kind.COUNTER and not openmetrics:
        name += "_total"
    help_ = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    unit = metric.prometheus_unit
    about = f"# HELP {name} {help_}\n# TYPE {name} {metric.kind.value}\n"
    return f"{about}# UNIT {name} {unit}\n" if unit and openmetrics else about


def _samples(
    metric: Metric, labels: Sequence[str], value: Any, *, openmetrics: bool
) -> Iterator[str]:
    name = metric.prometheus
    pairs = [
        f'{label}="{given.translate(_ESCAPES)}"'
        for label, given in zip(metric.prometheus_labels, labels, strict=True)
        if given  # an empty one is none to Prometheus
    ]
    if metric.kind is Kind.HISTOGRAM:
        yield from _buckets(metric, pairs, value, openmetrics=openmetrics)
        return
    ending = "_total" if metric.kind is Kind.COUNTER else ""
    yield f"{name}{ending}{_set(pairs)} {_number(value)}\n"


def _buckets(
    metric: Metric, pairs: Sequence[str], value: Mapping[str, Any], *, openmetrics: bool
) -> Iterator[str]:
    name = metric.prometheus
    before = "".join(f"{pair}," for pair in pairs)
    exemplars = value["exemplars"] if openmetrics else {}
    total = 0
    bounds = [*(_number(float(bound)) for bound in metric.bounds), "+Inf"]
    totals = accumulate(value["counts"])
    for index, (bound, total) in enumerate(zip(bounds, totals, strict=True)):
        shown = _exemplar(exemplars.get(str(index)))
        yield f'{name}_bucket{{{before}le="{bound}"}} {total}{shown}\n'
    yield f"{name}_count{_set(pairs)} {total}\n{name}_sum{_set(pairs)} {_number(value['sum'])}\n"


def _set(pairs: Sequence[str]) -> str:
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _exemplar(exemplar: Sequence[Any] | None) -> str:
    if exemplar is None:
        return ""
    trace, value, at = exemplar
    return f' # {{trace_id="{trace}"}} {_number(value)} {at:.3f}'


def _number(value: float) -> str:
    return repr(value)
