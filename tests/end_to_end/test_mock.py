"""`serve --mock` from outside: no backend runs, and every front answers."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter

import aiohttp
import pytest
import yaml
from websockets.asyncio.client import connect

from tests.end_to_end.graph import JOINS, data_of
from tests.end_to_end.system import ROOT, error_of, reason_of
from tests.mock.running import mocked, refused

CATALOG = "shop.catalog.v1.CatalogService"
WRITTEN = {
    f"{CATALOG}.GetProduct.yaml": [
        {"when": {"id": "written"}, "reply": {"id": "written", "title": "By hand"}},
        {"when": 'request.id.startsWith("gone")', "error": {"code": "NOT_FOUND", "message": "No."}},
        {"when": {"id": "slow"}, "delay": "5s"},
        {"when": {"id": "faulty"}, "faults": {"percent": 100, "code": "DATA_LOSS"}},
    ],
    "shop.orders.v1.OrderService.WatchOrder.json": [
        {
            "when": {"id": "o1"},
            "stream": [{"orderId": "o1", "message": text} for text in ("paid", "sent")],
            "error": {"code": "ABORTED"},
            "interval": "1ms",
        }
    ],
}


def config(**sections):
    """The shop's config, whose backends nobody runs, and for reviews there is none at all."""
    return {
        "listener": {"address": "127.0.0.1:0"},
        "admin": {"address": "127.0.0.1:0"},
        "schema": {"protos": [str(ROOT / "protos")]},
        "upstreams": {
            "shop": {
                "services": ["shop.catalog.*", "shop.users.*", "shop.orders.*", "shop.inv*"],
                "endpoints": ["127.0.0.1:1"],
                "tls": {"ca": str(ROOT / "pyproject.toml")},  # no PEM: nobody reads it
                "health_check": {},
            },
            "chat": {"services": ["shop.chat.*"], "resolver": {"dns": "nowhere.invalid:1"}},
        },
        "graphql": {"joins": [JOINS], "operations": [str(ROOT / "schema" / "operations")]},
        "policies": [
            {"methods": [f"{CATALOG}/ListFeaturedProducts"], "cache": {"ttl": "1m"}},
            {
                "methods": ["shop.users.v1.UserService/SignOut"],
                "faults": {"code": "ABORTED", "percent": 100},
            },
        ],
        **sections,
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    for name, entries in WRITTEN.items():
        (folder / name).write_text(json.dumps(entries))
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory, written):
    options = ["--mock-files", str(written), "--mock-interval", "1ms"]
    with mocked(tmp_path_factory.mktemp("mock"), config(), *options) as each:
        yield each


@pytest.fixture
async def client(served):
    async with aiohttp.ClientSession(served.url) as session:
        yield session


async def get(client, path, **options):
    async with client.get(path, **options) as response:
        assert response.status == 200, await response.text()
        assert response.headers["x-mock"] == "true"
        return await response.json(content_type=None)


# REST.


async def test_a_thing_is_the_one_that_was_asked_for_whichever_method_tells_of_it(client):
    product = await get(client, "/v1/products/p7")
    assert product["id"] == "p7"
    assert (await get(client, "/v1/products:batchGet?ids=p9&ids=p7"))["products"][1] == product
    assert product in (await get(client, "/v1/products"))["products"]


async def test_pages_end_after_three_and_the_total_is_theirs(client):
    seen, token, pages = [], "", 0
    while token or not pages:
        page = await get(client, f"/v1/products?page_size=4&page_token={token}")
        seen += [each["id"] for each in page["products"]]
        token, pages = page.get("nextPageToken", ""), pages + 1
    assert pages == 3
    assert len(seen) == len(set(seen)) == int(page["totalSize"])


async def test_a_page_token_that_nobody_gave_is_refused(client):
    async with client.get("/v1/products?page_token=nonsense") as response:
        assert (await error_of(response))["status"] == "INVALID_ARGUMENT"


async def test_what_is_created_comes_back_with_what_its_server_adds(client):
    async with client.post("/v1/products", json={"title": "Mine"}) as response:
        made = await response.json()
    assert made["title"] == "Mine"
    assert made["id"]
    assert made["createTime"]
    assert "description" not in made


