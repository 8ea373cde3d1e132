"""What a backend is told of the trace that an attempt belongs to: a span of the attempt's own."""

from __future__ import annotations

from gateway.call import Call, Metadata
from gateway.record import TRACEPARENT, TRACESTATE, CallRecord


def told(metadata: Metadata, record: CallRecord) -> tuple[Metadata, str | None]:
    """Returns the metadata of an attempt, and the id of its span.

    Args:
        metadata: The call's own.
        record: The call's, which has a span.
    """
    trace = record.request.trace
    if trace is None:
        return metadata, None
    span = trace.new()
    # A `tracestate` that is not valid, or without a valid `traceparent`, goes no further.
    gone = (TRACEPARENT,) if trace.state else (TRACEPARENT, TRACESTATE)
    others = metadata.without(*gone)
    return Metadata((*others, (TRACEPARENT, trace.below(span)))), span


def traced(call: Call, record: CallRecord) -> tuple[Call, str | None]:
    """Returns what an attempt sends in place of a call, and the id of its span."""
    metadata, span = told(call.metadata, record)
    return Call(**call.parts() | {"metadata": metadata}), span
