"""Has spans made of records that are complete, and gives them to who exports them.

Spans of a request and its calls are made at its end. Where a call was given up, its attempts hear
of it after that, and backends know their ids: spans of those are made as they end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import time
from typing import Protocol

from gateway.record import AttemptRecord, CallRecord, RequestRecord
from gateway.telemetry.tracing.calls import span_of_attempt
from gateway.telemetry.tracing.span import Span
from gateway.telemetry.tracing.spans import spans_of


class Exporter(Protocol):
    """Takes spans. Must not wait."""

    def take(self, spans: Sequence[Span], offset: float) -> None:
        """Takes spans that are complete.

        Args:
            spans: The spans.
            offset: What makes seconds since 1970 of their times.
        """


class Keeping:
    """Makes spans (`gateway.record.Keeper`, `gateway.telemetry.records.Latecomer`).

    Args:
        exporter: Takes them.
        principal: Whether spans say who made a request.
        wall: Seconds since 1970.
    """

    __slots__ = ("_exporter", "_principal", "_wall")

    def __init__(
        self, exporter: Exporter, *, principal: bool = False, wall: Callable[[], float] = time
    ) -> None:
        self._exporter = exporter
        self._principal = principal
        self._wall = wall

    def called(self, call: CallRecord) -> None:
        """See Keeper: spans of calls are made with those of their requests."""

    def asked(self, request: RequestRecord) -> None:
        """See Keeper."""
        trace = request.trace
        if trace is not None and trace.sampled:
            spans = spans_of(request, principal=self._principal)
            self._exporter.take(spans, self._wall() - request.clock())

    def tried(self, call: CallRecord, attempt: AttemptRecord) -> None:
        """See Latecomer."""
        span = span_of_attempt(call, attempt)
        if span is not None:
            self._exporter.take([span], self._wall() - call.clock())
