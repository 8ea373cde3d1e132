"""What of the graph comes in pieces: subscriptions, parts, and what a reload leaves of them."""

from __future__ import annotations

import asyncio
import json
import signal

import aiohttp
import pytest
import yaml
from websockets.asyncio.client import connect

from tests.cli.processes import LISTENING
from tests.cli.processes import gateway as serving
from tests.end_to_end.graph import (
    SUBPROTOCOL,
    config,
    data_of,
    others_are_served,
    received,
    socket_of,
    subscribe,
)
from tests.end_to_end.system import ROOT, gateway, resident

WATCH_STOCK = "/shop.inventory.v1.InventoryService/WatchStock"
DOWNLOAD = "/shop.media.v1.MediaService/DownloadMedia"
STREAMED = {"accept": "text/event-stream"}
MUCH = 40 * 1024 * 1024
TICKS = 'subscription { watchStock(count: 3, interval: "0.01s") { sequence } }'
ENDLESS = 'subscription { watchStock(interval: "0.01s") { sequence } }'
# Pieces of 64 KiB, more of them than all the buffers between a backend and its client hold.
FLOOD = (
    'subscription { downloadMedia(path: "samples/noise.bin", size: "400000000", pieceSize: 65536)'
    " { contentType data } }"
)


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("graph"), config(shop)) as each:
        yield each


# Subscriptions over server-sent events


def events_of(text):
    return [
        dict(
            line.split(": ", 1) if ": " in line else (line.rstrip(":"), "")
            for line in block.split("\n")
        )
        for block in text.strip().split("\n\n")
        if not block.startswith(":")
    ]


async def test_a_subscription_as_server_sent_events(either):
    async with either.post("/graphql", json={"query": TICKS}, headers=STREAMED) as response:
        assert response.content_type == "text/event-stream"
        events = events_of(await response.text())
    assert [each["event"] for each in events] == ["next", "next", "next", "complete"]
    told = [json.loads(each["data"])["data"]["watchStock"]["sequence"] for each in events[:-1]]
    assert told == ["1", "2", "3"]


async def test_a_client_that_leaves_its_events_ends_the_stream(client, backend):
    before = await backend.counts(WATCH_STOCK)
    async with client.post("/graphql", json={"query": ENDLESS}, headers=STREAMED) as response:
        await response.content.readline()
    await backend.until_gone(WATCH_STOCK, before)


async def test_who_reads_events_slowly_slows_the_backend(client, backend, served):
    before, memory = await backend.counts(DOWNLOAD), resident(served.pid)
    response = await client.post("/graphql", json={"query": FLOOD}, headers=STREAMED)
    assert await response.content.readline() == b"event: next\n"
    await others_are_served(client)
    assert (await backend.counts(DOWNLOAD)).completed == before.completed
    assert resident(served.pid) - memory < MUCH
    response.close()
    await backend.until_gone(DOWNLOAD, before)


# Subscriptions over WebSocket


async def test_a_subscription_over_websocket(either):
    async with socket_of(either) as socket:
        await subscribe(socket, TICKS)
        told = [await received(socket) for _ in range(4)]
    assert [each["type"] for each in told] == ["next", "next", "next", "complete"]
    assert told[0]["payload"] == {"data": {"watchStock": {"sequence": "1"}}}


async def test_a_query_over_websocket_has_the_headers_of_its_handshake(client):
    query = "{ whoAmI { metadata { key text } } }"
    async with socket_of(client, headers={"authorization": "Bearer abc"}) as socket:
        await subscribe(socket, query)
        told = await received(socket)
    metadata = {each["key"]: each["text"] for each in told["payload"]["data"]["whoAmI"]["metadata"]}
    assert metadata["authorization"] == "Bearer abc"


async def test_complete_ends_the_stream_and_leaves_the_socket(client, backend):
    before = await backend.counts(WATCH_STOCK)
    async with socket_of(client) as socket:
        await subscribe(socket, ENDLESS)
        assert (await received(socket))["type"] == "next"
        await socket.send_json({"id": "1", "type": "complete"})
        await backend.until_gone(WATCH_STOCK, before)
        await subscribe(socket, '{ getUser(id: "u1") { id } }', "2")
        while (told := await received(socket))["id"] == "1":
            assert told["type"] == "next", "sent before the end was known"
        assert told["payload"] == {"data": {"getUser": {"id": "u1"}}}


async def test_who_reads_a_socket_slowly_slows_the_backend(client, backend, served):
    before, memory = await backend.counts(DOWNLOAD), resident(served.pid)
    url = f"{served.url.replace('http', 'ws')}/graphql"
    # A client that reads ahead by one message only.
    async with connect(url, subprotocols=[SUBPROTOCOL], max_queue=1, max_size=None) as socket:
        await socket.send('{"type": "connection_init"}')
        payload = {"id": "1", "type": "subscribe", "payload": {"query": FLOOD}}
        await socket.send(json.dumps(payload))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        assert json.loads(await socket.recv())["type"] == "next"
        await others_are_served(client)
        assert (await backend.counts(DOWNLOAD)).completed == before.completed
        assert resident(served.pid) - memory < MUCH
        socket.transport.abort()
        await backend.until_gone(DOWNLOAD, before)


# Parts


async def parts_of(response):
    reader = aiohttp.MultipartReader.from_response(response)
    return [json.loads(await part.text()) async for part in reader]


async def test_what_is_deferred_comes_in_a_part_of_its_own(client):
    query = '{ getOrder(id: "o1") { id ... @defer(label: "who") { user { id } } } }'
    headers = {"accept": "multipart/mixed, application/json"}
    async with client.post("/graphql", json={"query": query}, headers=headers) as response:
        assert response.content_type == "multipart/mixed"
        first, *later = await parts_of(response)
    assert first["data"] == {"getOrder": {"id": "o1"}}
    assert first["hasNext"] is True
    assert [each["hasNext"] for each in later] == [True] * (len(later) - 1) + [False]
    (part,) = [part for each in later for part in each.get("incremental", ())]
    assert part["data"]["user"]["id"].startswith("u")


async def test_who_takes_no_parts_gets_all_at_once(client):
    query = '{ getOrder(id: "o1") { id ... @defer { user { id } } } }'
    data = await data_of(client, query, headers={"accept": "application/json"})
    assert data["getOrder"]["user"]["id"].startswith("u")


# Reload


async def test_a_reload_of_two_workers_cuts_no_subscription(shop, tmp_path):
    """The stream goes on; what the socket asks next is asked of the new graph."""
    path = tmp_path / "gateway.yaml"
    settings = {**config(shop), "workers": 2}
    path.write_text(yaml.safe_dump(settings))
    with serving("serve", "--config", path, cwd=ROOT) as running:
        url = running.read_until(LISTENING)
        async with aiohttp.ClientSession(url) as client, socket_of(client) as socket:
            await subscribe(socket, ENDLESS)
            assert (await received(socket))["type"] == "next"
            renamed = {"shop.users.v1.UserService/WhoAmI": {"name": "me"}}
            settings["graphql"]["methods"] = renamed
            path.write_text(yaml.safe_dump(settings))
            running.signal(signal.SIGHUP)
            await asyncio.to_thread(running.read_error, "reloaded")
            await subscribe(socket, "{ me { replica } }", "2")
            while (told := await received(socket))["id"] == "1":
                assert told["type"] == "next", told
            assert told["payload"]["data"]["me"]["replica"]
            while (told := await received(socket))["id"] != "1":
                assert told["type"] == "complete", told
            assert told["type"] == "next", told
        running.signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.wait) == 0
