"""Which requests are kept, how they are found, and that all of it is bounded."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, Detail, Principal, RpcError, Status
from gateway.errors import Violation, error
from gateway.record import AttemptRecord
from gateway.telemetry.recorder import recorder as module
from gateway.telemetry.recorder.account import LARGEST, LONGEST, account_of, packed
from gateway.telemetry.recorder.recorder import MOST_ANSWERS, Recorder
from gateway.telemetry.recorder.wanted import wanted_of
from tests.telemetry.records import METHOD, Maker, head

NOW = 1_700_000_000.0


def recorder(places=20, sample=0.0, **more):
    return Recorder(
        places,
        sample,
        generation=lambda: 1,
        standing=lambda name: {"endpoints": [], "unresolved": name},
        wall=lambda: NOW,
        **{"random": lambda: 0.5} | more,
    )


def failed(maker, request_id, failure=None, **attributes):
    record = maker.request(request_id=request_id, **attributes)
    call = maker.call(record)
    maker.attempt(call, code=Code.UNAVAILABLE)
    call.failed(failure or RpcError(Status(Code.UNAVAILABLE, "no")))
    call.ends()
    maker.answered(record, 503)
    return record


def test_failures_are_kept_and_found_by_their_id():
    kept = recorder()
    maker = Maker(kept)
    failed(maker, "one")
    maker.usual(request_id="two")
    (found,) = kept.find("one")
    assert found["calls"][0]["error"] == {"code": "UNAVAILABLE", "reason": None, "message": "no"}
    assert found["time"].startswith("2023-11-14T22:13:")
    assert kept.find("two") == []
    assert (kept.told()["seen"], kept.told()["failures"]) == (2, 1)


@pytest.mark.parametrize(
    ("attributes", "status"),
    [
        ({"code": 3}, 200),
        ({}, 404),
        ({"close": 4001, "closed_here": True}, 101),
        ({"close": 1011, "closed_here": True}, 101),
        ({"close": 1002}, 101),
    ],
    ids=["refused", "an HTTP status", "a socket that took nothing", "a bug", "to its client, too"],
)
def test_what_else_is_a_failure(attributes, status):
    kept = recorder()
    maker = Maker(kept)
    maker.answered(maker.request(**attributes), status)
    assert len(kept.find("id-1")) == 1


@pytest.mark.parametrize("close", [0, 1000, 1001, 1005, 1006, 3000, 4001, 4999])
def test_a_socket_whose_client_is_done_is_no_failure(close):
    kept = recorder()
    maker = Maker(kept)
    maker.answered(maker.request(close=close), 101)
    assert kept.find("id-1") == []


def test_sockets_that_close_in_one_way_do_not_push_out_those_that_close_in_another():
    kept = recorder(places=8)
    maker = Maker(kept)
    for name, close in (("slow", 4001), *((f"idle-{number}", 4000) for number in range(60))):
        maker.clock.advance(1)
        maker.answered(maker.request(request_id=name, close=close, closed_here=True), 101)
    assert len(kept.find("slow")) == 1
    assert len(kept.find("idle-59")) == 1


def test_what_went_well_in_an_odd_way_is_kept():
    kept = recorder()
    maker = Maker(kept)
    record = maker.request()
    call = maker.call(record)
    maker.attempt(call, code=Code.UNAVAILABLE)
    maker.attempt(call)
    maker.ends(call)
    maker.answered(record)
    (found,) = kept.find("id-1")
    assert (found["outcome"], found["calls"][0]["attempts_made"]) == ("odd", 2)


def test_a_sample_of_the_rest_is_kept():
    kept = recorder(sample=0.3, random=iter([0.2, 0.4, 0.1]).__next__)
    maker = Maker(kept)
    for name in "abc":
        maker.usual(request_id=name)
    assert [bool(kept.find(name)) for name in "abc"] == [True, False, True]


def test_what_is_slower_than_usual_is_kept():
    kept = recorder()
    maker = Maker(kept)
    for _ in range(300):
        maker.usual(request_id="usual")
    record = maker.request(request_id="slow")
    call = maker.call(record)
    maker.attempt(call, seconds=2)
    maker.ends(call)
    maker.answered(record)
    assert kept.find("slow")[0]["outcome"] == "slow"
    assert kept.find("usual") == []


def test_ids_that_clients_use_again_are_all_told_the_newest_first():
    kept = recorder(places=100)
    maker = Maker(kept)
    for number in range(20):
        failed(maker, "same", RpcError(Status(Code.UNAVAILABLE, f"{number}")))
    found = [each["calls"][0]["error"]["message"] for each in kept.find("same")]
    assert found == [f"{number}" for number in range(19, 19 - MOST_ANSWERS, -1)]


def test_of_an_id_that_comes_again_and_again_no_more_is_read_than_is_told(monkeypatch):
    kept = recorder(places=1000)
    maker = Maker(kept)
    for _ in range(300):
        failed(maker, "same")
    loads, read = json.loads, []
    monkeypatch.setattr(module.json, "loads", lambda text: read.append(text) or loads(text))
    assert len(kept.find("same")) == len(read) == MOST_ANSWERS


def test_what_makes_place_is_not_found_any_more():
    kept = recorder(places=4)
    maker = Maker(kept)
    for number in range(5):
        maker.clock.advance(1)
        failed(maker, f"id-{number}")
    assert [bool(kept.find(f"id-{number}")) for number in range(5)] == [False] * 3 + [True] * 2
    kept.configure(2, 0.0)
    assert [bool(kept.find(f"id-{number}")) for number in range(5)] == [False] * 4 + [True]


def test_what_came_over_a_socket_is_found_by_the_sockets_id_too():
    kept = recorder()
    maker = Maker(kept)
    socket = maker.request(request_id="socket")
    stream = socket.on_socket("stream")
    stream.request_id = "stream"
    stream.refused(3, "INVALID_JSON", "no")
    stream.end()
    assert kept.find("socket") == kept.find("stream") != []
    maker.answered(socket, 101)


def test_the_newest_are_listed_by_what_is_wanted():
    kept = recorder(sample=1.0)
    maker = Maker(kept)
    for name in ("a", "b", "c"):
        failed(maker, name)
    maker.usual(request_id="d")
    assert [each["request_id"] for each in kept.last(failed=True, most=2)] == ["c", "b"]
    assert [each["request_id"] for each in kept.last(failed=False, most=2)] == ["d", "c"]
    only = kept.last(failed=False, most=9, wanted=wanted_of({"principal": "ann"}))
    assert [each["request_id"] for each in only] == ["d"]


def test_what_is_not_listed_is_not_read(monkeypatch):
    kept = recorder(sample=1.0, places=100)
    maker = Maker(kept)
    for number in range(40):
        maker.usual(request_id=f"id-{number}")
    loads, read = json.loads, []
    monkeypatch.setattr(module.json, "loads", lambda text: read.append(text) or loads(text))
    assert len(kept.last(failed=False, most=3, wanted=wanted_of({"method": "GetProduct"}))) == 3
    assert len(read) == 3
    assert kept.last(failed=False, most=3, wanted=wanted_of({"method": "GetOrder"})) == []
    assert len(read) == 3


def account(record):
    return account_of(record, "failed", NOW, 1, lambda _: None)


def test_no_value_of_a_query_or_header_is_kept():
    maker = Maker()
    asked = head(query="token=s3cr3t&page_size=3&m%5Ba%5D=b", authorization="Bearer s3cr3t")
    record = maker.usual(asked)
    text = packed(account(record))
    assert "s3cr3t" not in text
    assert json.loads(text)["http"]["query"] == ["token", "page_size", "m[a]"]


def test_what_is_long_is_cut_and_what_is_much_is_left_out():
    maker = Maker()
    long = "x" * 100_000
    record = maker.request(head(path=f"/{long}"), request_id=long)
    for _ in range(100):
        call = maker.call(record)
        call.method = f"a.B/{long[:500]}"
        for _ in range(50):
            maker.attempt(call, endpoint=long[:100])
        call.note("limits", lambda: [long] * 3)
        call.failed(RpcError(Status(Code.UNKNOWN, long)))
        call.principal = Principal(long, "p")
        call.ends()
    text = packed(account(record))
    assert len(text) <= LARGEST
    assert json.loads(text)["request_id"] == long[:LONGEST] + "…"


TEXT = st.text(alphabet=st.sampled_from("a\x00\ud7ff\U0001f600"), max_size=2 * LONGEST) | st.just(
    "\U0001f600" * LONGEST
)


@given(st.data())
def test_whatever_is_told_it_is_of_a_bounded_size_and_can_be_read(data):
    def text():
        return data.draw(TEXT)

    maker = Maker()
    violations = [Violation(text(), text()) for _ in range(data.draw(st.integers(0, 9)))]
    failure = error("INVALID_BODY", text(), violations=violations)
    names = ("request_id", "route", "operation", "operation_type", "document")
    record = maker.request(head(path=f"/{text()}", query=f"{text()}=1"))
    for name in names:
        setattr(record, name, text())
    record.failed(failure)
    for _ in range(data.draw(st.integers(0, 20))):
        call = maker.call(record)
        call.path, call.method = text(), "a.B/C"
        call.failed(failure)
        if data.draw(st.booleans()):
            call.note("limits", lambda given: [given] * 8, text())
            call.waited("RateLimits", call.began)
            maker.attempt(call, endpoint=text())
    told = packed(account(record))
    assert len(told) <= LARGEST
    read = json.loads(told)
    assert read["http"]["status"] == 0
    assert bool(read.get("calls")) == bool(record.calls)
    assert read["error"]["reason"] == "INVALID_BODY"


def test_of_many_calls_those_that_failed_are_told():
    maker = Maker()
    record = maker.request()
    for number in range(100):
        call = maker.call(record)
        maker.attempt(call)
        maker.ends(call, Code.NOT_FOUND if number == 77 else Code.OK)
    told = account(record)
    assert (told["made"], len(told["calls"])) == (100, 16)
    assert ["error" in each for each in told["calls"]] == [False] * 15 + [True]


def test_fields_that_are_at_fault_are_told():
    maker = Maker()
    wrong = error("INVALID_BODY", "No.", violations=[Violation("items[0]", "it is missing")])
    record = maker.request()
    record.failed(wrong)
    assert account(record)["error"]["fields"] == [
        {"field": "items[0]", "description": "it is missing"}
    ]
    record.details = (Detail("type.googleapis.com/google.rpc.BadRequest", b"\xff"),)
    assert "fields" not in account(record)["error"]


def test_a_deadline_is_told_as_it_was_at_the_beginning():
    maker = Maker()
    record = maker.request()
    call = maker.call(record)
    call.asked, call.until = call.began + 2, call.began + 0.5
    maker.ends(call)
    assert account(record)["calls"][0]["deadline"] == {"asked": 2, "allowed": 0.5}
    assert account(record)["calls"][0]["method"] == METHOD


def test_an_attempt_that_ends_after_the_request_is_told_with_it():
    kept = recorder()
    maker = Maker(kept)
    maker.records.replace([kept], latecomers=[kept])
    record = maker.request()
    call = maker.call(record)
    maker.clock.advance(1 / 4)
    record.left()
    (before,) = kept.find("id-1")
    assert "attempts" not in before["calls"][0]
    assert [each["phase"] for each in before["phases"]][1:-1] == ["in the gateway"]
    call.tried(AttemptRecord("shop", "10.0.0.1:1", call.began, maker.clock.now, None))
    (told,) = kept.find("id-1")[0]["calls"][0]["attempts"]
    assert (told["endpoint"], told["seconds"], told["code"]) == ("10.0.0.1:1", 0.25, None)
    phases = kept.find("id-1")[0]["phases"]
    assert {each["phase"]: each["seconds"] for each in phases} == {
        "request body": 1 / 64, "policies and queues": 0, "backend": 1 / 4, "reply": 0,
    }  # fmt: skip
