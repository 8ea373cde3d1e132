"""What backends are told of traces, and that it is what spans say."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import grpc
import pytest

from tests.end_to_end.sockets import socket
from tests.end_to_end.system import gateway, shop_config
from tests.telemetry.tracing.collector import collector

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
SAMPLED = f"00-{TRACE}-{SPAN}-01"
NOT_SAMPLED = f"00-{TRACE}-{SPAN}-00"
FAILING = "fails once"


class Backend(grpc.GenericRpcHandler):
    """Answers every call with an empty message, and keeps what it was told."""

    def __init__(self):
        self.told = []

    def service(self, details):
        metadata = [(key, value) for key, value in details.invocation_metadata]
        self.told.append({key: [v for k, v in metadata if k == key] for key, _ in metadata})
        failing = ("baggage", FAILING) in metadata and len(self.told) == 1

        def answer(_request, context):
            if failing:
                context.abort(grpc.StatusCode.UNAVAILABLE, "once")
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)

    def one(self):
        (told,) = self.told
        return told


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    backend = Backend()
    with ThreadPoolExecutor(2) as pool, pytest.MonkeyPatch.context() as patch, collector() as made:
        server = grpc.server(pool, [backend])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        given = shop_config(
            [f"127.0.0.1:{port}"], telemetry={"tracing": {"otlp": made.url, "sample": 0}}
        )
        del given["headers"]
        given["upstreams"]["shop"]["retries"] = {"attempts": 2}
        with gateway(tmp_path_factory.mktemp("traced"), given) as served:
            yield served, backend, made
        server.stop(None).wait()


@pytest.fixture
def backend(traced):
    traced[1].told.clear()
    return traced[1]


@pytest.fixture
def url(traced):
    return traced[0].url


async def spans(traced, count):
    """So many spans of the trace, once they are there; then they are forgotten."""
    made = traced[2]
    async with asyncio.timeout(20):
        while len(found := [each for each in made.spans if each.trace == TRACE]) < count:
            await asyncio.sleep(0.01)
    made.spans.clear()
    assert len(found) == count
    return found


async def ask(url, *headers):
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{url}/v1/products/p1", headers=headers) as response,
    ):
        assert response.status == 200


async def test_of_one_that_is_traced_the_attempt(traced, url, backend):
    await ask(url, ("traceparent", SAMPLED), ("tracestate", "a=1"), ("baggage", "k=v"))
    by = {each.kind: each for each in await spans(traced, 3)}
    told = backend.one()
    assert told["traceparent"] == [f"00-{TRACE}-{by['CLIENT'].id}-01"]
    assert (told["tracestate"], told["baggage"]) == (["a=1"], ["k=v"])
    assert by["CLIENT"].parent == by["INTERNAL"].id
    assert by["INTERNAL"].parent == by["SERVER"].id
    assert (by["SERVER"].parent, by["SERVER"].state) == (SPAN, "a=1")


async def test_each_attempt_by_itself(traced, url, backend):
    await ask(url, ("traceparent", SAMPLED), ("baggage", FAILING))
    attempts = [each for each in await spans(traced, 4) if each.kind == "CLIENT"]
    told = [each["traceparent"] for each in backend.told]
    assert told == [[f"00-{TRACE}-{each.id}-01"] for each in attempts]
    assert [each.failed for each in attempts] == [True, False]
    assert [each.said.get("previous-rpc-attempts", 0) for each in attempts] == [0, 1]
    assert attempts[0].said["error.type"] == "UNAVAILABLE"


async def test_of_one_that_is_not_traced_what_the_caller_said(url, backend):
    await ask(url, ("traceparent", NOT_SAMPLED), ("tracestate", "a=1,a=1"), ("baggage", "k=v"))
    told = backend.one()
    assert told["traceparent"] == [NOT_SAMPLED]
    assert (told["tracestate"], told["baggage"]) == (["a=1,a=1"], ["k=v"])


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="nothing"),
        pytest.param([("tracestate", "a=1")], id="only-a-state"),
        pytest.param([("traceparent", "nonsense"), ("tracestate", "a=1")], id="not-valid"),
        pytest.param([("traceparent", SAMPLED), ("traceparent", SAMPLED)], id="two-of-them"),
    ],
)
async def test_of_one_without_a_caller_a_trace_that_nobody_records(url, backend, headers):
    await ask(url, *headers)
    told = backend.one()
    (parent,) = told["traceparent"]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-02", parent)
    assert TRACE not in parent
    assert "tracestate" not in told


async def test_a_state_that_is_not_valid_goes_no_further_with_a_span(traced, url, backend):
    await ask(url, ("traceparent", SAMPLED), ("tracestate", "a=1,a=1"))
    assert {each.state for each in await spans(traced, 3)} == {""}
    assert "tracestate" not in backend.one()


async def test_every_call_of_the_graph(traced, url, backend):
    query = '{ a: getProduct(id: "p1") { id } b: getProduct(id: "p2") { id } }'
    headers = {"traceparent": SAMPLED}
    async with aiohttp.ClientSession(url) as client:
        response = await client.post("/graphql", json={"query": query}, headers=headers)
        assert response.status == 200
        await response.read()
    found = await spans(traced, 5)
    ids = sorted(f"00-{TRACE}-{each.id}-01" for each in found if each.kind == "CLIENT")
    assert sorted(each["traceparent"][0] for each in backend.told) == ids
    calls = [each for each in found if each.kind == "INTERNAL"]
    assert sorted(each.said["gateway.graphql.path"] for each in calls) == ["a", "b"]


async def test_a_stream_by_what_opens_it_and_else_by_the_handshake(traced, url, backend):
    options = {"additional_headers": {"traceparent": NOT_SAMPLED}}
    async with socket(url, options=options) as client:
        own = await client.open(
            PRODUCT, {"id": "p1"}, end=True, metadata=[["traceparent", SAMPLED]]
        )
        await client.end(own)
        other = await client.open(PRODUCT, {"id": "p1"}, end=True)
        await client.end(other)
    by = {each.kind: each for each in await spans(traced, 3)}
    assert [each["traceparent"] for each in backend.told] == [
        [f"00-{TRACE}-{by['CLIENT'].id}-01"],
        [NOT_SAMPLED],
    ]
    assert (by["SERVER"].name, by["SERVER"].parent) == (PRODUCT, SPAN)


async def test_an_operation_on_a_socket_by_its_extensions(traced, url, backend):
    async with (
        aiohttp.ClientSession(url) as client,
        client.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as web,
    ):
        await web.send_json({"type": "connection_init"})
        await web.receive_json()
        payload = {
            "query": '{ getProduct(id: "p1") { id } }',
            "extensions": {"traceparent": SAMPLED, "tracestate": "a=1"},
        }
        await web.send_json({"id": "1", "type": "subscribe", "payload": payload})
        while (await web.receive_json())["type"] != "complete":
            pass
    by = {each.kind: each for each in await spans(traced, 3)}
    told = backend.one()
    assert told["traceparent"] == [f"00-{TRACE}-{by['CLIENT'].id}-01"]
    assert told["tracestate"] == ["a=1"]
    assert (by["SERVER"].name, by["SERVER"].parent) == ("query", SPAN)
