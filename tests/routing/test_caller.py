"""What all calls of one request carry."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.call import Call, Deadline, Metadata, Principal, RpcError
from gateway.http import Headers, Request
from gateway.routing.caller import Caller, caller_of
from gateway.routing.metadata import HeaderRules

RULES = HeaderRules(
    request_allow=["authorization", "x-request-id"], request_prefix="grpc-metadata-"
)


def read(*headers, passes=False):
    request = Request("POST", "/graphql", None, Headers(headers), peer="203.0.113.7")
    return caller_of(
        request,
        RULES,
        lambda: 100.0,
        front="graphql",
        request_id="id-1",
        request_id_passes=passes,
    )


def test_a_bare_request_makes_an_anonymous_caller_without_a_deadline():
    caller = read()
    assert caller == Caller(
        Metadata(), None, None, "203.0.113.7", "graphql", "id-1", None, caller.head
    )


def test_calls_have_the_head_by_which_their_caller_is_known():
    caller = read(("cookie", "session=1"))
    assert caller.head.headers.get("cookie") == "session=1"  # whatever passes to backends
    assert caller.call("a/B", b"").head is caller.head


def test_a_caller_shows_nothing_of_what_it_was_given():
    assert "secret" not in repr(read(("cookie", "secret")))


def test_headers_become_metadata_by_the_rules():
    caller = read(("authorization", "Bearer x"), ("cookie", "no"), ("grpc-metadata-shop", "7"))
    assert caller.metadata == Metadata([("authorization", "Bearer x"), ("shop", "7")])


@pytest.mark.parametrize(
    ("headers", "remaining"),
    [
        pytest.param([("grpc-timeout", "1500m")], 1.5, id="grpc-timeout"),
        pytest.param([("x-request-timeout", "2.5")], 2.5, id="x-request-timeout"),
        pytest.param([("x-request-timeout", "2"), ("grpc-timeout", "1S")], 1.0, id="the-shortest"),
    ],
)
def test_the_deadline_is_a_point_in_time_that_all_calls_share(headers, remaining):
    caller = read(*headers)
    assert caller.deadline == Deadline(100.0 + remaining)
    assert caller.call("a/B", b"").deadline is caller.call("a/C", b"").deadline


def test_trace_context_is_kept_as_received():
    assert read(("traceparent", "00-ab-cd-01")).traceparent == "00-ab-cd-01"


@pytest.mark.parametrize("given", [[], [("x-request-id", "the clients")]], ids=["made", "given"])
def test_the_request_id_reaches_backends_once_where_it_passes(given):
    assert read(*given, passes=True).metadata == Metadata([("x-request-id", "id-1")])


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        pytest.param(("grpc-timeout", "soon"), "INVALID_TIMEOUT", id="time-out"),
        pytest.param(("grpc-metadata-key-bin", "%"), "INVALID_METADATA", id="metadata"),
        pytest.param(("authorization", "x" * 20_000), "HEADERS_TOO_LARGE", id="too-large"),
    ],
)
def test_a_wrong_header_is_refused(header, reason):
    with pytest.raises(RpcError) as refused:
        read(header)
    assert refused.value.reason == reason


def test_a_call_carries_everything_that_its_caller_has():
    principal = Principal("ada", "jwt")
    caller = dataclasses.replace(
        read(("authorization", "a"), ("grpc-timeout", "1S"), ("traceparent", "t")),
        principal=principal,
    )
    assert caller.call("shop.v1.Catalog/GetProduct", b"wire") == Call(
        "shop.v1.Catalog/GetProduct",
        b"wire",
        Metadata([("authorization", "a")]),
        Deadline(101.0),
        principal,
        "203.0.113.7",
        "graphql",
        "id-1",
        "t",
        caller.head,
    )


def test_calls_are_separate_so_that_the_gates_of_one_do_not_change_another():
    caller = read()
    first, second = caller.call("a/B", b""), caller.call("a/B", b"")
    first.deadline = Deadline(1.0)
    assert second.deadline is None
