"""What the spans of a record are: names, attributes, who is below whom."""

import pytest

from gateway.call import Code, Principal, RpcError, Status
from gateway.record import AttemptRecord
from gateway.telemetry.tracing.beginning import Beginning
from gateway.telemetry.tracing.keeping import Keeping
from gateway.telemetry.tracing.span import Kind, address
from tests.telemetry.records import METHOD, Maker, head
from tests.upstream.fakes import Clock


class Taken:
    """Takes spans."""

    def __init__(self):
        self.spans = []
        self.offset = None

    def take(self, spans, offset):
        self.spans += spans
        self.offset = offset

    def of(self, kind):
        return [each for each in self.spans if each.kind is kind]


@pytest.fixture
def taken():
    return Taken()


@pytest.fixture
def made(taken):
    return maker(taken)


def maker(taken, share=1.0, **options):
    keeping = Keeping(taken, wall=lambda: 1000.0, **options)
    made = Maker(keeping)
    made.records.replace([keeping], [Beginning(share, 0, Clock())], [keeping])
    return made


def tries(made, call, code=Code.OK, seconds=0.25, **more):
    began = made.clock.now
    made.clock.advance(seconds)
    span = call.request.trace.new()
    attempt = AttemptRecord("shop", "[::1]:50051", began, made.clock.now, code, span=span, **more)
    call.tried(attempt)
    return attempt


def test_nothing_is_said_of_one_that_is_not_sampled(taken):
    made = maker(taken, share=0)
    made.usual()
    assert not taken.spans


def test_a_request_its_call_and_its_attempt_are_below_each_other(made, taken):
    record = made.request(head(user_agent="curl/8"))
    call = made.call(record, cached="miss", path="a")
    attempt = tries(made, call)
    made.ends(call)
    made.answered(record)
    request, its_call, tried = taken.spans
    assert [each.kind for each in taken.spans] == [Kind.SERVER, Kind.INTERNAL, Kind.CLIENT]
    assert (request.span, its_call.span, tried.span) == (record.trace.span, call.span, attempt.span)
    assert [each.parent for each in taken.spans] == [None, request.span, its_call.span]
    assert {each.trace_id for each in taken.spans} == {record.trace.trace_id}
    assert (request.began, request.ended) == (record.began, record.ended)
    assert taken.offset == 1000.0 - made.clock.now
    assert request.name == "GET /v1/products/{id}"
    assert request.attributes["user_agent.original"] == "curl/8"
    assert request.attributes["gateway.request_id"] == "id-1"
    assert (its_call.name, its_call.attributes["gateway.cached"]) == (METHOD, "miss")
    assert its_call.attributes["gateway.graphql.path"] == "a"
    assert (tried.attributes["server.address"], tried.attributes["server.port"]) == ("::1", 50051)
    assert not any(each.failed for each in taken.spans)


def test_what_a_call_waited_for_is_below_it(made, taken):
    record = made.request()
    call = made.call(record)
    began = made.clock.now
    made.clock.advance(0.5)
    call.waited("authenticate", began)
    made.ends(call)
    made.answered(record)
    _, its_call, waited = taken.spans
    assert (waited.name, waited.kind, waited.parent) == (
        "authenticate",
        Kind.INTERNAL,
        its_call.span,
    )
    assert waited.ended - waited.began == 0.5


def test_attempts_stand_beside_each_other_and_say_how_many_were_before(made, taken):
    record = made.request()
    call = made.call(record)
    tries(made, call, Code.UNAVAILABLE, seen=False)
    tries(made, call)
    made.ends(call)
    made.answered(record)
    first, second = taken.of(Kind.CLIENT)
    assert (first.failed, first.attributes["error.type"]) == (True, "UNAVAILABLE")
    assert first.attributes["gateway.attempt.sent"] is False
    assert "previous-rpc-attempts" not in first.attributes
    assert (second.failed, second.attributes["previous-rpc-attempts"]) == (False, 1)
    assert first.parent == second.parent == call.span


def test_an_attempt_that_hears_late_that_nobody_waits_has_its_span_all_the_same(made, taken):
    record = made.request()
    call = made.call(record)
    record.left()
    request, its_call = taken.spans
    assert (request.failed, request.attributes["error.type"]) == (True, "CLIENT_GONE")
    assert its_call.attributes["rpc.response.status_code"] == "CANCELLED"
    attempt = tries(made, call, None)
    late = taken.spans[-1]
    assert (late.span, late.parent, late.failed) == (attempt.span, call.span, False)
    assert late.attributes["gateway.attempt.given_up"] is True


@pytest.mark.parametrize(
    ("status", "code", "reason", "error"),
    [
        pytest.param(200, None, None, None, id="well"),
        pytest.param(404, Code.NOT_FOUND, None, None, id="the-client's-fault"),
        pytest.param(429, Code.RESOURCE_EXHAUSTED, "RATE_LIMITED", None, id="refused"),
        pytest.param(503, Code.UNAVAILABLE, None, "503", id="a-backend's"),
        pytest.param(
            504, Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", id="ours"
        ),
    ],
)
def test_a_request_fails_from_500_on(made, taken, *, status, code, reason, error):
    record = made.request()
    if code is not None:
        record.failed(RpcError(Status(code, "said to the client"), reason=reason))
    made.answered(record, status)
    (span,) = taken.spans
    assert (span.failed, span.attributes.get("error.type")) == (error is not None, error)
    assert span.attributes.get("gateway.reason") == reason
    assert "said to the client" not in map(str, span.attributes.values())


def test_a_method_that_nobody_knows_names_nothing(made, taken):
    made.answered(made.request(head(verb="BREW"), route=""), 405)
    (span,) = taken.spans
    assert span.name == "HTTP"
    assert span.attributes["http.request.method"] == "_OTHER"
    assert span.attributes["http.request.method_original"] == "BREW"


def test_queries_are_left_out(made, taken):
    made.usual(head(query="token=s3cr3t"))
    assert "s3cr3t" not in str(taken.spans)


@pytest.mark.parametrize("principal", [False, True])
def test_who_asked_is_said_where_that_is_wanted(taken, principal):
    maker(taken, principal=principal).usual(principal=Principal("ann", "customers"))
    assert ("enduser.id" in taken.spans[0].attributes) is principal
    assert ("'ann'" in str([each.attributes for each in taken.spans])) is principal


def test_a_stream_on_a_socket_links_to_the_socket(made, taken):
    socket = made.request()
    socket.upgraded()
    stream = socket.on_socket("stream")
    call = made.call(stream)
    call.gave(10)
    made.ends(call, Code.INTERNAL)
    stream.end()
    socket.close = 1000
    socket.end()
    over, its_call, itself = taken.spans
    assert (over.name, over.kind, over.parent) == (METHOD, Kind.SERVER, None)
    assert over.links == ((socket.trace.trace_id, socket.trace.span),)
    assert (over.failed, over.attributes["error.type"]) == (True, "INTERNAL")
    assert [each.name for each in its_call.events] == ["first message"]
    assert its_call.attributes["gateway.messages.sent"] == 1
    assert itself.attributes["gateway.websocket.close_code"] == 1000


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("127.0.0.1:50051", ("127.0.0.1", 50051)),
        ("[::1]:50051", ("::1", 50051)),
        ("shop.example", ("shop.example", None)),
        ("unix:/run/shop:1", ("/run/shop:1", None)),
        ("", ("", None)),
    ],
)
def test_addresses(given, expected):
    assert address(given) == expected
