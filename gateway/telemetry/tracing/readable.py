"""Spans as the library's SDK has them."""

from __future__ import annotations

from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.status import Status, StatusCode

from gateway.telemetry.tracing.context import shortened
from gateway.telemetry.tracing.numbers import nanoseconds
from gateway.telemetry.tracing.span import Kind, Span

SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)

_KINDS: Final = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.SERVER: SpanKind.SERVER,
    Kind.CLIENT: SpanKind.CLIENT,
}
_UNSET: Final = Status(StatusCode.UNSET)
_FAILED: Final = Status(StatusCode.ERROR)
_NO_STATE: Final = TraceState()


def readable(
    span: Span, offset: float, resource: Resource, scope: InstrumentationScope
) -> ReadableSpan:
    """Returns a span.

    Args:
        span: The span.
        offset: What makes seconds since 1970 of its times.
        resource: Whose it is.
        scope: What made it.
    """
    state = shortened(span.state)
    shared = TraceState.from_header([state]) if state else _NO_STATE

    def context(id_: str, *, remote: bool) -> SpanContext:
        return SpanContext(int(span.trace_id, 16), int(id_, 16), remote, SAMPLED, shared)

    return ReadableSpan(
        span.name,
        context(span.span, remote=False),
        None if span.parent is None else context(span.parent, remote=span.remote),
        resource,
        span.attributes,
        [Event(each.name, timestamp=nanoseconds(each.at + offset)) for each in span.events],
        [_link(*each) for each in span.links],
        _KINDS[span.kind],
        status=_FAILED if span.failed else _UNSET,
        start_time=nanoseconds(span.began + offset),
        end_time=nanoseconds(span.ended + offset),
        instrumentation_scope=scope,
    )


def _link(trace_id: str, span: str) -> Link:
    return Link(SpanContext(int(trace_id, 16), int(span, 16), is_remote=False, trace_flags=SAMPLED))
