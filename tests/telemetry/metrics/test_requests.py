"""What is counted of records as listener and fronts make them."""

from __future__ import annotations

import pytest

from gateway.call import Code
from gateway.record import AttemptRecord, Trace
from gateway.telemetry.metrics import catalogue
from gateway.telemetry.metrics.instruments import OTHER, Histogram
from gateway.telemetry.metrics.metrics import Metrics
from gateway.telemetry.metrics.requests import Requests
from gateway.telemetry.metrics.streams import under_way, with_running
from tests.telemetry.records import METHOD, ROUTE, Maker, head


@pytest.fixture
def requests():
    return Requests(lambda digest: digest == "trusted", wall=lambda: 1000.5)


@pytest.fixture
def made(requests):
    return Maker(requests)


def counted(family):
    """What a family counted, by labels; of histograms how many."""
    return {
        labels: sum(each.counts) if isinstance(each, Histogram) else each.value
        for labels, each in family
        if isinstance(each, Histogram) or each.value
    }


def test_a_request_its_call_and_its_attempt(requests, made):
    record = made.request()
    call = made.call(record)
    made.attempt(call)
    made.ends(call)
    made.answered(record)
    assert counted(requests.http_duration) == {("GET", "http", ROUTE, "200", "1.1", ""): 1}
    assert counted(requests.call_duration) == {("rest", METHOD, "OK", ""): 1}
    assert counted(requests.attempt_duration) == {("grpc", METHOD, "OK", "", "shop"): 1}
    assert counted(requests.bodies) == {("rest", ROUTE, "sent"): 425}
    assert not counted(requests.refusals)
    ((_, duration),) = requests.http_duration
    assert duration.sum == record.ended - record.began


@pytest.mark.parametrize("verb", ["get", "PROPFIND", "X" * 50])
def test_a_method_that_the_conventions_do_not_know(requests, made, verb):
    made.answered(made.request(head(verb=verb)))
    assert counted(requests.http_duration) == {("_OTHER", "http", ROUTE, "200", "1.1", ""): 1}


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        pytest.param(404, "ROUTE_NOT_FOUND", "", id="a mistake of the client's is no error"),
        pytest.param(503, None, "503", id="an error of a backend's"),
        pytest.param(503, "OVERLOADED", "OVERLOADED", id="an error with a reason"),
        pytest.param(500, "a client's words", "_OTHER", id="a reason that nobody knows"),
    ],
)
def test_the_type_of_an_error(requests, made, status, reason, error):
    record = made.request(reason=reason)
    made.answered(record, status)
    ((labels, _),) = requests.http_duration
    assert labels[-1] == error
    known = reason if reason != "a client's words" else "_OTHER"
    assert counted(requests.refusals) == ({("rest", known): 1} if reason else {})


def test_a_client_that_leaves_amid_an_answer_is_an_error_of_its_own(requests, made):
    for leaves in (False, True):
        record = made.request()
        record.replies(200)
        record.left() if leaves else record.end()
    assert counted(requests.http_duration) == {
        ("GET", "http", ROUTE, "200", "1.1", error): 1 for error in ("", "CLIENT_GONE")
    }


def test_a_backend_s_own_cancelled_is_no_error_of_the_server_s(requests, made):
    made.answered(made.request(), 499)
    assert counted(requests.http_duration) == {("GET", "http", ROUTE, "499", "1.1", ""): 1}


def test_a_refusal_is_counted_once_with_its_call(requests, made):
    record = made.request()
    call = made.call(record, reason="RATE_LIMITED")
    made.ends(call, Code.RESOURCE_EXHAUSTED)
    record.reason = "RATE_LIMITED"
    made.answered(record, 429)
    assert counted(requests.refusals) == {("rest", "RATE_LIMITED"): 1}
    assert counted(requests.call_duration) == {
        ("rest", METHOD, "RESOURCE_EXHAUSTED", "RATE_LIMITED"): 1
    }


def test_what_a_client_cancels_itself_is_no_refusal(requests, made):
    socket = made.request(front="websocket")
    stream = socket.on_socket("stream")
    stream.refused(Code.CANCELLED, "CANCELLED", "The client cancelled the call.")
    stream.end()
    assert counted(requests.refusals) == {}


def test_a_call_that_nobody_waited_for_and_its_attempt_after_it(requests, made):
    made.records.replace([requests], latecomers=[requests])
    record = made.request()
    call = made.call(record)
    record.left()
    call.tried(AttemptRecord("shop", "127.0.0.1:1", 0.0, 1.0, None))
    assert counted(requests.http_duration) == {
        ("GET", "http", ROUTE, "499", "1.1", "CLIENT_GONE"): 1
    }
    assert counted(requests.call_duration) == {("rest", METHOD, "CANCELLED", "CANCELLED"): 1}
    assert counted(requests.attempt_duration) == {
        ("grpc", METHOD, "CANCELLED", "CANCELLED", "shop"): 1
    }


