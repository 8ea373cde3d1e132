"""One request's answers: the id they carry, and which of a backend's metadata an error shows."""

from __future__ import annotations

import json

import pytest

from gateway.call import Code, Metadata, RpcError, Status
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.incoming import Incoming, Shared
from gateway.http import Headers, Request
from gateway.routing.metadata import HeaderRules


class Answered:
    """An exchange that keeps its answer."""

    def __init__(self, *headers):
        self.request = Request("GET", "/", None, Headers(headers))

    def respond(self, status, headers, body):
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
