"""Causes that end-to-end faults do not reach, and that there is a hint for each, with a page."""

from pathlib import Path

import pytest

from gateway.errors import REASONS
from gateway.telemetry.recorder.causes import CLOSES, cause_of
from gateway.telemetry.recorder.explaining import Present, Setting, explain
from gateway.telemetry.recorder.hints import HINTS, hint_of

DOCS = Path(__file__).parents[3] / "docs"
HTTP = {"method": "GET", "path": "/", "query": [], "status": 200}


def account(*calls, **given):
    told = {"seconds": 1.0, "http": HTTP, "generation": 1, "phases": [], "calls": list(calls)}
    return told | given


def call(**given):
    return {"method": "a.B/C", "upstream": "shop", "began": 0.1, "seconds": 0.8} | given


def attempt(code="OK", **given):
    return {"endpoint": "10.0.0.1:1", "began": 0.1, "seconds": 0.6, "code": code} | given


def fault(reason, code="UNAVAILABLE", message="It failed."):
    return {"error": {"code": code, "reason": reason, "message": message}}


UNREACHED = fault("UPSTREAM_UNAVAILABLE")
OUT = {"cause": "ejected", "why": "5 of its calls failed in a row"}
ILL = {"cause": "unhealthy", "why": "it says NOT_SERVING"}


def endpoint(*out):
    return {"address": "10.0.0.1:1", "state": "ready", "out": list(out), "panic": False}


def standing(*endpoints, unresolved=None):
    return {"endpoints": {"unresolved": unresolved, "endpoints": list(endpoints)}}


CASES = {
    "all ejected": (
        account(call(**UNREACHED, **standing(endpoint(OUT)))),
        ("ENDPOINTS_EJECTED", "No endpoint of shop takes calls: 10.0.0.1:1: ejected, 5 of its"),
    ),
    "all unhealthy": (
        account(call(**UNREACHED, **standing(endpoint(ILL)))),
        ("ENDPOINTS_UNHEALTHY", "unhealthy, it says NOT_SERVING"),
    ),
    "no endpoint": (
        account(call(**UNREACHED, **standing())),
        ("NOT_RESOLVED", "it has no endpoint"),
    ),
    "not resolved": (
        account(call(**UNREACHED, **standing(unresolved="NXDOMAIN"))),
        ("NOT_RESOLVED", "is: NXDOMAIN."),
    ),
    "retries held by the breaker": (
        account(
            call(
                **fault(None),
                attempts=[attempt("UNAVAILABLE")],
                attempts_made=1,
                notes=[{"what": "not made again", "told": {"bound": "breaker"}}],
            )
        ),
        ("RETRIES_HELD", "as many retries run as may"),
    ),
    "ejected when it was asked": (
        account(call(**fault(None), attempts=[attempt("UNKNOWN", out=[OUT])], attempts_made=1)),
        ("BACKEND_ERROR", "It was ejected then: 5 of its calls failed in a row."),
    ),
    "broken off": (
        account(
            call(
                **fault("UPSTREAM_RESET"),
                attempts=[attempt("UNAVAILABLE", cause="connection reset")],
                attempts_made=1,
            )
        ),
        ("UPSTREAM_RESET", "It was 10.0.0.1:1, after 600ms (connection reset)."),
    ),
    "late in a queue": (
        account(
            call(
                **fault("DEADLINE_EXCEEDED"),
                deadline={"asked": 5.0, "allowed": 0.8},
                waits=[{"what": "RateLimits", "began": 0, "seconds": 0.8}],
            )
        ),
        ("GATEWAY_TIMEOUT", "The time-out of 800ms passed while it waited for its share"),
    ),
    "late before the backend": (
        account(call(**fault("DEADLINE_EXCEEDED"), deadline={"asked": 0.8, "allowed": 0.8})),
        ("CLIENT_DEADLINE", "before any endpoint of shop had the call"),
    ),
    "the client left": (
        account(call(given_up=True, attempts=[attempt(None)], attempts_made=1), gone=True),
        ("CLIENT_GONE", "after 1s while the endpoint 10.0.0.1:1 had the call for 600ms"),
    ),
    "went well at the second attempt": (
        account(call(attempts=[attempt("UNAVAILABLE"), attempt()], attempts_made=2)),
        ("RETRIED", "at attempt 2: 10.0.0.1:1 answered UNAVAILABLE"),
    ),
    "slow in a queue": (
        account(call(waits=[{"what": "AdaptiveConcurrency", "began": 0, "seconds": 0.7}])),
        ("SLOW_WAIT", "waited 700ms for its turn"),
    ),
    "a slow client": (
        account(call(), phases=[{"phase": "request body", "seconds": 0.8}]),
        ("SLOW_CLIENT", "of which reading the request took most"),
    ),
    "a client that takes nothing": (
        account(close=4001, closed_here=True),
        ("CLOSED_4001", "took nothing of what it was sent"),
    ),
    "a close code that nobody knows": (
        account(close=4777, closed_here=True),
        ("CLOSED_4777", "closed with 4777"),
    ),
    "a close code of the client's": (
        account(close=1002),
        ("CLOSED_BY_CLIENT", "client closed it, with 1002"),
    ),
    "a client that was done": (account(close=1000), ("WENT_WELL", "It went well")),
    "a rule of a proto": (
        account(
            call(
                error={
                    "code": "INVALID_ARGUMENT",
                    "reason": "VALIDATION_FAILED",
                    "message": "The request breaks a rule.",
                    "fields": [{"field": "items[0].quantity", "description": "at most 1000"}],
                }
            )
        ),
        ("VALIDATION_FAILED", "The request breaks a rule. (items[0].quantity: at most 1000)"),
    ),
    "a status alone": (account(http=HTTP | {"status": 404}), ("REFUSED", "answered with 404")),
    "well": (account(call(seconds=0.4, attempts=[], attempts_made=0)), ("WENT_WELL", "in 1s")),
}


@pytest.mark.parametrize("name", CASES)
def test_causes(name):
    given, (cause, said) = CASES[name]
    found = cause_of(given)
    assert (found.cause, said in found.sentence) == (cause, True), found


def test_every_hint_has_a_page():
    assert {each.page for each in HINTS.values() if not (DOCS / each.page).exists()} == set()


@pytest.mark.parametrize("reason", [*REASONS, *(f"CLOSED_{code}" for code in CLOSES)])
def test_there_is_a_hint_for_every_cause(reason):
    assert hint_of(reason).text


def test_what_holds_now_is_told_beside():
    late = fault("DEADLINE_EXCEEDED")
    given = account(
        call(**late, deadline={"asked": None, "allowed": 0.8}, attempts=[attempt("X")],
             attempts_made=1)
    )  # fmt: skip
    setting = Setting("policies.timeout", "800ms", "gateway.yaml:7 policies.0.timeout")
    told = explain(given, Present(2, [setting], setting, {"endpoints": [endpoint(OUT)]}))
    assert told["why"].endswith(
        "It is set by gateway.yaml:7 policies.0.timeout."
        " 10.0.0.1:1 is ejected now: 5 of its calls failed in a row."
    )
    assert told["settings"][0]["set_by"].startswith("gateway.yaml:7")
    assert (told["cause"], told["reloaded"]) == ("GATEWAY_TIMEOUT", True)
