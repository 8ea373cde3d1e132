"""Calls at a time, through real sockets: who is refused, and how places are given back."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
import pytest

from gateway.call import Code
from tests.end_to_end.graph import post
from tests.end_to_end.sockets import WATCH, socket
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config

PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
STOCK = "shop.inventory.v1.InventoryService/GetStock"
HANG = {"x-fault-hang": "1"}
TICKER = "/v1/stock:watch?interval=0.05s"
PATIENCE = 20


def config(shop, *policies, concurrency=None, **sections):
    given = shop_config(shop, policies=list(policies), **sections)
    given["listener"]["trusted_proxies"] = ["127.0.0.1"]
    if concurrency:
        given["upstreams"]["shop"]["concurrency"] = concurrency
    return given


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    policies = [
        {"methods": [PRODUCT], "concurrency": 2},
        {"methods": [STOCK], "concurrency_per_principal": 1},
        {"methods": [WATCH], "concurrency": 1},
    ]
    with gateway(tmp_path_factory.mktemp("bounds"), config(shop, *policies)) as each:
        yield each


@pytest.fixture
async def client(served):
    async with aiohttp.ClientSession(served.url) as session:
        yield session


async def hanging(client, backend, path, method, **headers):
    """Makes a call that does not end, and returns its task once the backend has it."""
    before = await backend.counts(f"/{method}")
    task = asyncio.create_task(client.get(path, headers=HANG | headers))
    await backend.until_started(f"/{method}", before)
    return task


async def gone(task):
    """Has a client leave."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until_ok(client, path, **options):
    """Asks until there is a place; returns the refusals."""
    reasons = []
    async with asyncio.timeout(PATIENCE):
        while True:
            async with client.get(path, **options) as response:
                if response.status == 200:
                    return reasons
                reasons.append(reason_of(await error_of(response)))
            await asyncio.sleep(0.02)


async def test_one_too_many_of_a_method_is_refused_at_once(client, backend):
    held = [await hanging(client, backend, "/v1/products/p1", PRODUCT) for _ in range(2)]
    async with client.get("/v1/products/p1") as response:
        assert response.status == 503
        assert response.headers["retry-after"] == "1"
        assert reason_of(await error_of(response)) == "OVERLOADED"
    async with client.get("/v1/products?page_size=1") as response:
        assert response.status == 200  # another method's calls are another's
    await gone(held[0])
    assert set(await until_ok(client, "/v1/products/p1")) <= {"OVERLOADED"}
    await gone(held[1])


async def test_a_call_that_fails_gives_its_place_back(client):
    for _ in range(5):
        async with client.get("/v1/products/p1", headers={"x-fault-code": "INTERNAL"}) as response:
            assert response.status == 500
    async with client.get("/v1/products/p1") as response:
        assert response.status == 200


async def test_over_graphql_each_call_counts(client, backend):
    held = [await hanging(client, backend, "/v1/products/p1", PRODUCT) for _ in range(2)]
    status, answer = await post(client, '{ getProduct(id: "p1") { id } }')
    assert status == 200
    (failure,) = answer["errors"]
    assert failure["extensions"]["reason"] == "OVERLOADED"
    for each in held:
        await gone(each)


async def test_one_callers_calls_leave_others_alone(client, backend):
    mine, yours = ({"x-forwarded-for": f"203.0.113.{number}"} for number in (1, 2))
    held = await hanging(client, backend, "/v1/products/p1/stock", STOCK, **mine)
    async with client.get("/v1/products/p1/stock", headers=mine) as response:
        assert response.status == 429
        assert response.headers["retry-after"] == "1"
        assert reason_of(await error_of(response)) == "TOO_MANY_CALLS"
    async with client.get("/v1/products/p1/stock", headers=yours) as response:
        assert response.status == 200
    await gone(held)
    assert set(await until_ok(client, "/v1/products/p1/stock", headers=mine)) <= {"TOO_MANY_CALLS"}


async def test_a_stream_holds_its_place_as_long_as_it_lives(served, client):
    async with client.get(TICKER) as stream:
        assert stream.status == 200
        await stream.content.readline()
        async with client.get(TICKER) as response:
            assert response.status == 503
            assert reason_of(await error_of(response)) == "OVERLOADED"
        async with socket(served.url) as other:
            status = await other.end(await other.open(WATCH, {}, end=True))
            assert status["code"] == Code.UNAVAILABLE
        stream.close()  # the client leaves
    async with asyncio.timeout(PATIENCE):
        while True:
            async with client.get(f"{TICKER}&count=1") as response:
                if response.status == 200:
                    break
            await asyncio.sleep(0.02)


async def test_a_socket_that_breaks_gives_its_places_back(served, client):
    await until_ok(client, f"{TICKER}&count=1")
    async with socket(served.url) as other:
        await other.message(await other.open(WATCH, {"interval": "0.05s"}, end=True))
        async with client.get(TICKER) as response:
            assert response.status == 503
    assert set(await until_ok(client, f"{TICKER}&count=1")) <= {"OVERLOADED"}


async def test_an_upstreams_bound_is_of_all_its_methods(shop, backend, tmp_path):
    with gateway(tmp_path, config(shop, concurrency=2)) as each:
        async with aiohttp.ClientSession(each.url) as client, client.get(TICKER) as stream:
            await stream.content.readline()
            held = await hanging(client, backend, "/v1/products/p1", PRODUCT)
            for path in ("/v1/products/p1", "/v1/products/p1/stock", TICKER):
                async with client.get(path) as response:
                    assert response.status == 503
                    assert reason_of(await error_of(response)) == "OVERLOADED"
            await gone(held)
            await until_ok(client, "/v1/products/p1/stock")


async def test_under_overload_important_calls_are_answered_and_others_are_shed(shop, tmp_path):
    adaptive = {
        "enabled": True,
        "min": 1,
        "max": 2,
        "queue": 8,
        "max_wait": "10s",
        "priority_header": "x-priority",
    }
    policies = [{"methods": [PRODUCT], "priority": "low"}]
    statuses = {"high": Counter(), "low": Counter()}

    async def ask(client, priority):
        headers = {"x-fault-delay": "100ms"}
        if priority == "high":
            headers["x-priority"] = "high"
        async with client.get("/v1/products/p1", headers=headers) as response:
            statuses[priority][response.status] += 1
            if response.status != 200:
                assert reason_of(await error_of(response)) == "OVERLOADED"
                assert response.headers["retry-after"] == "1"

    config_ = config(shop, *policies, adaptive_concurrency=adaptive)
    connector = aiohttp.TCPConnector(limit=0)
    with gateway(tmp_path, config_) as each:
        async with aiohttp.ClientSession(each.url, connector=connector) as client:
            lows = [asyncio.create_task(ask(client, "low")) for _ in range(30)]
            async with asyncio.timeout(PATIENCE):
                while statuses["low"][503] < 20:  # two run, eight wait
                    await asyncio.sleep(0.005)
            await asyncio.gather(*lows, *(ask(client, "high") for _ in range(6)))
            assert statuses["high"] == {200: 6}
            assert sum(statuses["low"].values()) == 30
            assert statuses["low"][503] >= 20 + 2
            assert statuses["low"][200] >= 2
            async with client.get("/v1/products/p1") as response:
                assert response.status == 200
