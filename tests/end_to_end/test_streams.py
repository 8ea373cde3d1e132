"""Streams through real sockets: the three forms, all kinds, errors, cancellation, memory."""

from __future__ import annotations

import asyncio
import hashlib
import json

import aiohttp
import pytest

from tests.end_to_end.system import error_of, reason_of, resident

WATCH = "/v1/stock:watch"
WATCH_STOCK = "/shop.inventory.v1.InventoryService/WatchStock"
NDJSON = {"content-type": "application/x-ndjson"}
PRICED = {"price": {"currencyCode": "EUR", "units": "3"}}


def ndjson(*messages):
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


async def lines_of(response):
    return [json.loads(line) async for line in response.content]


def events_of(text):
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line.strip(":"))
        if fields:
            events.append(fields)
    return events


# The forms of a server stream.


async def test_ndjson_is_the_default(client):
    async with client.get(f"{WATCH}?count=3&interval=0.01s") as response:
        assert response.status == 200
        assert response.content_type == "application/x-ndjson"
        assert [each["sequence"] for each in await lines_of(response)] == ["1", "2", "3"]


async def test_server_sent_events(client):
    headers = {"accept": "text/event-stream"}
    async with client.get(f"{WATCH}?count=2&interval=0.01s", headers=headers) as response:
        assert response.content_type == "text/event-stream"
        events = events_of(await response.text())
    assert [event.get("id") for event in events] == ["1", "2", "end"]
    assert json.loads(events[0]["data"])["sequence"] == "1"
    assert events[-1]["event"] == "end"


async def test_an_event_source_that_comes_back_after_the_end_gets_204(client, backend):
    before = (await backend.counts(WATCH_STOCK)).started
    headers = {"accept": "text/event-stream", "last-event-id": "end"}
    async with client.get(f"{WATCH}?count=2", headers=headers) as response:
        assert response.status == 204
    assert (await backend.counts(WATCH_STOCK)).started == before


async def test_a_json_array(client):
    headers = {"accept": "application/json"}
    async with client.get(f"{WATCH}?count=3&interval=0.01s", headers=headers) as response:
        assert response.content_type == "application/json"
        assert [each["sequence"] for each in json.loads(await response.text())] == ["1", "2", "3"]


async def test_each_message_leaves_as_soon_as_it_arrives(client):
    # The stream never ends: what is read was sent while it ran.
    async with client.get(f"{WATCH}?interval=0.01s") as response:
        for number in range(1, 4):
            assert json.loads(await response.content.readline())["sequence"] == str(number)


# Errors before and after the first message.


@pytest.mark.parametrize(
    "accept", ["application/x-ndjson", "text/event-stream", "application/json"]
)
async def test_an_error_before_the_first_message_is_a_whole_reply(client, accept):
    headers = {"accept": accept, "x-fault-code": "PERMISSION_DENIED"}
    async with client.get(WATCH, headers=headers) as response:
        assert response.status == 403
        assert (await error_of(response))["status"] == "PERMISSION_DENIED"


LATE = {"x-fault-code": "ABORTED", "x-fault-after": "2"}


async def test_ndjson_ends_with_a_late_error(client):
    async with client.get(f"{WATCH}?interval=0.01s", headers=LATE) as response:
        assert response.status == 200
        *messages, last = await lines_of(response)
    assert len(messages) == 2
    assert last["error"]["status"] == "ABORTED"
    assert last["error"]["code"] == 409


async def test_sse_ends_with_a_late_error(client):
    headers = {"accept": "text/event-stream", **LATE}
    async with client.get(f"{WATCH}?interval=0.01s", headers=headers) as response:
        events = events_of(await response.text())
    assert [event.get("event") for event in events] == [None, None, "error"]
    assert json.loads(events[-1]["data"])["error"]["status"] == "ABORTED"


async def test_a_late_error_cuts_an_array(client):
    headers = {"accept": "application/json", **LATE}
    with pytest.raises(aiohttp.ClientError):
        async with client.get(f"{WATCH}?interval=0.01s", headers=headers) as response:
            assert response.status == 200
            await response.read()


# Client streams and bidirectional ones.


