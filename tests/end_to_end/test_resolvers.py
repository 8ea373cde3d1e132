"""Endpoints that come and go under a running gateway: by a file that is rewritten, and by DNS."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import yaml

from services_mock.fleet import fleet
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config
from tests.upstream.resolvers.name_server import name_server

PRODUCT = "/v1/products/p1"
SRV = "_grpc._tcp.shop.example"


@pytest.fixture(scope="module")
def addresses():
    with fleet(2) as both:
        yield [each.address for each in both]


def config(resolver):
    made = shop_config([])
    made["upstreams"] = {"shop": {"services": ["shop.*"], "resolver": resolver}}
    return made


class Client:
    """A client of a gateway, and an operator who looks at its upstream."""

    def __init__(self, session, admin):
        self.session = session
        self._admin = admin

    async def until(self, *addresses):
        """Makes calls, which all succeed, until these endpoints and no others are connected."""
        while True:
            await self.succeeds()
            async with self.session.get(f"{self._admin}/upstreams") as reply:
                (shop,) = (await reply.json())["upstreams"]
            if {(each["address"], each["state"]) for each in shop["endpoints"]} == {
                (address, "ready") for address in addresses
            }:
                return

    async def succeeds(self, times=1):
        for _ in range(times):
            async with self.session.get(PRODUCT) as reply:
                assert reply.status == 200, await reply.text()


async def test_a_file_that_is_rewritten_moves_calls_and_costs_none(addresses, tmp_path):
    first, second = addresses
    path = tmp_path / "endpoints.yaml"
    path.write_text(yaml.safe_dump([first]))

    def replace(*endpoints):
        fresh = path.with_suffix(".new")
        fresh.write_text(yaml.safe_dump(list(endpoints)))
        fresh.replace(path)

    log = (tmp_path / "log").open("w+")
    given = config({"file": "endpoints.yaml", "refresh": "50ms"})
    with log, gateway(tmp_path, given, errors=log) as served:
        async with aiohttp.ClientSession(served.url) as session:
            client = Client(session, served.admin)
            await client.until(first)
            replace(first, {"address": second, "weight": 2})
            await client.until(first, second)
            path.write_text(f"- {second}\n- {{address: ")  # by an editor, half-way
            while "endpoints.yaml:2" not in (tmp_path / "log").read_text():
                await client.succeeds()
            await client.until(first, second)
            replace(second)
            await client.until(second)
    said = (tmp_path / "log").read_text()
    assert said.count("endpoints.yaml:2") == 1
    assert "2 endpoints stay" in said
    assert f"1 endpoint; gone: {first}" in said


@pytest.mark.parametrize("transport", ["native", "grpcio"])
async def test_calls_wait_for_the_first_answer_and_follow_those_after_it(
    addresses, tmp_path, transport
):
    first, second = addresses
    async with name_server() as server:
        server.has("here.example", "A", "127.0.0.1")
        server.silent = True

        def lists(*chosen):
            ports = [address.rpartition(":")[2] for address in chosen]
            server.has(SRV, "SRV", *(f"0 1 {port} here.example." for port in ports))

        lists(first)
        resolver = {"dns": SRV, "nameservers": [str(server.endpoint)], "refresh": "50ms"}
        given = config(resolver)
        given["upstreams"]["shop"]["transport"] = transport
        with gateway(tmp_path, given) as served:
            async with aiohttp.ClientSession(served.url) as session:
                client = Client(session, served.admin)
                waiting = asyncio.ensure_future(client.succeeds())
                await server.times(1)
                server.speak()
                await waiting
                lists(first, second)
                await client.until(first, second)
                server.code = "SERVFAIL"
                asked = len(server.asked)
                await server.times(asked + 2)
                await client.succeeds(10)
                server.code = None
                lists(second)
                await client.until(second)


async def test_a_name_that_is_not_there_is_503_at_once_and_says_nothing_of_it(tmp_path):
    async with name_server() as server:
        resolver = {"dns": "shop.example:1", "nameservers": [str(server.endpoint)]}
        with gateway(tmp_path, config(resolver)) as served:
            async with aiohttp.ClientSession(served.url) as session, session.get(PRODUCT) as reply:
                assert reply.status == 503
                error = await error_of(reply)
    assert reason_of(error) == "UPSTREAM_UNAVAILABLE"
    assert "shop.example" not in str(error)
