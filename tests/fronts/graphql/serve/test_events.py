"""Responses as server-sent events (graphql-sse, PROTOCOL.md, distinct connections mode)."""

import asyncio
import json

import aiohttp
import pytest

from gateway.errors import error
from gateway.listener import Limits
from tests.fronts.graphql.serve.node import needs_node, run

EVENTS = "text/event-stream"


def parsed(body):
    """Returns the events of a stream as (name, data); comments are left out."""
    events = []
    for block in body.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line[:1] != ":")
        if fields:
            events.append((fields["event"], fields["data"]))
    return events


def responses(body):
    """Returns the responses of a stream that ended well."""
    *events, last = parsed(body)
    assert last == ("complete", "")
    assert {name for name, _ in events} <= {"next"}
    return [json.loads(data) for _, data in events]


def counted(to):
    return [{"data": {"count": number}} for number in range(1, to + 1)]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("accept", [EVENTS, "*/*", None])
async def test_a_subscription_is_a_stream_of_events(client, method, accept):
    answer = await getattr(client, method)("subscription { count(to: 3) }", accept)
    assert (answer.status, answer.media) == (200, EVENTS)
    assert answer.headers["cache-control"] == "no-store"
    assert "x-request-id" in answer.headers
    assert responses(answer.body) == counted(3)


async def test_a_stream_without_events_is_complete(client):
    answer = await client.post("subscription { count(to: 0) }", EVENTS)
    assert responses(answer.body) == []


@pytest.mark.parametrize("text", ["{ hello }", "mutation { add(n: 7) }"])
async def test_queries_and_mutations_as_events(client, text):
    answer = await client.post(text, EVENTS)
    (response,) = responses(answer.body)
    assert response["data"] in ({"hello": "Hello, you"}, {"add": 7})


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_who_accepts_no_stream_gets_no_subscription(client, accept):
    answer = await client.post("subscription { count(to: 3) }", accept)
    assert (answer.status, answer.media) == (406, f"{accept}; charset=utf-8")
    assert client.engine.streams == 0


async def test_subscriptions_can_be_off(start):
    client = await start(subscriptions=False)
    answer = await client.post("subscription { count(to: 3) }", f"{EVENTS}, application/json;q=0.1")
    (response,) = responses(answer.body)
    assert response["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "GRAPHQL_PARSE_FAILED"), ("subscription { no }", "GRAPHQL_VALIDATION_FAILED")],
)
async def test_a_document_at_fault_is_told_by_an_event(client, text, code):
    answer = await client.post(text, EVENTS)
    assert (answer.status, answer.media) == (200, EVENTS)
    ((error_,),) = [each["errors"] for each in responses(answer.body)]
    assert error_["extensions"]["code"] == code


async def test_a_request_that_is_not_well_formed_is_an_error_of_http(client):
    answer = await client.send(body={"query": 1}, accept=EVENTS)
    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