@pytest.mark.parametrize("form", ["ndjson", "array", "lines as json"])
async def test_client_streaming(client, form):
    products = [{"product": {"id": f"i{form[0]}{n}", "title": "T", **PRICED}} for n in range(3)]
    body = json.dumps(products).encode() if form == "array" else ndjson(*products)
    headers = NDJSON if form == "ndjson" else {"content-type": "application/json"}
    async with client.post("/v1/products:import", data=body, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert (await response.json())["createdCount"] == 3


async def test_path_and_query_are_bound_into_every_message(client):
    body = ndjson(*({"id": id_, "title": "T", **PRICED} for id_ in ("b1", "b2")))
    path = "/v1/categories/garden/tools:importProducts?overwrite=true"
    async with client.post(path, data=body, headers=NDJSON) as response:
        assert response.status == 200, await response.text()
    async with client.get("/v1/products/b2") as response:
        assert (await response.json())["category"] == "categories/garden/tools"


async def test_a_wrong_message_in_a_request_stream_is_400(client):
    body = ndjson({"product": {"title": "T"}}) + b'{"nope": 1}\n'
    async with client.post("/v1/products:import", data=body, headers=NDJSON) as response:
        assert response.status == 400
        error = await error_of(response)
    assert reason_of(error) == "INVALID_BODY"
    assert error["message"].startswith("Message 2: ")


async def test_bidirectional_both_ways_at_once(client):
    sent = asyncio.Queue()

    async def body():
        while (message := await sent.get()) is not None:
            yield ndjson(message)

    sent.put_nowait({"userId": "u1", "ping": "1"})
    async with client.post("/v1/rooms/lobby:chat", data=body(), headers=NDJSON) as response:
        assert response.status == 200
        pongs = []
        for number in range(1, 4):
            while True:
                event = json.loads(await response.content.readline())
                assert event["room"] == "lobby", "bound from the path"
                if "pong" in event:
                    break
            pongs.append(event["pong"])
            sent.put_nowait({"ping": str(number + 1)} if number < 3 else None)
        assert pongs == ["1", "2", "3"]
        assert not any("error" in each for each in await lines_of(response))


async def test_a_unary_like_body_for_a_stream_over_the_message_limit_is_413(client):
    async def body():
        yield b'{"userId":"'
        for _ in range(80):
            yield b"x" * 65536
        yield b'"}'

    async with client.post("/v1/rooms/lobby:chat", data=body(), headers=NDJSON) as response:
        assert response.status == 413
        assert reason_of(await error_of(response)) == "MESSAGE_TOO_LARGE"


# Cancellation.


async def test_a_client_that_leaves_a_stream_cancels_the_call(client, backend):
    before = await backend.counts(WATCH_STOCK)
    response = await client.get(f"{WATCH}?interval=0.01s")
    await response.content.readline()
    response.close()
    await backend.until_gone(WATCH_STOCK, before)


async def test_a_client_that_leaves_a_unary_call_cancels_it(client, backend):
    method = "/shop.catalog.v1.CatalogService/GetProduct"
    before = await backend.counts(method)
    request = asyncio.ensure_future(client.get("/v1/products/p1", headers={"x-fault-hang": "1"}))
    await backend.until_started(method, before)
    request.cancel()
    await backend.until_gone(method, before)


async def test_a_deadline_ends_a_unary_call_at_the_backend_too(client, backend):
    method = "/shop.catalog.v1.CatalogService/GetProduct"
    before = await backend.counts(method)
    headers = {"x-fault-hang": "1", "x-request-timeout": "0.1"}
    async with client.get("/v1/products/p1", headers=headers) as response:
        assert response.status == 504
        assert reason_of(await error_of(response)) == "DEADLINE_EXCEEDED"
    await backend.until_gone(method, before)


async def test_head_of_an_endless_stream_ends(client, backend):
    before = await backend.counts(WATCH_STOCK)
    async with client.head(f"{WATCH}?interval=0.01s") as response:
        assert response.status == 200
        assert response.content_type == "application/x-ndjson"
    await backend.until_gone(WATCH_STOCK, before)


# HttpBody, large.

SIZE = 100 * 1024 * 1024


async def upload(client, path, content, headers):
    async def body():
        left = SIZE
        while left:
            piece = content[: min(left, len(content))]
            left -= len(piece)
            yield piece

    async with client.post(path, data=body(), headers=headers) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def test_100_mb_up_with_flat_memory(client, served):
    content = bytes(range(256)) * 4096
    before = resident(served.pid)
    digest = await upload(client, "/v1/media:digest", content, {"content-type": "video/mp4"})
    assert resident(served.pid) - before < 40 * 1024 * 1024
    assert digest["sizeBytes"] == str(SIZE)
    assert digest["contentType"] == "video/mp4"
    assert int(digest["pieceCount"]) > 100


async def test_100_mb_down_with_flat_memory(client, served):
    headers = {"content-type": "image/png"}
    async with client.put("/v1/media/big.png", data=b"0123456789", headers=headers) as response:
        assert response.status == 200, await response.text()
    before = resident(served.pid)
    received, digest = 0, hashlib.sha256()
    async with client.get(f"/v1/media/big.png:download?size={SIZE}") as response:
        assert response.status == 200
        assert response.content_type == "image/png"
        async for piece in response.content.iter_any():
            received += len(piece)
            digest.update(piece)
    assert resident(served.pid) - before < 40 * 1024 * 1024
    assert received == SIZE
    assert digest.digest() == hashlib.sha256((b"0123456789" * (SIZE // 10 + 1))[:SIZE]).digest()


async def test_a_slow_client_slows_its_backend(client, backend, served):
    method = "/shop.media.v1.MediaService/DownloadMedia"
    headers = {"content-type": "image/png"}
    async with client.put("/v1/media/slow.png", data=b"0123456789", headers=headers) as response:
        assert response.status == 200
    before = await backend.counts(method)
    memory = resident(served.pid)
    response = await client.get(f"/v1/media/slow.png:download?size={SIZE}")
    await response.content.readany()
    # It reads no further: other calls go on, memory stays, and the backend can't finish.
    for _ in range(20):
        async with client.get("/v1/products/p1") as other:
            assert other.status == 200
    assert resident(served.pid) - memory < 40 * 1024 * 1024
    assert (await backend.counts(method)).completed == before.completed
    response.close()
    await backend.until_gone(method, before)


async def test_raw_bytes_both_ways(client):
    headers = {"content-type": "text/plain"}
    async with client.post("/v1/media:convert", data=b"abc" * 1000, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert await response.read()
