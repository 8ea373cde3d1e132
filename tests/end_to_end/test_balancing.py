"""Calls by REST over three replicas: which of them takes how many, told by the admin listener."""

from __future__ import annotations

import json
import socket
from urllib.request import urlopen

import aiohttp
import pytest

from services_mock.testing import start
from tests.end_to_end.system import gateway, shop_config

CALLS = 40


@pytest.fixture(scope="module")
def addresses():
    with start(3) as backend:
        yield backend.addresses


@pytest.fixture
def dead():
    """The address of nobody."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host, port = taken.getsockname()
        yield f"{host}:{port}"  # bound, and not listened on


async def taken(folder, endpoints, *, transport="native", calls=CALLS, **sections):
    """Makes calls through a gateway, and returns how many each endpoint had, as listed."""
    balancing = sections.pop("balancing", {})
    shop = {
        "services": ["shop.*"],
        "endpoints": endpoints,
        "balancing": balancing,
        "transport": transport,
    }
    config = shop_config([], upstreams={"shop": shop}, **sections)
    with gateway(folder, config) as running:
        told = await _connected(running)
        before = [each["calls"] for each in told]
        async with aiohttp.ClientSession(running.url) as client:
            for _ in range(calls):
                async with client.get("/v1/products/p1") as response:
                    assert response.status == 200, await response.text()
        after = [each["calls"] for each in _told(running)]
        return [now - then for now, then in zip(after, before, strict=True)]


def _told(running):
    with urlopen(f"{running.admin}/upstreams", timeout=10) as reply:
        (upstream,) = json.load(reply)["upstreams"]
    return upstream["endpoints"]


async def _connected(running):
    """Waits until nobody is connecting any more."""
    async with aiohttp.ClientSession(running.url) as client:
        while any(each["state"] == "connecting" for each in _told(running)):
            async with client.get("/v1/products/p1") as response:
                assert response.status == 200
    return _told(running)


@pytest.mark.parametrize("transport", ["native", "grpcio"])
async def test_weights(addresses, tmp_path, transport):
    endpoints = [
        {"address": address, "weight": weight}
        for address, weight in zip(addresses, (1, 2, 1), strict=True)
    ]
    balancing = {"policy": "round_robin"}
    took = await taken(tmp_path, endpoints, transport=transport, balancing=balancing)
    assert took == [10, 20, 10]


async def test_the_own_zone(addresses, tmp_path):
    endpoints = [
        {"address": address, "zone": zone}
        for address, zone in zip(addresses, ("eu-1a", "eu-1b", "eu-1a"), strict=True)
    ]
    balancing = {"policy": "round_robin", "locality": "prefer_zone"}
    took = await taken(tmp_path, endpoints, balancing=balancing, zone="eu-1a")
    assert took == [CALLS / 2, 0, CALLS / 2]


async def test_priorities(addresses, dead, tmp_path):
    first = [{"address": addresses[0]}, {"address": addresses[1], "priority": 1}]
    assert await taken(tmp_path, first) == [CALLS, 0]
    failed = [{"address": dead}, {"address": addresses[1], "priority": 1}]
    assert await taken(tmp_path, failed) == [0, CALLS]


async def test_pick_first(addresses, tmp_path):
    took = await taken(tmp_path, addresses, balancing={"policy": "pick_first"})
    assert sorted(took) == [0, 0, CALLS]


@pytest.mark.parametrize("policy", ["least_request", "random"])
async def test_all_have_some(addresses, tmp_path, policy):
    took = await taken(tmp_path, addresses, balancing={"policy": policy}, calls=150)
    assert sum(took) == 150
    assert min(took) > 0


@pytest.mark.parametrize("policy", ["ring_hash", "maglev"])
async def test_a_client_stays_by_its_address(addresses, tmp_path, policy):
    took = await taken(tmp_path, addresses, balancing={"policy": policy, "hash_on": "peer"})
    assert sorted(took) == [0, 0, CALLS]
