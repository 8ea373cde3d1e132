"""What a metric is: its name, kind, unit and labels, and how those of several workers become one.

Names and labels are OpenTelemetry's, with dots; what Prometheus calls them follows from them by
OpenTelemetry's own rules (OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility",
"OTLP Metric points to Prometheus"). Nothing is counted here.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

_UNITS: Final = {"s": "seconds", "By": "bytes"}
"""Units as Prometheus writes them. Those in braces are annotations, and are left out of names."""


class Kind(Enum):
    """What the numbers of a metric are."""

    COUNTER = "counter"
    """A number that only grows."""
    GAUGE = "gauge"
    """How much there is now."""
    HISTOGRAM = "histogram"
    """How many there were of each size."""


class Together(Enum):
    """How the numbers of several workers become one."""

    SUM = "sum"
    MAX = "max"


class Metric(NamedTuple):
    """One metric.

    Attributes:
        name: Its name, `http.server.request.duration`.
        kind: What its numbers are.
        help: What it says, in a sentence.
        labels: Names of its labels, `http.request.method`.
        unit: In the code of UCUM: `s`, `By`, `{request}`.
        bounds: Upper bounds of a histogram's buckets, each inclusive, without the last.
        together: How the numbers of several workers become one: of a counter their sum. Of what
            differs from one to the other the worker is a label.
        most: Sets of labels that are told apart; all beyond are one, `_other`.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    bounds: tuple[float, ...] = ()
    together: Together = Together.SUM
    most: int = 500

    @property
    def prometheus(self) -> str:
        """Its name for Prometheus, without what a sample's name ends with (`_total`, `_bucket`)."""
        name = self.name.replace(".", "_")
        unit = self.prometheus_unit
        return f"{name}_{unit}" if unit and not name.endswith(f"_{unit}") else name

    @property
    def prometheus_unit(self) -> str:
        """Its unit, as Prometheus writes it; empty for none."""
        return _UNITS.get(self.unit, "")

    @property
    def prometheus_labels(self) -> tuple[str, ...]:
        """Names of its labels for Prometheus."""
        return tuple(label.replace(".", "_") for label in self.labels)

    @property
    def samples(self) -> tuple[str, ...]:
        """The names by which Prometheus keeps it: what a query may ask for."""
        name = self.prometheus
        if self.kind is Kind.COUNTER:
            return (f"{name}_total",)
        if self.kind is Kind.GAUGE:
            return (name,)
        return (f"{name}_bucket", f"{name}_count", f"{name}_sum")
