"""A large body is read only for a caller that is known."""

from __future__ import annotations

import json

import pytest

from gateway.call import NO_METADATA
from gateway.chain import Method
from gateway.errors import error
from gateway.fronts.rest.bodies import SMALL, collect
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.fronts.rest.incoming import Incoming, Shared
from gateway.http import Headers, Request
from gateway.routing.metadata import HeaderRules
from gateway.schema.method import Kind, MethodDescriptor

DESCRIPTOR = MethodDescriptor("shop.v1.Catalog/CreateProduct", Kind.UNARY, "a.In", "a.Out")


class Exchange:
    """A request with a body that is read when it is asked for."""

    record = None  # nothing is noted

    def __init__(self, *headers):
        self.request = Request("POST", "/", None, Headers(headers), peer="203.0.113.7")
        self.read = False
        self.status = None

    def collect(self, limit, then, failed):
        self.read = True
        then(b"{}")

    def respond(self, status, headers, body, kept=None):
        self.status, self.headers, self.body = status, dict(headers), json.loads(body)


class Gate:
    """Refuses everybody, having noted of which call."""

    def __init__(self):
        self.asked = []

    def admit(self, call):
        self.asked.append((call.method, call.head, call.peer))
        raise error(
            "CREDENTIALS_MISSING", "Who?", headers={"www-authenticate": 'Bearer realm="gateway"'}
        )


class Open(Gate):
    def admit(self, call):
        self.asked.append(call.method)


async def nothing(call):
    return NO_METADATA


def collected(exchange, gate):
    """What the rest of the way was given of a body, if it was read."""
    taken = []
    method = Method(DESCRIPTOR, [], lambda call, done: None, nothing, authenticate=gate)
    shared = Shared(HeaderRules(), ErrorRenderer(lambda packed: b"{}"), clock=lambda: 0.0)
    collect(Incoming(exchange, shared), method, 1024, taken.append)
    return taken


SMALL_BODIES = {
    "none": (),
    "a small one": (("content-length", str(SMALL)),),
}
LARGE_BODIES = {
    "a large one": (("content-length", str(SMALL + 1)),),
    "one that does not say": (("transfer-encoding", "chunked"),),
}


@pytest.mark.parametrize("headers", SMALL_BODIES.values(), ids=SMALL_BODIES)
def test_a_small_body_is_read_for_anybody(headers):
    exchange, gate = Exchange(*headers), Gate()
    assert collected(exchange, gate) == [b"{}"]
    assert gate.asked == []


@pytest.mark.parametrize("headers", LARGE_BODIES.values(), ids=LARGE_BODIES)
def test_a_large_body_is_not_read_for_whom_the_gate_refuses(headers):
    exchange, gate = Exchange(*headers), Gate()
    assert collected(exchange, gate) == []
    assert not exchange.read
    assert exchange.status == 401
    assert exchange.headers["www-authenticate"] == 'Bearer realm="gateway"'
    assert gate.asked == [(DESCRIPTOR.name, exchange.request, "203.0.113.7")]


@pytest.mark.parametrize("headers", LARGE_BODIES.values(), ids=LARGE_BODIES)
@pytest.mark.parametrize("gate", [None, Open()], ids=["no gate", "a gate that lets in"])
def test_a_large_body_is_read_for_others(headers, gate):
    assert collected(Exchange(*headers), gate) == [b"{}"]
