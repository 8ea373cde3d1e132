"""GraphQL over WebSocket as the client of graphql-ws, from npm, sees it."""

import asyncio
import json

import pytest

from tests.fronts.graphql.serve.node import needs_node, run
from tests.fronts.graphql.serve.sockets import PATIENCE, Sockets

pytestmark = needs_node


@pytest.fixture
async def client(start):
    sockets = Sockets()
    client = await start(socket=sockets.handle)
    sockets.engine = client.engine
    return client


async def asked(client, *operations):
    url = client.url.replace("http", "ws")
    return await run("sockets.mjs", url, *(json.dumps(each) for each in operations))


async def test_operations_of_all_kinds_over_one_socket(client):
    query, mutation, subscription, parts = await asked(
        client,
        {"query": "query($n: String) { hello(name: $n) }", "variables": {"n": "Ada"}},
        {"query": "mutation { add(n: 2) }"},
        {"query": "subscription { count(to: 3) }"},
        {"query": "{ ... @later { hello } }"},
    )
    assert query == {"results": [{"data": {"hello": "Hello, Ada"}}], "end": "complete"}
    assert mutation == {"results": [{"data": {"add": 2}}], "end": "complete"}
    assert [each["data"]["count"] for each in subscription["results"]] == [1, 2, 3]
    assert subscription["end"] == "complete"
    assert [each["hasNext"] for each in parts["results"]] == [True, False]


async def test_a_refused_request_leaves_the_others_alone(client):
    refused, answered = await asked(client, {"query": "{ none }"}, {"query": "{ hello }"})
    assert refused["results"] == []
    assert refused["end"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert answered["end"] == "complete"


async def test_a_client_that_leaves_a_stream_ends_it(client):
    (left,) = await asked(client, {"query": "subscription { endless }", "take": 5})
    assert (len(left["results"]), left["end"]) == (5, "left")
    async with asyncio.timeout(PATIENCE):
        await client.engine.ended.wait()
    assert client.engine.streams == 0


async def test_a_gateway_that_leaves_tells_it(client):
    client.engine.gate = asyncio.Event()
    running = asyncio.ensure_future(asked(client, {"query": "subscription { endless }"}))
    async with asyncio.timeout(PATIENCE):
        await client.engine.begun.wait()
    await client.listener.drain(PATIENCE)
    (ended,) = await running
    assert ended == {"results": [], "end": {"closed": 1001}}
