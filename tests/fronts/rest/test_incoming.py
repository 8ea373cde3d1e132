"""One request's answers: the id they carry, and which of a backend's metadata an error shows."""

from __future__ import annotations

import json

import pytest

from gateway.call import Code, Metadata, Principal, RpcError, Status
from gateway.cookies import IdCookie
from gateway.errors import error
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.incoming import Incoming, Shared
from gateway.http import Headers, Request
from gateway.routing.metadata import HeaderRules


class Answered:
    """An exchange that keeps its answer."""

    record = None  # nothing is noted

    def __init__(self, *headers):
        self.request = Request("GET", "/", None, Headers(headers))

    def respond(self, status, headers, body, kept=None):
        self.status, self.headers, self.body = status, list(headers), body


def refused(failure, *headers):
    exchange = Answered(*headers)
    rules = HeaderRules(response_allow=["*"])
    shared = Shared(rules, ErrorRenderer(lambda packed: b"{}"), clock=lambda: 0.0)
    Incoming(exchange, shared).refuse(failure)
    return exchange


@pytest.mark.parametrize("name", ["x-http-code", "location", "etag", "x-request-id"])
def test_metadata_that_speaks_to_the_gateway_is_not_shown_on_an_error(name):
    metadata = Metadata([(name, "201"), ("x-seen", "1")])
    answer = refused(RpcError(Status(Code.NOT_FOUND, "no"), metadata=metadata))
    assert answer.status == 404
    assert ("x-seen", "1") in answer.headers
    assert (name, "201") not in answer.headers


@pytest.mark.parametrize("name", ["www-authenticate", "retry-after"])
def test_a_header_of_the_backends_own_comes_once(name):
    metadata = Metadata([(name, "77")])
    answer = refused(RpcError(Status(Code.UNAUTHENTICATED, "who?"), metadata=metadata))
    assert [value for key, value in answer.headers if key == name] == ["77"]


def test_a_request_id_of_the_clients_is_echoed():
    answer = refused(RpcError(Status(Code.NOT_FOUND, "no")), ("x-request-id", "abc-1"))
    assert answer.headers[0] == ("x-request-id", "abc-1")
    assert json.loads(answer.body)["error"]["code"] == 404


def test_a_challenge_is_that_of_the_error_and_comes_once():
    challenge = 'Bearer realm="gateway", error="invalid_token"'
    failure = error("INVALID_CREDENTIALS", "No.", headers={"www-authenticate": challenge})
    answer = refused(failure)
    assert [value for key, value in answer.headers if key == "www-authenticate"] == [challenge]


def with_own_headers(own):
    """An exchange, and a request whose call a gate gave headers of the gateway's own."""
    exchange = Answered()
    shared = Shared(HeaderRules(), ErrorRenderer(lambda packed: b"{}"), clock=lambda: 0.0)
    incoming = Incoming(exchange, shared)
    incoming.call("shop.v1.Catalog/GetProduct").reply_headers = own
    return exchange, incoming


@pytest.mark.parametrize("how", ["reply", "error"])
def test_headers_of_the_gateways_own_go_with_whatever_is_answered(how):
    exchange, incoming = with_own_headers({"x-decided-by": "authz"})
    if how == "reply":
        incoming.respond(200, [("content-type", "application/json")], b"{}")
    else:
        incoming.refuse(error("ROLE_MISSING", "No."))
    assert ("x-decided-by", "authz") in exchange.headers


def test_a_challenge_of_a_gate_takes_the_place_of_the_usual_one():
    exchange, incoming = with_own_headers({"www-authenticate": "Negotiate"})
    incoming.refuse(error("CREDENTIALS_MISSING", "No."))
    names = [value for key, value in exchange.headers if key == "www-authenticate"]
    assert names == ["Negotiate"]


def answered(method="GET", fields=(), known=True, headers=()):
    exchange = Answered()
    exchange.request = Request(method, "/", None, Headers(fields))
    shared = Shared(HeaderRules(), ErrorRenderer(lambda packed: b"{}"), clock=lambda: 0.0)
    incoming = Incoming(exchange, shared)
    call = incoming.call("a.B/C")
    if known:
        call.principal = Principal("ada", "partners")
    incoming.respond(200, headers, b"")
    return [value for name, value in exchange.headers if name == "cache-control"]


OWN = [("cache-control", "max-age=60")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["private"]),
        ({"fields": [("x-api-key", "k")]}, ["private"]),
        ({"method": "HEAD"}, ["private"]),
        ({"known": False}, []),
        ({"method": "POST"}, []),
        ({"fields": [("authorization", "Bearer t")]}, []),
        ({"headers": OWN}, ["max-age=60"]),
    ],
    ids=["known", "by a key", "HEAD", "nobody", "not safe", "known to caches", "the backend's"],
)
def test_no_shared_cache_keeps_what_is_for_one_caller(given, expected):
    assert answered(**given) == expected


class TestCookies:
    """What calls give the client to keep goes with whatever is answered."""

    SHARED = Shared(
        HeaderRules(response_allow=["*"]),
        ErrorRenderer(lambda packed: b"{}"),
        clock=lambda: 0.0,
        gives_cookies=True,
    )

    def incoming(self, shared=SHARED):
        return Incoming(Answered(), shared)

    def test_are_of_the_request_and_not_of_one_call(self):
        incoming = self.incoming()
        assert incoming.call("a.B/C").cookies is incoming.cookies

    @pytest.mark.parametrize("how", ["answered", "refused"])
    def test_go_with_the_reply(self, how):
        incoming = self.incoming()
        stay = IdCookie("stay", 60)
        id_ = incoming.call("a.B/C").cookies.give(stay, secure=False)
        if how == "answered":
            incoming.respond(200, [("cache-control", "public, max-age=5")], b"")
        else:
            metadata = Metadata([("cache-control", "public, max-age=5")])
            incoming.refuse(RpcError(Status(Code.NOT_FOUND, "no"), metadata=metadata))
        headers = incoming.exchange.headers
        assert ("set-cookie", stay.line(id_, secure=False)) in headers
        assert [value for name, value in headers if name == "cache-control"] == [
            "private, max-age=5"
        ]

    def test_are_given_by_nobody_where_no_upstream_asks_for_them(self):
        shared = Shared(HeaderRules(), ErrorRenderer(lambda packed: b"{}"), clock=lambda: 0.0)
        assert self.incoming(shared).call("a.B/C").cookies is None
