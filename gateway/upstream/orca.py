"""Load reports of backends (ORCA, gRFC A51), and the weights that follow from them (gRFC A58).

A report comes as a trailer of any answer: `xds.data.orca.v3.OrcaLoadReport`, of which only what
weights are made of is read here. Pure: when a report is read, and when it is too old, is
`standing.weights`' to say.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import isfinite
from typing import Final

LOAD_REPORT: Final = "endpoint-load-metrics-bin"
"""The trailer that has a report (gRFC A51)."""

_MOST: Final = 64 * 1024
"""A report larger than this is not read: it comes with answers, and costs each of them."""


class LoadReportError(ValueError):
    """The bytes are no report."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """How busy a backend is, as it says.

    Attributes:
        cpu: The share of its processors that is busy; above 1 where it may take more than its own.
        application: The share of what it says it can take; 0 where it does not say.
        calls: That it answers, a second.
        errors: Those of them that fail, a second.
    """

    cpu: float = 0.0
    application: float = 0.0
    calls: float = 0.0
    errors: float = 0.0

    @property
    def weight(self) -> float:
        """Calls a second that it would answer were it fully busy; 0 where it does not say enough.

        Failures count as load (gRFC A58, with an `error_utilization_penalty` of 1).
        """
        busy = self.application if self.application > 0 else self.cpu
        if self.calls <= 0 or busy <= 0:
            return 0.0
        weight = self.calls / (busy + max(self.errors, 0.0) / self.calls)
        return weight if isfinite(weight) else 0.0


_FIELDS: Final = {1: "cpu", 6: "calls", 7: "errors", 9: "application"}
"""The fields of `OrcaLoadReport` that are read, all of type double."""

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5  # wire types


def read(data: bytes) -> LoadReport:
    """Reads a report.

    Raises:
        LoadReportError: It is none, or too large to be one.
    """
    if len(data) > _MOST:
        raise LoadReportError(f"a load report of {len(data)} bytes")
    found: dict[str, float] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _DOUBLE:
            end = at + 8
            if number in _FIELDS and end <= len(data):
                (value,) = struct.unpack_from("<d", data, at)
                found[_FIELDS[number]] = value if isfinite(value) else 0.0
        elif wire == _VARINT:
            _, end = _varint(data, at)
        elif wire == _BYTES:
            length, at = _varint(data, at)
            end = at + length
        elif wire == _FLOAT:
            end = at + 4
        else:
            raise LoadReportError(f"a load report with a field of wire type {wire}")
        if end > len(data):
            raise LoadReportError("a load report that ends within a field")
        at = end
    return LoadReport(**found)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Returns the number that begins at `at`, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise LoadReportError("a load report with a broken number")
