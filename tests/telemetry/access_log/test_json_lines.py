"""Lines of JSON: what is in each, for each kind of thing that a client asked."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, RpcError, Status
from gateway.record import AttemptRecord, Trace
from gateway.telemetry.access_log.json_lines import MOST_CALLS, JsonLines
from gateway.telemetry.access_log.redaction import MOST, Redaction
from tests.telemetry.records import METHOD, Maker, head

NOW = 1_700_000_000.25


class Kept:
    def __init__(self, redact=("*token", "key")):
        self.lines = JsonLines(Redaction(redact), now=lambda: NOW)
        self.texts = []

    def called(self, call):
        pass

    def asked(self, request):
        self.texts.append(self.lines.line(request))

    @property
    def last(self):
        text = self.texts[-1]
        assert text.endswith("\n")
        assert text.count("\n") == 1
        assert text.isascii()
        return json.loads(text)


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def made(kept):
    return Maker(kept)


def test_a_request_with_one_call(made, kept):
    made.usual(head(user_agent="curl/8"), received=12)
    assert list(kept.last.items()) == [
        ("time", "2023-11-14T22:13:20.031250Z"),  # when it began
        ("kind", "request"),
        ("front", "rest"),
        ("http_method", "GET"),
        ("route", "/v1/products/{id}"),
        ("http_status", 200),
        ("method", METHOD),
        ("grpc_status", "OK"),
        ("upstream", "shop"),
        ("endpoint", "127.0.0.1:50051"),
        ("attempts", 1),
        ("request_id", "id-1"),
        ("peer", "192.0.2.1"),
        ("user_agent", "curl/8"),
        ("path", "/v1/products/p1"),
        ("principal", "ann"),
        ("provider", "customers"),
        ("plan", "pro"),
        ("received_bytes", 12),
        ("sent_bytes", 425),
        ("duration_us", 218750),
        ("body_us", 15625),
        ("gates_us", 31250),
        ("upstream_us", 125000),
        ("reply_us", 46875),
    ]


def test_the_phases_add_up_to_the_whole(made, kept):
    record = made.request()
    call = made.call(record, after=0.0003)
    made.attempt(call, 0.002, Code.UNAVAILABLE, after=0.0005)
    made.attempt(call, 0.004, after=0.025, endpoint="127.0.0.1:50052")
    made.ends(call)
    made.answered(record, after=0.0001)
    said = kept.last
    phases = [said[f"{name}_us"] for name in ("body", "gates", "upstream", "reply")]
    assert sum(phases) == said["duration_us"]
    assert said["upstream_us"] == pytest.approx(31000, abs=1)
    assert (said["endpoint"], said["attempts"]) == ("127.0.0.1:50052", 2)


def test_of_hedges_it_names_who_answered(made, kept):
    record = made.request()
    call = made.call(record)
    made.attempt(call, endpoint="127.0.0.1:50052")
    call.tries("127.0.0.1:50051", call.began)
    call.tried(AttemptRecord("shop", "127.0.0.1:50051", call.began, made.clock.now, None))
    made.ends(call)
    made.answered(record)
    assert (kept.last["endpoint"], kept.last["attempts"]) == ("127.0.0.1:50052", 2)


def test_a_call_that_was_given_up_was_at_its_backend_until_then(made, kept):
    record = made.request()
    call = made.call(record)
    made.clock.advance(1 / 32)
    call.tries("127.0.0.1:50051", made.clock.now)
    made.clock.advance(0.5)

    def look():  # which takes time
        made.clock.advance(1 / 8192)
        return made.clock.now

    record.clock = call.clock = look
    record.left()
    said = kept.last
    assert (said["endpoint"], said["attempts"]) == ("127.0.0.1:50051", 1)
    assert (said["body_us"], said["gates_us"]) == (15625, 31250)
    assert said["reply_us"] == 0
    assert sum(said[f"{each}_us"] for each in ("body", "gates", "upstream")) == said["duration_us"]


def test_a_call_that_came_to_no_backend_waited_at_gates(made, kept):
    record = made.request()
    call = made.call(record)
    made.clock.advance(0.5)
    call.failed(RpcError(Status(Code.RESOURCE_EXHAUSTED, "slow down"), reason="RATE_LIMITED"))
    call.ends()
    made.answered(record, 429)
    said = kept.last
    assert said["gates_us"] == pytest.approx(500000, abs=1)
    assert (said["upstream_us"], said["grpc_status"]) == (0, "RESOURCE_EXHAUSTED")
    assert said["reason"] == "RATE_LIMITED"
    assert "endpoint" not in said


def test_a_request_that_is_refused_before_it_is_a_call(made, kept):
    record = made.request(route="")
    record.failed(RpcError(Status(Code.NOT_FOUND, "none"), reason="ROUTE_NOT_FOUND"))
    made.answered(record, 404)
    said = kept.last
    assert (said["http_status"], said["grpc_status"]) == (404, "NOT_FOUND")
    assert said["reason"] == "ROUTE_NOT_FOUND"
    assert not {"route", "method", "upstream", "body_us"} & said.keys()


def test_what_the_listener_refuses_before_it_is_a_request(made, kept):
    record = made.request(head("", verb=""), front="", route="")
    record.refused(Code.INVALID_ARGUMENT, "BAD_REQUEST", "The request is not valid HTTP/1.1.")
    made.answered(record, 400, 0)
    said = kept.last
    assert (said["http_status"], said["reason"]) == (400, "BAD_REQUEST")
    assert not {"http_method", "path", "front"} & said.keys()


def test_a_client_that_left(made, kept):
    record = made.request()
    made.call(record)
    record.left()
    said = kept.last
    assert (said["http_status"], said["gone"]) == (499, True)
    assert "grpc_status" not in said


def test_a_graphql_request_has_its_calls(made, kept):
    record = made.request(
        front="graphql", route="/graphql", operation="Q", operation_type="query", document="ab12"
    )
    for code in (Code.OK, Code.NOT_FOUND):
        call = made.call(record, cached="miss")
        made.attempt(call, code=code)
        made.ends(call, code)
    made.call(record)  # nobody waited for it any more
    made.answered(record)
    said = kept.last
    assert (said["operation"], said["operation_type"], said["document"]) == ("Q", "query", "ab12")
    assert said["calls_made"] == 3
    codes = [each.get("grpc_status") for each in said["calls"]]
    assert codes == ["OK", "NOT_FOUND", None]
    assert said["calls"][0] == {
        "method": METHOD,
        "grpc_status": "OK",
        "duration_us": 156250,
        "upstream": "shop",
        "endpoint": "127.0.0.1:50051",
        "attempts": 1,
        "cached": "miss",
    }


def test_of_many_calls_some_are_in_the_line_and_all_are_counted(made, kept):
    record = made.request(front="graphql")
    for _ in range(MOST_CALLS + 3):
        made.ends(made.call(record))
    made.answered(record)
    assert len(kept.last["calls"]) == MOST_CALLS
    assert kept.last["calls_made"] == MOST_CALLS + 3


def test_a_stream_on_a_socket_names_it_and_counts_messages(made, kept):
    socket = made.request(request_id="socket-1", front="websocket")
    socket.upgraded()
    stream = socket.on_socket("stream")
    stream.front, stream.request_id = "websocket", "stream-1"
    call = stream.call(METHOD)
    call.began = made.clock.now
    call.took(10)
    for size in (7, 8):
        made.clock.advance(0.25)
        call.gave(size)
    made.ends(call)
    stream.end()
    said = kept.last
    assert (said["kind"], said["socket_id"], said["request_id"]) == (
        "stream",
        "socket-1",
        "stream-1",
    )
    assert (said["received_messages"], said["sent_messages"]) == (1, 2)
    assert (said["received_bytes"], said["sent_bytes"]) == (10, 15)
    assert said["first_message_us"] == 250000
    assert not {"http_method", "http_status", "path"} & said.keys()
    socket.close = 4001
    socket.end()
    said = kept.last
    assert (said["kind"], said["http_status"], said["close_code"]) == ("socket", 101, 4001)


def test_a_trace_is_named(made, kept):
    trace = Trace(f"00-{'01' * 16}-{'02' * 8}-03", sampled=True, new=lambda: "03" * 8)
    made.usual(trace=trace)
    assert kept.last["trace_id"] == "01" * 16


def test_secret_parameters_are_left_out(made, kept):
    made.usual(head(query="access_token=s3cr3t&page=2&KEY=s3cr3t"))
    assert kept.last["query"] == "access_token=-&page=2&KEY=-"


def test_what_is_long_is_cut(made, kept):
    made.usual(head("/" + "x" * 60000, "y" * 60000, user_agent="z" * 30000))
    said = kept.last
    assert {len(said[name]) for name in ("path", "query", "user_agent")} == {MOST + 1}
    assert len(kept.texts[-1]) < 4096 * 2


@given(
    st.text(max_size=50),
    st.none() | st.text(max_size=50),
    st.none() | st.text(max_size=50),
    st.text(max_size=20),
)
def test_whatever_clients_send_a_line_is_one_line_of_json(path, query, agent, named):
    kept = Kept()
    headers = {} if agent is None else {"user_agent": agent}
    Maker(kept).usual(head(f"/{path}", query, **headers), request_id=named)
    said = kept.last
    assert said["path"] == f"/{path}"
    assert said.get("user_agent") == agent


def test_what_is_kept_of_what_clients_send_is_small(made, kept):
    tracemalloc.start()
    try:
        for number in range(300):
            made.usual(head(user_agent=f"{number}{'z' * 30000}"))
            kept.texts.clear()
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_line_of_something_alike_is_like_one_of_something_new(made, kept):
    for status in (200, 200, 404):
        record = made.request()
        made.answered(record, status)
    assert [json.loads(each)["http_status"] for each in kept.texts] == [200, 200, 404]
