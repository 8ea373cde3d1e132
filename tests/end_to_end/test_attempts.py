"""Retries, hedging, the breaker and deadlines before real backends, on either transport."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import aiohttp
import grpc.aio
import pytest

from services_mock.calls import Counts
from services_mock.fleet import fleet
from services_mock.testing import calls, start
from tests.end_to_end.graph import data_of
from tests.end_to_end.sockets import WHO, socket
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config

PRODUCT = "/shop.catalog.v1.CatalogService/GetProduct"
CREATE = "/shop.catalog.v1.CatalogService/CreateProduct"
TEA = {"title": "Tea"}
TRANSPORTS = ["native", "grpcio"]
MANY = {"attempts": 10, "backoff": {"base": "1ms"}, "budget": {"ratio": 1, "minimum": "1000/s"}}
SOME = {"x-fault-code": "UNAVAILABLE", "x-fault-percent": "30"}
ALL = {"x-fault-code": "UNAVAILABLE"}


@pytest.fixture(scope="module")
def replicas():
    with start(2) as backend:
        yield backend.addresses


@asynccontextmanager
async def serving(folder, addresses, *, policies=(), **upstream):
    config = shop_config(addresses, policies=list(policies))
    config["upstreams"]["shop"] |= upstream
    with gateway(folder, config) as served:
        async with aiohttp.ClientSession(served.url) as client:
            client.url = served.url
            yield client


async def counts(addresses, method):
    """What became of the calls of a method at all replicas."""
    total = 0
    for address in addresses:
        async with grpc.aio.insecure_channel(address) as channel:
            total += (await calls(channel)).get(method, Counts()).started
    return total


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_reads_that_fail_are_made_again_and_writes_are_not(replicas, tmp_path, transport):
    async with serving(tmp_path, replicas, transport=transport, retries=MANY) as client:
        for _ in range(50):
            async with client.get("/v1/products/p1", headers=SOME) as response:
                assert response.status == 200
        before = await counts(replicas, PRODUCT)
        async with client.get("/v1/products/p1", headers=ALL) as response:
            assert response.status == 503
        assert await counts(replicas, PRODUCT) == before + 10
        before = await counts(replicas, CREATE)
        async with client.post("/v1/products", json=TEA, headers=ALL) as response:
            assert response.status == 503
        assert await counts(replicas, CREATE) == before + 1


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_policy_says_which_writes_may_be_made_again(replicas, tmp_path, transport):
    policies = [{"methods": [CREATE.removeprefix("/")], "idempotent": True}]
    async with serving(
        tmp_path, replicas, policies=policies, transport=transport, retries={}
    ) as client:
        before = await counts(replicas, CREATE)
        async with client.post("/v1/products", json=TEA, headers=ALL) as response:
            assert response.status == 503
        assert await counts(replicas, CREATE) == before + 3


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_streams_are_made_again_until_they_have_begun(replicas, tmp_path, transport):
    async with serving(tmp_path, replicas, transport=transport, retries=MANY) as client:
        for _ in range(20):
            url = "/v1/stock:watch?interval=0.001s&count=2"
            async with client.get(url, headers=SOME) as response:
                assert response.status == 200
                assert len((await response.text()).splitlines()) == 2
        headers = {**ALL, "x-fault-after": "1"}
        async with client.get("/v1/stock:watch?interval=0.001s", headers=headers) as response:
            assert response.status == 200
            lines = (await response.text()).splitlines()
        assert len(lines) == 2
        assert '"UNAVAILABLE"' in lines[-1]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_one_of_two_hangs_and_hedges_hide_it(tmp_path, transport):
    budget = {"budget": {"ratio": 1, "minimum": "1000/s"}}
    with fleet(2) as (first, second):
        addresses = [first.address, second.address]
        async with serving(
            tmp_path, addresses, transport=transport, hedging={"delay": "20ms"}, retries=budget
        ) as client:
            for _ in range(10):
                async with client.get("/v1/products/p1") as response:
                    assert response.status == 200
            second.freeze()
            began = time.monotonic()
            for _ in range(20):
                async with client.get("/v1/products/p1") as response:
                    assert response.status == 200
            assert time.monotonic() - began < 5  # the upstream's timeout, of a single call
            second.thaw()


async def test_one_attempt_that_hangs_leaves_time_for_another(tmp_path):
    with fleet(2) as (first, second):
        retries = {"per_try_timeout": "200ms", "budget": {"minimum": "1000/s"}}
        async with serving(tmp_path, [first.address, second.address], retries=retries) as client:
            for _ in range(10):
                async with client.get("/v1/products/p1") as response:
                    assert response.status == 200
            second.freeze()
            for _ in range(6):
                async with client.get("/v1/products/p1") as response:
                    assert response.status == 200
            second.thaw()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_above_the_breaker_s_bound_calls_fail_at_once(replicas, tmp_path, transport):
    async with serving(
        tmp_path, replicas, transport=transport, circuit_breaker={"requests": 1}
    ) as client:
        watched = client.get("/v1/stock:watch?interval=0.01s")
        async with watched as stream:
            await stream.content.readline()
            async with client.get("/v1/products/p1") as response:
                assert response.status == 503
                error = await error_of(response)
            assert reason_of(error) == "CIRCUIT_OPEN"
            info = next(each for each in error["details"] if "metadata" in each)
            assert info["metadata"] == {"upstream": "shop", "bound": "requests"}
            assert "upstream shop" in error["message"]
        for _ in range(200):  # until the stream's end is known
            async with client.get("/v1/products/p1") as response:
                if response.status == 200:
                    break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError("the place was not given back")


# Deadlines: the shortest of client, policy and upstream, whichever front.


async def by_rest(client, seconds):
    headers = {} if seconds is None else {"x-request-timeout": str(seconds)}
    async with client.post(f"/{WHO}", json={}, headers=headers) as response:
        return await response.json()


async def by_graphql(client, seconds):
    headers = {} if seconds is None else {"grpc-timeout": f"{int(seconds * 1000)}m"}
    return (await data_of(client, "{ whoAmI { timeRemaining } }", headers=headers))["whoAmI"]


async def by_websocket(client, seconds):
    told = {} if seconds is None else {"timeout_ms": int(seconds * 1000)}
    async with socket(str(client.url)) as each:
        (answer,), _ = await each.whole(await each.open(WHO, {}, end=True, **told))
        return answer


@pytest.mark.parametrize("front", [by_rest, by_graphql, by_websocket])
@pytest.mark.parametrize(
    ("times", "shortest"),
    [
        pytest.param((2, 8, 16), 2, id="the-client-s"),
        pytest.param((30, 8, 16), 8, id="the-policy-s"),
        pytest.param((30, None, 16), 16, id="the-upstream-s"),
        pytest.param((None, 8, 16), 8, id="the-policy-s-without-the-client"),
        pytest.param((None, 16, 8), 8, id="the-upstream-s-where-a-policy-allows-more"),
    ],
)
async def test_the_shortest_deadline_wins_and_travels(replicas, tmp_path, front, times, shortest):
    client_s, policy_s, upstream_s = times
    policies = [{"methods": [WHO], "timeout": f"{policy_s}s"}] if policy_s else []
    async with serving(
        tmp_path, replicas, policies=policies, timeout=f"{upstream_s}s", retries={}
    ) as client:
        left = float((await front(client, client_s))["timeRemaining"].removesuffix("s"))
        assert shortest - 1.9 < left <= shortest + 0.01
