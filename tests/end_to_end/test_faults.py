"""Backends that are down, die, hang, or send too much: the right status, and nothing leaks."""

from __future__ import annotations

import aiohttp
import pytest

from services_mock.testing import start
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config


@pytest.fixture
async def mortal(tmp_path):
    """A gateway before two replicas of its own, which may be crashed."""
    with start(2) as backend:
        addresses = backend.addresses
        config = shop_config(addresses, rest={"etag": True})
        config["headers"]["response"]["allow"] = ["x-replica"]
        with gateway(tmp_path, config) as served:
            async with aiohttp.ClientSession(served.url) as session:
                yield session, addresses


async def replica_of(client):
    async with client.get("/v1/products/p1") as response:
        assert response.status == 200, await response.text()
        return response.headers["x-replica"]


async def test_calls_go_round_the_replicas_and_past_one_that_died(mortal):
    client, addresses = mortal
    seen = [await replica_of(client) for _ in range(6)]
    assert sorted(set(seen)) == sorted(each.rpartition(":")[2] for each in addresses)
    async with client.get("/v1/products/p1", headers={"x-fault-crash": "1"}) as response:
        assert response.status == 503
        error = await error_of(response)
        assert reason_of(error) == "UPSTREAM_RESET"
        assert not any(each.rpartition(":")[2] in error["message"] for each in addresses)
    assert len({await replica_of(client) for _ in range(6)}) == 1


async def test_a_backend_that_dies_in_a_stream_ends_it_with_an_error(mortal):
    client, _ = mortal
    headers = {"x-fault-crash": "1", "x-fault-after": "2"}
    async with client.get("/v1/stock:watch?interval=0.01s", headers=headers) as response:
        assert response.status == 200
        last = (await response.text()).splitlines()[-1]
    assert '"UNAVAILABLE"' in last
    assert "UPSTREAM_RESET" in last


async def test_nobody_is_there(tmp_path):
    config = shop_config(["127.0.0.1:1"])
    with gateway(tmp_path, config) as served:
        async with aiohttp.ClientSession(served.url) as client:
            async with client.get("/v1/products/p1") as response:
                assert response.status == 503
                error = await error_of(response)
            assert reason_of(error) == "UPSTREAM_UNAVAILABLE"
            assert "127.0.0.1" not in str(error)
            async with client.get("/v1/stock:watch") as response:
                assert response.status == 503
                assert reason_of(await error_of(response)) == "UPSTREAM_UNAVAILABLE"


async def test_a_reply_over_the_message_size(client):
    headers = {"content-type": "image/png"}
    async with client.put("/v1/media/large.png", data=b"0123456789", headers=headers) as response:
        assert response.status == 200
    async with client.get(f"/v1/media/large.png:thumbnail?size={5 * 1024 * 1024}") as response:
        assert response.status == 429
        assert reason_of(await error_of(response)) == "UPSTREAM_MESSAGE_TOO_LARGE"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("UNAVAILABLE", 503),
        ("INTERNAL", 500),
        ("UNAUTHENTICATED", 401),
        ("RESOURCE_EXHAUSTED", 429),
    ],
)
async def test_a_code_of_the_backend(client, code, status):
    async with client.get("/v1/products/p1", headers={"x-fault-code": code}) as response:
        assert response.status == status
        error = await error_of(response)
        assert reason_of(error) is None
        assert ("www-authenticate" in response.headers) is (status == 401)
    assert error["status"] == code


async def test_etags(mortal):
    client, _ = mortal
    async with client.get("/v1/products/p1") as response:
        etag = response.headers["etag"]
    async with client.get("/v1/products/p1", headers={"if-none-match": etag}) as response:
        assert response.status == 304
        assert response.headers["etag"] == etag
        assert await response.read() == b""
    async with client.get("/v1/products/p2", headers={"if-none-match": etag}) as response:
        assert response.status == 200
    async with client.post("/v1/products:search", json={"query": "tea"}) as response:
        assert "etag" not in response.headers