def test_what_the_cache_did(requests, made):
    for cached in ("hit", "hit", "miss", ""):
        record = made.request()
        made.ends(made.call(record, cached=cached))
        made.answered(record)
    assert counted(requests.cached) == {(METHOD, "hit"): 2, (METHOD, "miss"): 1}


def test_a_socket_is_a_request_until_it_is_one_and_closes_with_a_code(requests, made):
    record = made.request(front="websocket", route="/ws")
    made.clock.advance(0.5)
    record.upgraded()
    made.clock.advance(100)
    record.close = 1001
    record.end()
    ((labels, duration),) = requests.http_duration
    assert (labels, duration.sum) == (("GET", "http", "/ws", "101", "1.1", ""), 0.5)
    assert counted(requests.closes) == {("websocket", "1001"): 1}


@pytest.mark.parametrize(("document", "name"), [("trusted", "Cart"), ("another", "")])
def test_only_trusted_documents_name_operations(requests, made, document, name):
    record = made.request(
        front="graphql", operation="Cart", operation_type="query", document=document, cost=7
    )
    made.answered(record)
    assert counted(requests.operation_duration) == {("query", name, ""): 1}
    assert requests.cost.child().sum == 7


def test_messages_are_counted_while_the_stream_runs_and_after(requests, made):
    record = made.request()
    call = made.call(record)
    running = {call}
    call.took(10)
    for _ in range(3):
        call.gave(100)
    call.stalls = 2
    ways = {("rest", METHOD, "received"): 1, ("rest", METHOD, "sent"): 3}

    def told(running):
        found = with_running(requests, running)
        return {tuple(labels): value for labels, value in found[catalogue.MESSAGES.name]}

    assert list(under_way(running)) == [(("rest", METHOD), 1)]
    assert told(running) == ways
    made.ends(call)
    assert told(()) == ways
    found = with_running(requests, ())
    assert found[catalogue.STALLS.name] == [[["rest", METHOD], 2]]
    assert [["rest", METHOD, "sent"], 300] in found[catalogue.MESSAGE_BYTES.name]


def test_a_stream_that_waits_for_nobody_has_no_series_of_that(requests, made):
    call = made.call(made.request())
    call.took(10)
    assert not with_running(requests, {call})[catalogue.STALLS.name]
    made.ends(call)
    assert not with_running(requests, ())[catalogue.STALLS.name]


def test_a_request_that_is_traced_is_an_example(requests, made):
    record = made.request()
    record.trace = Trace(f"00-{'0a' * 16}-{'0b' * 8}-03", sampled=True, new=str)
    made.answered(record)
    ((_, duration),) = requests.http_duration
    ((_, exemplar),) = duration.exemplars.items()
    assert exemplar == ("0a" * 16, record.ended - record.began, 1000.5)


def test_what_clients_say_does_not_grow_the_labels_without_end(requests, made):
    for number in range(catalogue.HTTP_DURATION.most + 10):
        made.answered(made.request(route=f"/{number}"))
    labels = [labels for labels, _ in requests.http_duration]
    assert len(labels) == catalogue.HTTP_DURATION.most + 1
    assert labels[-1] == (OTHER,) * 6
    assert requests.http_duration.overflows == 10


@pytest.mark.parametrize(
    ("code", "by_us", "label"),
    [
        pytest.param(4001, True, "4001", id="ours"),
        pytest.param(1001, False, "1001", id="a standard one"),
        pytest.param(3519, False, "_OTHER", id="one that a client has chosen"),
    ],
)
def test_no_client_chooses_a_label_by_how_it_closes(requests, made, code, by_us, label):
    record = made.request(front="websocket")
    record.upgraded()
    record.close, record.closed_here = code, by_us
    record.end()
    assert counted(requests.closes) == {("websocket", label): 1}


async def test_a_stream_that_still_cleans_up_for_a_client_that_left_is_counted_once():
    running = set()
    metrics = Metrics(0, lambda: running, lambda _: False)
    made = Maker(metrics.requests)
    record = made.request()
    call = made.call(record)
    running.add(call)
    call.gave(7)
    try:
        before = metrics.told()[catalogue.MESSAGES.name]
        record.left()  # its task has not ended yet
        assert metrics.told()[catalogue.MESSAGES.name] == before
        assert not metrics.told()[catalogue.STREAMS.name]
    finally:
        metrics.close()


def test_what_clients_make_up_does_not_stay(requests, made, monkeypatch):
    monkeypatch.setattr("gateway.telemetry.metrics.requests._ENTRIES", 8)
    for number in range(20):
        made.answered(made.request(head(verb=f"X{number}"), route=""), 400)
    assert len(requests._requests) <= 8
    made.usual()
    known = len(requests._requests)
    made.usual()
    assert len(requests._requests) == known, "what comes again is found again"
    assert sum(counted(requests.http_duration).values()) == 22
