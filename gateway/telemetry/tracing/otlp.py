"""Spans as OTLP has them (opentelemetry-proto, `trace.proto`). Pure functions.

The library's own way, by spans of its SDK, takes ten times as long; what that makes of a span is
the test of this.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Encoded
from opentelemetry.proto.trace.v1.trace_pb2 import SpanFlags, Status
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from gateway.telemetry.tracing.context import shortened
from gateway.telemetry.tracing.numbers import nanoseconds
from gateway.telemetry.tracing.readable import readable
from gateway.telemetry.tracing.span import Kind, Span

_KINDS: Final = {
    Kind.INTERNAL: Encoded.SPAN_KIND_INTERNAL,
    Kind.SERVER: Encoded.SPAN_KIND_SERVER,
    Kind.CLIENT: Encoded.SPAN_KIND_CLIENT,
}
_LOCAL: Final = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE: Final = _LOCAL | SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


_ANY: Final = Span(
    "1" * 32, "1" * 16, None, remote=False, state="", name="", kind=Kind.INTERNAL, began=0, ended=0,
    attributes={},
)  # fmt: skip


def frame(resource: Resource, scope: InstrumentationScope) -> ExportTraceServiceRequest:
    """Returns a request for spans of one maker, without spans."""
    made = encode_spans([readable(_ANY, 0, resource, scope)])
    del made.resource_spans[0].scope_spans[0].spans[:]
    return made


def request(empty: ExportTraceServiceRequest, spans: Iterable[tuple[Span, float]]) -> bytes:
    """Returns a request, serialized.

    Args:
        empty: The request without spans.
        spans: The spans; and what makes seconds since 1970 of their times.
    """
    made = ExportTraceServiceRequest()
    made.CopyFrom(empty)
    to = made.resource_spans[0].scope_spans[0].spans
    for span, offset in spans:
        _encode(span, offset, to.add())
    return made.SerializeToString()


def _encode(span: Span, offset: float, to: Encoded) -> None:
    to.trace_id = bytes.fromhex(span.trace_id)
    to.span_id = bytes.fromhex(span.span)
    to.name = span.name
    to.kind = _KINDS[span.kind]
    to.start_time_unix_nano = nanoseconds(span.began + offset)
    to.end_time_unix_nano = nanoseconds(span.ended + offset)
    to.flags = _LOCAL
    if span.parent is not None:
        to.parent_span_id = bytes.fromhex(span.parent)
        if span.remote:
            to.flags = _REMOTE
    if span.state:
        to.trace_state = shortened(span.state)
    add = to.attributes.add
    for key, said in span.attributes.items():
        value = add(key=key).value
        if isinstance(said, str):
            value.string_value = said
        elif isinstance(said, bool):
            value.bool_value = said
        else:
            value.int_value = said
    for event in span.events:
        to.events.add(name=event.name, time_unix_nano=nanoseconds(event.at + offset))
    for trace_id, linked in span.links:
        to.links.add(trace_id=bytes.fromhex(trace_id), span_id=bytes.fromhex(linked), flags=_LOCAL)
    to.status.code = Status.STATUS_CODE_ERROR if span.failed else Status.STATUS_CODE_UNSET
