"""Traces of a whole gateway: spans equal what clients did, over every front, of two workers."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.end_to_end.observed import CASES, Asked, Client, watched
from tests.telemetry.tracing.collector import collector

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
SERVER_ERROR = 500


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)


async def do_all(served, keys):
    plain = {"accept-encoding": "identity"}
    async with aiohttp.ClientSession(served.url, headers=plain) as session:
        client = Client(served, session, keys)
        for case in CASES:
            await case.act(client, case.name)


@pytest.fixture(scope="module")
def told(shop, tmp_path_factory):
    """What a collector was told, once all cases were done and the gateway has ended."""
    with pytest.MonkeyPatch.context() as patch, collector() as made:
        patch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=s3cr3t")
        patch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        tracing = {"otlp": made.url, "sample": 1, "service_name": "shop-gateway"}
        folder = tmp_path_factory.mktemp("traced")
        with watched(folder, shop, telemetry={"tracing": tracing}) as (served, keys):
            asyncio.run(do_all(served, keys))
        yield made  # what was left was sent when the gateway ended


def spans_of(told, case):
    """The spans of what a case asked: those of its id, and of what came over its socket."""
    own = [each for each in told.named(case.name) if each.kind == "SERVER"]
    sockets = {each.id for each in own if each.said["gateway.kind"] == "socket"}
    return [each for each in told.spans if each in own or sockets & set(each.links)]


def name_of(asked):
    if asked.kind == "stream":
        return asked.calls[0].method
    if asked.kind == "operation":
        return asked.operation
    return f"{asked.verb} {asked.route}" if asked.route else asked.verb


def call_of(told, span):
    """A call as its spans tell of it."""
    attempts = sorted(
        "" if each.said.get("gateway.attempt.given_up") else each.said["rpc.response.status_code"]
        for each in told.below(span)
        if each.kind == "CLIENT"
    )
    return span.said["rpc.method"], span.said["rpc.response.status_code"], attempts


def expected_call(called):
    return called.method, called.code or "CANCELLED", sorted(called.attempts)


@pytest.mark.parametrize(
    "case", [each for each in CASES if each.expected], ids=lambda each: each.name
)
def test_spans_are_what_was_done(told, case):
    found = spans_of(told, case)
    key = lambda name, status, kind: (name, status, kind)  # noqa: E731  it is short
    expected = sorted(key(name_of(each), each.status, each.kind) for each in case.expected)
    gone = [each.said.get("error.type") == "CLIENT_GONE" for each in found]
    assert (
        sorted(
            key(
                each.name,
                each.said.get(
                    "http.response.status_code",
                    499 if "http.request.method" in each.said else 0,
                ),
                each.said["gateway.kind"],
            )
            for each in found
        )
        == expected
    )
    calls = [each for span in found for each in told.below(span)]
    wanted = sorted(expected_call(call) for asked in case.expected for call in asked.calls)
    assert sorted(call_of(told, each) for each in calls) == wanted
    assert any(gone) == any(each.gone for each in case.expected)
    for asked in case.expected:
        said_by(told, found, asked)


def said_by(told, found, asked: Asked):
    span = next(
        each
        for each in found
        if (each.name, each.said["gateway.kind"]) == (name_of(asked), asked.kind)
        and each.said.get("http.response.status_code", asked.status) == asked.status
    )
    assert span.said.get("gateway.front", "") == asked.front or asked.reason
    assert span.said.get("gateway.reason", "") == asked.reason
    assert span.said.get("gateway.websocket.close_code", 0) == asked.close
    assert span.said.get("graphql.operation.type", "") == asked.operation
    assert span.began <= span.ended
    failed = asked.status >= SERVER_ERROR or "error.type" in span.said
    assert span.failed == failed
    for call in told.below(span):
        assert call.trace == span.trace
        assert span.began <= call.began <= call.ended
        streamed = call.said.get("gateway.messages.sent", 0)
        assert (call.events == ["first message"]) == bool(streamed)
        for attempt in told.below(call):
            assert call.began <= attempt.began <= attempt.ended
            assert attempt.said["server.address"] == "127.0.0.1"
            assert isinstance(attempt.said["server.port"], int)
            assert attempt.failed == (
                attempt.said["rpc.response.status_code"] not in {"OK", "CANCELLED"}
            )


def test_every_span_belongs_to_one_that_is_there_or_begins_a_trace(told):
    ids = {(each.trace, each.id) for each in told.spans}
    assert len(ids) == len(told.spans)
    above = {(each.trace, each.parent) for each in told.spans if each.parent}
    assert above <= ids
    assert all(each.kind == "SERVER" for each in told.spans if not each.parent)


def test_spans_say_whose_they_are(told):
    instances = {each.resource["service.instance.id"] for each in told.spans}
    assert len(instances) == 2  # workers
    for each in told.spans:
        assert each.resource["service.name"] == "shop-gateway"
        assert each.resource["deployment.environment.name"] == "test"
        assert each.resource["service.version"]
    assert {each["x-key"] for each in told.headers} == {"s3cr3t"}