async def test_a_request_that_the_gateway_refuses_is_an_error_of_http(client):
    client.engine.failure = error("DRAINING", "Later.", retry_after=1)
    answer = await client.post("subscription { count(to: 3) }", EVENTS)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_a_stream_that_fails_tells_it_last(client, caplog):
    answer = await client.post("subscription { fails }", EVENTS)
    first, last = responses(answer.body)
    assert first == {"data": {"fails": 1}}
    assert last["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert b"secret" not in answer.body
    assert "a secret" in caplog.text


async def test_head_runs_no_subscription(client):
    query = {"query": "subscription { endless }"}
    answer = await client.send("HEAD", query, accept=EVENTS)
    assert (answer.status, answer.media, answer.body) == (200, EVENTS, b"")
    assert client.engine.streams == 0


async def test_a_silent_stream_gets_comments(start):
    client = await start(keep_alive=0.01)
    client.engine.gate = asyncio.Event()
    async with (
        asyncio.timeout(20),
        client.http.post(
            client.url, json={"query": "subscription { endless }"}, headers={"accept": EVENTS}
        ) as reply,
    ):
        assert reply.status == 200
        assert await reply.content.readexactly(6) == b":\n\n:\n\n"


async def test_the_head_comes_before_the_first_event(client):
    client.engine.gate = asyncio.Event()
    async with (
        asyncio.timeout(20),
        client.http.post(
            client.url, json={"query": "subscription { endless }"}, headers={"accept": EVENTS}
        ) as reply,
    ):
        assert reply.status == 200
        await client.engine.begun.wait()
        assert client.engine.sent == 0
        client.engine.gate.set()
        assert await reply.content.readuntil(b"\n\n") == (
            b'event: next\ndata: {"data": {"endless": 0}}\n\n'
        )


@pytest.mark.parametrize("text", ["subscription { endless }", "{ never }"])
async def test_a_client_that_leaves_ends_what_runs(client, text):
    async with asyncio.timeout(20):
        reply = await client.http.post(client.url, json={"query": text}, headers={"accept": EVENTS})
        if "never" in text:
            await client.engine.begun.wait()
        else:
            await reply.content.readuntil(b"\n\n")
        reply.close()
        await client.listener.drain(20)
    assert (client.engine.streams, client.engine.cancelled) == (0, int("never" in text))


async def test_a_client_that_does_not_read_slows_its_stream(client):
    client.engine.payload = "x"
    host, port = client.listener.urls[0].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    body = json.dumps({"query": "subscription { " + "a" * 10_000 + ": endless }"}).encode()
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Accept: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    async with asyncio.timeout(60):
        await reader.readuntil(b"\r\n\r\n")
        before = -1
        while before != client.engine.sent:  # until nothing more is sent in many turns of the loop
            before = client.engine.sent
            for _ in range(2000):
                await asyncio.sleep(0)
        writer.transport.abort()
        await client.engine.ended.wait()
    assert 0 < before * 10_000 < 64 * 1024 * 1024


async def test_a_gateway_that_shuts_down_cuts_the_stream_so_that_its_client_comes_again(client):
    client.engine.gate = asyncio.Event()
    host, port = client.listener.urls[0].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"GET /graphql?query=subscription+%7Bendless%7D HTTP/1.1\r\nHost: a\r\n"
        b"Accept: text/event-stream\r\n\r\n"
    )
    async with asyncio.timeout(20):
        await reader.readuntil(b"\r\n\r\n")
        await client.engine.begun.wait()
        await client.listener.drain(0)
        try:
            rest = await reader.read()
        except ConnectionResetError:
            rest = b""
        writer.close()
    assert b"complete" not in rest
    assert not rest.endswith(b"0\r\n\r\n")  # the end of a chunked body
    assert client.engine.streams == 0


async def test_a_stream_that_is_silent_for_too_long_by_the_listeners_limits_is_cut(start):
    client = await start(limits=Limits(stream_idle_timeout=0.05))
    client.engine.gate = asyncio.Event()
    with pytest.raises(aiohttp.ClientError):
        async with asyncio.timeout(20):
            await client.post("subscription { endless }", EVENTS)
    assert client.engine.streams == 0


@needs_node
async def test_the_client_of_graphql_sse(client):
    told = await run(
        "events.mjs",
        client.url,
        json.dumps({"query": "subscription { count(to: 3) }"}),
        json.dumps({"query": "{ hello }"}),
        json.dumps({"query": "mutation { add(n: 2) }"}),
        json.dumps({"query": "{ no }"}),
        json.dumps({"query": "subscription { endless }", "take": 2}),
        json.dumps({"query": 7}),
    )
    count, hello, add, wrong, endless, bad = told
    assert count == {"results": counted(3), "end": "complete"}
    assert hello == {"results": [{"data": {"hello": "Hello, you"}}], "end": "complete"}
    assert add == {"results": [{"data": {"add": 2}}], "end": "complete"}
    assert wrong["end"] == "complete"
    assert wrong["results"][0]["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert (len(endless["results"]), endless["end"]) == (2, "left")
    assert bad == {"results": [], "end": "HTTP 400"}
    async with asyncio.timeout(20):
        await client.engine.ended.wait()
    assert client.engine.streams == 0
