"""A response in parts (GraphQL over HTTP, rfcs/IncrementalDelivery.md)."""

import asyncio
import email.parser
import json

import aiohttp
import pytest

from gateway.errors import error

DEFER = "{ ... @later { hello } }"  # the fake engine's `@defer`
PARTS = "multipart/mixed, application/json;q=0.9"


def parts(answer):
    """Reads a body as a MIME reader does."""
    head = f"Content-Type: {answer.media}\r\n\r\n".encode()
    message = email.parser.BytesParser().parsebytes(head + answer.body)
    assert message.defects == []
    assert message.is_multipart()
    for part in message.get_payload():
        assert part["content-type"] == "application/json; charset=utf-8"
        yield json.loads(part.get_payload(decode=True))


async def test_each_part_is_a_json_text(client):
    answer = await client.post(DEFER, PARTS)
    assert (answer.status, answer.media) == (200, 'multipart/mixed; boundary="-"')
    first, last = parts(answer)
    assert (first["hasNext"], last["hasNext"]) == (True, False)
    assert last["incremental"][0]["data"] == {"hello": "-----\r\n"}


async def test_who_accepts_parts_only_gets_a_whole_answer_as_the_only_one(client):
    answer = await client.post("{ hello }", "multipart/mixed")
    assert answer.status == 200
    (only,) = parts(answer)
    assert only == {"data": {"hello": "Hello, you"}, "hasNext": False}


async def test_the_bytes(client):
    answer = await client.post(DEFER, PARTS)
    head = b"Content-Type: application/json; charset=utf-8\r\n\r\n"
    first = b'{"data":{},"pending":[{"id":"0","path":[]}],"hasNext":true}'
    assert answer.body.startswith(b"\r\n---\r\n" + head + first + b"\r\n---\r\n" + head)
    assert answer.body.endswith(b"}\r\n-----\r\n")


async def test_a_part_is_known_to_be_whole_before_the_next_comes(client):
    client.engine.gate = asyncio.Event()
    async with asyncio.timeout(20):
        asking = asyncio.create_task(
            client.http.post(client.url, json={"query": DEFER}, headers={"accept": PARTS})
        )
        await client.engine.begun.wait()
        client.engine.gate.set()
        reply = await asking
        found = await reply.content.readuntil(b"---\r\n")
        found = await reply.content.readuntil(b"---\r\n")
        reply.close()
    assert b'"hasNext":true' in found


async def test_who_does_not_accept_parts_gets_the_whole(client):
    answer = await client.post(DEFER, "application/json")
    assert answer.json == {"data": {"hello": "Hello, you"}}


async def test_what_is_not_deferred_comes_whole(client):
    answer = await client.post("{ hello }", PARTS)
    assert answer.json == {"data": {"hello": "Hello, you"}}


async def test_a_failure_before_the_first_part_is_an_error_reply(client):
    def prepare(request, caller):
        prepared = type(client.engine).prepare(client.engine, request, caller)
        client.engine.failure = error("DEADLINE_EXCEEDED", "Late.")
        return prepared

    client.engine.prepare = prepare
    answer = await client.post(DEFER, PARTS)
    assert (answer.status, answer.codes) == (504, ["DEADLINE_EXCEEDED"])


async def test_a_failure_between_parts_cuts_the_reply(client, caplog):
    client.engine.payload = "fails"
    with pytest.raises(aiohttp.ClientError):
        await client.post(DEFER, PARTS)
    assert "a secret" in caplog.text


async def test_a_gateway_that_shuts_down_before_the_first_part_says_so(client):
    client.engine.gate = asyncio.Event()
    sending = asyncio.create_task(client.post(DEFER, PARTS))
    async with asyncio.timeout(20):
        await client.engine.begun.wait()
        await client.listener.drain(0)
        answer = await sending
    assert (answer.status, answer.codes) == (503, ["UNAVAILABLE"])


async def test_a_gateway_that_shuts_down_between_parts_cuts_the_reply(client):
    async def one_and_no_more(prepared, emit):
        await emit(b'{"data":{},"hasNext":true}', True)
        await asyncio.Event().wait()

    client.engine.run_incremental = one_and_no_more
    async with asyncio.timeout(20):
        reply = await client.http.post(client.url, json={"query": DEFER}, headers={"accept": PARTS})
        await reply.content.readuntil(b"}\r\n---\r\n")
        await client.listener.drain(0)
        with pytest.raises(aiohttp.ClientError):
            await reply.read()
