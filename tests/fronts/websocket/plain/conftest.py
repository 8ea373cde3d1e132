"""Sockets to a method that does as it is told."""

from functools import partial

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from gateway.chain import Method
from gateway.fronts.websocket.plain.call import SocketOptions
from gateway.fronts.websocket.plain.compile import PlainOptions, compiling_plain
from gateway.fronts.websocket.plain.front import PlainFront
from gateway.fronts.websocket.plain.opening import Shared
from gateway.routing.metadata import HeaderRules
from gateway.schema.codec import Codec
from gateway.schema.method import HttpRule, MethodDescriptor
from gateway.schema.registry import Registry
from gateway.turns import at_once
from tests.fronts.graphql.serve.sockets import Clock
from tests.fronts.websocket.plain.fakes import Backend, Exchange, shown


@pytest.fixture(scope="module")
def registry():
    file = FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    made = file.message_type.add(name="Text")
    for number, name in enumerate(["text", "room"], 1):
        made.field.add(name=name, number=number, type=9, label=1)
    return Registry.build([file])


@pytest.fixture(scope="module")
def codec(registry):
    return Codec(registry)


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="module")
def dial_to(registry, codec):
    """Opens a socket to a method of a backend, at a clock."""

    def dial(
        backend,
        clock,
        kind,
        rule="GET /v1/{room}",
        target="/v1/a",
        *offered,
        headers=(),
        policies=(),
        **options,
    ):
        verb, path, *body = rule.split()
        rules = (HttpRule(verb, path, "".join(body)),)
        descriptor = MethodDescriptor("t.S/M", kind, "t.Text", "t.Text", rules)
        method = Method(descriptor, policies, backend.start, backend.stream)
        shared = Shared(
            HeaderRules(["authorization", "x-request-id"]),
            shown,
            lambda: clock.now,
            request_id_passes=True,
        )
        compiled = at_once(compiling_plain([method], registry, codec, shared, PlainOptions()))
        front = PlainFront(compiled.front._router, shared, SocketOptions(**options), clock)
        exchange = Exchange(target, offered, headers)
        assert front.handle(exchange)
        return exchange.socket

    return dial


@pytest.fixture
def dial(dial_to, backend, clock):
    """Opens a socket to the method: `dial(BIDI, "POST /v1/{room} *", "/v1/a")`."""
    return partial(dial_to, backend, clock)