async def test_an_update_changes_what_its_mask_names(client):
    before = await get(client, "/v1/products/p1")
    change = {"title": "New", "description": "not in the mask"}
    async with client.patch("/v1/products/p1?update_mask=title", json=change) as response:
        assert await response.json() == before | {"title": "New"}


async def test_services_without_an_upstream_are_served_too(client):
    assert (await get(client, "/v1/products/p1/reviews"))["reviews"]


async def test_a_server_stream_sends_a_few_messages(client):
    async with client.get("/v1/stock:watch?product_ids=p1") as response:
        ticks = [json.loads(line) for line in (await response.text()).splitlines()]
        assert response.headers["x-mock"] == "true"
    assert 3 <= len(ticks) <= 5
    assert [tick["sequence"] for tick in ticks] == [str(n + 1) for n in range(len(ticks))]
    assert [tick["time"] for tick in ticks] == sorted({tick["time"] for tick in ticks})


async def test_a_client_stream_is_counted(client):
    lines = "\n".join(json.dumps({"product": {"title": str(n)}}) for n in range(7))
    headers = {"content-type": "application/x-ndjson"}
    async with client.post("/v1/products:import", data=lines, headers=headers) as response:
        assert (await response.json())["createdCount"] == 7


# GraphQL and WebSocket.


async def test_a_document_over_joins_is_answered_whole(client):
    query = """{ getUser(id: "u1") { id orders(limit: 2) { id user { id } items { quantity product {
        id title stock { available } reviews(limit: 2) { stars author { displayName } } related { id }
    } } } } }"""
    user = (await data_of(client, query))["getUser"]
    assert user["id"] == "u1"
    assert len(user["orders"]) == 2
    for order in user["orders"]:
        assert order["user"] == {"id": "u1"}
        for item in order["items"]:
            assert item["product"]["title"]
            assert int(item["product"]["stock"]["available"]) > 0
            assert all(each["author"]["displayName"] for each in item["product"]["reviews"])
            assert all(item["product"]["related"])


async def test_a_view_and_a_subscription_are_answered(client):
    assert (await get(client, "/v1/home/u1"))["user"]["displayName"]
    query = {"query": 'subscription { watchOrder(id: "o2") { orderId message } }'}
    headers = {"accept": "text/event-stream"}
    async with client.post("/graphql", json=query, headers=headers) as response:
        text = await response.text()
    assert text.count('"orderId":"o2"') >= 3


async def test_each_message_of_a_dialogue_has_an_answer(served):
    url = served.url.replace("http", "ws") + "/shop.chat.v1.ChatService/Join"
    async with connect(url) as socket:
        assert socket.response.headers["x-mock"] == "true"
        for text in ("one", "two"):
            said = {"room": "lobby", "message": {"text": text}}
            await socket.send(json.dumps(said))
            event = json.loads(await asyncio.wait_for(socket.recv(), 20))
            assert event["room"] == "lobby"
            assert event["message"]["text"] == text


async def test_a_socket_of_many_calls_says_so_and_so_does_each_call(served):
    url = served.url.replace("http", "ws") + "/ws"
    async with connect(url, subprotocols=["grpcws.v1.json"]) as socket:
        assert socket.response.headers["x-mock"] == "true"
        await socket.send('{"t":"hello"}')
        opened = {"t": "open", "id": 1, "method": f"{CATALOG}/GetProduct", "body": {"id": "p1"}}
        await socket.send(json.dumps({**opened, "credit": 1, "end": True}))
        told = []
        async with asyncio.timeout(20):
            while not told or told[-1]["t"] != "status":
                told.append(json.loads(await socket.recv()))
    said = [*told[-1].get("trailers", ()), *(x for each in told for x in each.get("metadata", ()))]
    assert ["x-mock", "true"] in said


# Policies, faults and what is written.


async def test_policies_hold_as_they_are_configured(client):
    first = await get(client, "/v1/products:featured")
    async with client.get("/v1/products:featured") as response:
        assert "age" in response.headers
        assert response.headers["x-mock"] == "true"
        assert await response.json() == first
    async with client.post("/v1/users:signOut") as response:
        assert reason_of(await error_of(response)) == "FAULT_INJECTED"


