"""Spans as OTLP has them: what the library makes of the same spans is the reference."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from gateway.telemetry.tracing import otlp
from gateway.telemetry.tracing.readable import readable
from gateway.telemetry.tracing.span import Event, Kind, Span

RESOURCE = Resource({"service.name": "shop", "service.instance.id": "one"})
SCOPE = InstrumentationScope("gateway", "1.2.3")
FRAME = otlp.frame(RESOURCE, SCOPE)

TRACE_IDS = st.integers(1, 2**128 - 1).map(lambda number: f"{number:032x}")
SPAN_IDS = st.integers(1, 2**64 - 1).map(lambda number: f"{number:016x}")
TIMES = st.floats(0, 1e9)
VALUES = st.text() | st.booleans() | st.integers(-(2**63), 2**63 - 1)
SPANS = st.builds(
    Span,
    TRACE_IDS,
    SPAN_IDS,
    st.none() | SPAN_IDS,
    remote=st.booleans(),
    state=st.sampled_from(
        ["", "a=1", "a=1,b=2", "x@y=" + "z" * 200, f"a={'z' * 250},b={'y' * 250}"]
    ),
    name=st.text(),
    kind=st.sampled_from(Kind),
    began=TIMES,
    ended=TIMES,
    attributes=st.dictionaries(st.text(min_size=1), VALUES, max_size=5),
    failed=st.booleans(),
    events=st.lists(st.builds(Event, st.text(), TIMES), max_size=3),
    links=st.lists(st.tuples(TRACE_IDS, SPAN_IDS), max_size=3),
)


@given(st.lists(st.tuples(SPANS, st.floats(0, 2e9)), min_size=1, max_size=4))
def test_a_request_says_what_the_librarys_says(spans):
    theirs = encode_spans([readable(*each, RESOURCE, SCOPE) for each in spans])
    ours = ExportTraceServiceRequest.FromString(otlp.request(FRAME, spans))
    assert ours == theirs


def test_a_frame_has_no_spans_and_says_who_makes_them():
    (made,) = FRAME.resource_spans
    assert {each.key: each.value.string_value for each in made.resource.attributes} == {
        "service.name": "shop",
        "service.instance.id": "one",
    }
    (scope,) = made.scope_spans
    assert (scope.scope.name, scope.scope.version, list(scope.spans)) == ("gateway", "1.2.3", [])