async def test_what_is_written_comes_first(client):
    assert await get(client, "/v1/products/written") == {"id": "written", "title": "By hand"}
    async with client.get("/v1/products/gone-1") as response:
        assert (await error_of(response))["message"] == "No."
    async with client.get("/v1/products/faulty") as response:
        assert (await error_of(response))["status"] == "DATA_LOSS"
    async with client.get("/v1/orders/o1:watch") as response:
        *events, end = [json.loads(line) for line in (await response.text()).splitlines()]
    assert [each["message"] for each in events] == ["paid", "sent"]
    assert end["error"]["status"] == "ABORTED"


async def test_an_answer_that_is_too_slow_ends_with_the_deadline(client):
    headers = {"x-request-timeout": "0.05"}
    async with client.get("/v1/products/slow", headers=headers) as response:
        assert (await error_of(response))["status"] == "DEADLINE_EXCEEDED"


async def test_operators_are_told(served):
    async with aiohttp.ClientSession(served.admin) as session, session.get("/readyz") as response:
        page = await response.json()
    assert page["reasons"] == ["Every answer is made up: no backend is called."]
    assert any("mock: every answer is made up" in line for line in served.said())


async def test_a_reload_reads_the_files_again(served, client, written):
    path = written / f"{CATALOG}.GetProduct.yaml"
    path.write_text(yaml.safe_dump([{"reply": {"id": "x", "bad": 1}}]))
    served.process.send_signal(signal.SIGHUP)
    await served.until("not reloaded")
    assert any(f"{path}:1:" in line and "answers.0.reply" in line for line in served.said())
    assert (await get(client, "/v1/products/written"))["title"] == "By hand"
    entries = [{"when": {"id": "written"}, "reply": {"title": "Again"}}]
    path.write_text(yaml.safe_dump(entries))
    served.process.send_signal(signal.SIGHUP)
    await served.until("info gateway: reloaded: ")
    assert (await get(client, "/v1/products/written"))["title"] == "Again"
    changed = f"changed: mock answers changed, of 1 method: {CATALOG}/GetProduct"
    assert any(changed in line for line in served.said())


# Other processes.


PATHS = ("/v1/products/p1", "/v1/users?page_size=3", "/v1/home/u1")


async def test_answers_are_the_same_in_every_worker_and_after_a_start(served, tmp_path):
    async with aiohttp.ClientSession(served.url) as client:
        alone = [json.dumps(await get(client, path)) for path in PATHS]
    with mocked(tmp_path, config(workers=2)) as two:
        async with aiohttp.ClientSession(
            two.url, connector=aiohttp.TCPConnector(force_close=True)
        ) as client:
            for path, expected in zip(PATHS, alone, strict=True):
                for _ in range(4):
                    assert json.dumps(await get(client, path)) == expected
        assert any("mock: every answer is made up" in line for line in two.said())
        async with aiohttp.ClientSession(two.admin) as client, client.get("/readyz") as response:
            assert "made up" in (await response.json())["reasons"][0]


async def test_another_seed_has_other_answers_and_errors_come_as_often_as_asked(served, tmp_path):
    options = ["--mock-seed", "other", "--mock-errors", "50%", "--mock-latency", "1ms-2ms"]
    async with aiohttp.ClientSession(served.url) as client:
        known = await get(client, "/v1/products/p1")
    with mocked(tmp_path, None, "--protos", str(ROOT / "protos"), *options) as other:
        async with aiohttp.ClientSession(other.url) as client:
            statuses = Counter()
            for _ in range(60):
                async with client.get("/v1/products/p1") as response:
                    statuses[response.status] += 1
                    if response.status == 200:
                        assert (await response.json())["title"] != known["title"]
    assert set(statuses) == {200, 503}
    assert 15 <= statuses[503] <= 45


def test_a_config_that_asks_backends_for_descriptors_is_refused(tmp_path):
    said = refused(tmp_path, config(schema={"reflection": ["shop"]}), "--mock")
    assert "schema.reflection: --mock asks no backend for its descriptors" in said


def test_what_is_for_mocks_alone_goes_with_mock_alone(tmp_path):
    assert "--mock-… goes with --mock" in refused(tmp_path, config(), "--mock-seed", "1")
