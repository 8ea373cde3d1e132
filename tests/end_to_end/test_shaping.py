"""Where calls go, and what is made of them on the way, through real sockets and real backends.

Three backends of one kind: the service's own, a canary, and one that is sent copies.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
import grpc.aio
import pytest

from gateway.call import Code
from services_mock.testing import start
from tests.end_to_end.graph import data_of, post
from tests.end_to_end.sockets import COUNT, STOCK, WATCH, socket
from tests.end_to_end.system import FAULTS, Backend, error_of, gateway, reason_of, shop_config

PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
LIST = "shop.catalog.v1.CatalogService/ListProducts"
SEARCH = "shop.catalog.v1.CatalogService/SearchProducts"
WAREHOUSES = "shop.inventory.v1.InventoryService/ListWarehouses"
QUOTE = "shop.catalog.v1.CatalogService/QuoteProduct"
ADJUST = "shop.inventory.v1.InventoryService/AdjustStock"

CANARY = {"x-canary": "always"}
PATIENCE = 20
GONE = {"since": "2026-06-30", "sunset": "2027-06-30", "link": "https://shop.example/v2"}
TELLS = {
    "deprecation": "@1782777600",
    "sunset": "Wed, 30 Jun 2027 00:00:00 GMT",
    "link": '<https://shop.example/v2>; rel="deprecation", <https://shop.example/v2>; rel="sunset"',
}


class Backends:
    """The three of them, by name: where they are, and what they were asked.

    Attributes:
        addresses: By name.
    """

    def __init__(self, **addresses):
        self.addresses = addresses

    def port(self, name):
        """What a reply says of which backend made it."""
        return self.addresses[name].rpartition(":")[2]

    async def started(self, method, name):
        """How many calls of a method a backend was given."""
        async with grpc.aio.insecure_channel(self.addresses[name]) as channel:
            return (await Backend(channel).counts(f"/{method}")).started

    async def has_one_more(self, method, name, before):
        """Waits until a backend was given one call more than before."""
        async with asyncio.timeout(PATIENCE):
            while await self.started(method, name) <= before:
                await asyncio.sleep(0.01)


def config(backends, *policies, upstreams=None, **sections):
    given = shop_config([backends.addresses["own"]], policies=list(policies), **sections)
    given["headers"]["request"]["allow"] = ["accept-language", *FAULTS]
    given["headers"]["response"]["allow"] = ["x-replica"]
    for name in ("canary", "copies"):
        given["upstreams"][name] = {"endpoints": [backends.addresses[name]]}
    for name, more in (upstreams or {}).items():
        given["upstreams"][name] |= more
    return given


@pytest.fixture(scope="module")
def backends():
    with start() as own, start() as canary, start() as copies:
        yield Backends(own=own.addresses[0], canary=canary.addresses[0], copies=copies.addresses[0])


@pytest.fixture(scope="module")
def served(backends, tmp_path_factory):
    rules = [
        {"upstream": "canary", "header": CANARY},
        {"upstream": "canary", "query": {"canary": "1"}},
        {"upstream": "canary", "when": "metadata['accept-language'] == 'eo'"},
    ]
    policies = [
        {"methods": [PRODUCT, LIST, WATCH, COUNT], "route": rules},
        {"methods": [LIST], "cache": {"ttl": "1m", "shared": True}},
        {
            "methods": [STOCK],
            "split": [{"upstream": "canary", "percent": 50, "hash_on": "header:x-user"}],
        },
        {"methods": [SEARCH, ADJUST], "mirror": {"upstream": "copies"}},
        {"methods": [WAREHOUSES, WATCH], "deprecated": GONE},
        # What is named above only in places where it is not used yet is used.
        {"methods": [QUOTE], "split": [{"upstream": "copies", "percent": 0}]},
    ]
    sections = {"rest": {"unknown_query": {"ignore": ["canary"]}}}
    upstreams = {"canary": {"concurrency": 1, "timeout": "1s"}}
    folder = tmp_path_factory.mktemp("shaping")
    with gateway(folder, config(backends, *policies, upstreams=upstreams, **sections)) as each:
        yield each


@pytest.fixture
async def client(served):
    async with aiohttp.ClientSession(served.url) as session:
        yield session


async def side(client, path, **options):
    """The port of the backend that answered."""
    async with client.get(path, **options) as response:
        assert response.status == 200, await response.text()
        await response.read()
        return response.headers["x-replica"]


class TestRules:
    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({}, "own"),
            ({"headers": CANARY}, "canary"),
            ({"headers": {"x-canary": "never"}}, "own"),
            ({"params": {"canary": "1"}}, "canary"),
            ({"params": {"canary": "0"}}, "own"),
            ({"headers": {"accept-language": "eo"}}, "canary"),
        ],
        ids=["none", "header", "another-value", "query", "another-query", "condition"],
    )
    async def test_over_rest(self, client, backends, options, name):
        assert await side(client, "/v1/products/p1", **options) == backends.port(name)

    async def test_a_stream_over_rest(self, client, backends):
        path = "/v1/stock:watch?interval=0.01s&count=2"
        assert await side(client, path) == backends.port("own")
        assert await side(client, path, headers=CANARY) == backends.port("canary")

    async def test_over_graphql(self, client, backends):
        before = await backends.started(PRODUCT, "canary")
        query = '{ getProduct(id: "p1") { id } }'
        await data_of(client, query)
        assert await backends.started(PRODUCT, "canary") == before
        await data_of(client, query, headers=CANARY)
        assert await backends.started(PRODUCT, "canary") == before + 1

    @pytest.mark.parametrize("headers", [{}, CANARY], ids=["own", "canary"])
    async def test_over_a_socket(self, served, backends, headers):
        port = backends.port("canary" if headers else "own")
        options = {"additional_headers": headers}
        async with socket(served.url, options=options) as each:
            body = {"interval": "0.01s", "count": 2}
            for method, asked in ((PRODUCT, {"id": "p1"}), (WATCH, body)):
                opened = await each.open(method, asked, end=True)
                told = await each.of(opened)
                while told["t"] != "headers":
                    told = await each.of(opened)
                assert ["x-replica", port] in told["metadata"]
                assert (await each.end(opened))["code"] == Code.OK


class TestCache:
    async def test_each_upstream_has_its_own_replies(self, client, backends):
        path = "/v1/products?page_size=2"
        before = [await backends.started(LIST, name) for name in ("own", "canary")]
        for _ in range(3):
            assert await side(client, path) == backends.port("own")
            assert await side(client, path, headers=CANARY) == backends.port("canary")
        async with client.get(path) as response:
            assert "age" in response.headers
            vary = response.headers["vary"].lower().replace(" ", "").split(",")
            assert "x-canary" in vary
        after = [await backends.started(LIST, name) for name in ("own", "canary")]
        assert after == [each + 1 for each in before]


class TestSplit:
    async def test_a_caller_stays_on_its_side(self, client, backends):
        sides = {}
        for user in range(40):
            headers = {"x-user": f"user-{user}"}
            (sides[user],) = {
                await side(client, "/v1/products/p1/stock", headers=headers) for _ in range(3)
            }
        counts = Counter(sides.values())
        assert set(counts) == {backends.port("own"), backends.port("canary")}
        assert min(counts.values()) >= 8  # of 40 at 50 %

    async def test_who_is_nobody_goes_by_chance(self, client, backends):
        ports = [await side(client, "/v1/products/p1/stock") for _ in range(40)]
        assert set(ports) == {backends.port("own"), backends.port("canary")}


class TestItsOwnBounds:
    async def test_so_many_calls_at_a_time(self, client, backends):
        before = await backends.started(PRODUCT, "canary")
        hang = CANARY | {"x-fault-hang": "1"}
        held = asyncio.create_task(client.get("/v1/products/p1", headers=hang))
        await backends.has_one_more(PRODUCT, "canary", before)
        async with client.get("/v1/products/p1", headers=CANARY) as response:
            assert response.status == 503
            assert reason_of(await error_of(response)) == "OVERLOADED"
        assert await side(client, "/v1/products/p1") == backends.port("own")
        async with await held as response:  # its own second is over
            assert response.status == 504
        assert await side(client, "/v1/products/p1", headers=CANARY) == backends.port("canary")

    async def test_what_is_away_fails_its_own_share_only(self, backends, tmp_path, unused_tcp_port):
        away = {"canary": {"endpoints": [f"127.0.0.1:{unused_tcp_port}"]}}
        policy = {
            "methods": ["*"],
            "route": [{"upstream": "canary", "header": CANARY}],
            "mirror": {"upstream": "copies", "percent": 0},
        }
        with gateway(tmp_path, config(backends, policy, upstreams=away)) as each:
            async with aiohttp.ClientSession(each.url) as client:
                assert await side(client, "/v1/products/p1") == backends.port("own")
                async with client.get("/v1/products/p1", headers=CANARY) as response:
                    assert response.status == 503
                    assert reason_of(await error_of(response)) == "UPSTREAM_UNAVAILABLE"
                status, answer = await post(
                    client, '{ getProduct(id: "p1") { id } }', headers=CANARY
                )
                assert status == 200
                assert answer["errors"][0]["extensions"]["reason"] == "UPSTREAM_UNAVAILABLE"


class TestMirror:
    async def test_a_copy_goes_beside_the_call_and_is_counted(self, served, client, backends):
        async def counted():
            async with client.get(f"{served.admin}/upstreams?upstream=copies") as response:
                return (await response.json())["upstreams"][0]["copies"]["sent"]

        before, sent = await backends.started(SEARCH, "copies"), await counted()
        port = await side(client, "/v1/products:search?query=a")
        assert port == backends.port("own")
        await backends.has_one_more(SEARCH, "copies", before)
        assert await counted() == sent + 1

    async def test_over_graphql_and_a_socket(self, served, client, backends):
        before = await backends.started(SEARCH, "copies")
        await data_of(client, '{ searchProducts(query: "a") { products { id } } }')
        await backends.has_one_more(SEARCH, "copies", before)
        async with socket(served.url) as each:
            opened = await each.open(SEARCH, {"query": "a"}, end=True)
            assert (await each.end(opened))["code"] == Code.OK
        await backends.has_one_more(SEARCH, "copies", before + 1)

    async def test_who_is_away_is_not_missed(self, backends, tmp_path, unused_tcp_port):
        away = {"copies": {"endpoints": [f"127.0.0.1:{unused_tcp_port}"]}}
        policy = {
            "methods": ["*"],
            "split": [{"upstream": "canary", "percent": 0}],
            "mirror": {"upstream": "copies"},
        }
        with gateway(tmp_path, config(backends, policy, upstreams=away)) as each:
            async with aiohttp.ClientSession(each.url) as client:
                for _ in range(20):
                    assert await side(client, "/v1/products/p1") == backends.port("own")

    async def test_who_hangs_holds_up_nobody(self, backends, tmp_path):
        policy = {
            "methods": ["*"],
            "split": [{"upstream": "canary", "percent": 0}],
            "mirror": {"upstream": "copies"},
        }
        with gateway(tmp_path, config(backends, policy)) as each:
            async with aiohttp.ClientSession(each.url) as client:
                # The copy has the same metadata; only the call is given up by its client.
                before = await backends.started(PRODUCT, "copies")
                hang = {"x-fault-hang": "1", "grpc-timeout": "100m"}
                async with client.get("/v1/products/p1", headers=hang) as response:
                    assert response.status == 504
                await backends.has_one_more(PRODUCT, "copies", before)
                assert await side(client, "/v1/products/p1") == backends.port("own")
        assert each.process.returncode == 0  # with the copy still under way

    async def test_a_mirror_that_is_frozen_takes_no_permit_of_calls(self, backends, tmp_path):
        held = []  # and never answered
        frozen = await asyncio.start_server(lambda *each: held.append(each), "127.0.0.1", 0)
        host, port = frozen.sockets[0].getsockname()
        policy = {
            "methods": ["*"],
            "split": [{"upstream": "canary", "percent": 0}],
            "mirror": {"upstream": "copies"},
            "concurrency": 3,
        }
        away = {"copies": {"endpoints": [f"{host}:{port}"], "timeout": "1m"}}
        async with frozen:
            with gateway(tmp_path, config(backends, policy, upstreams=away)) as each:
                async with aiohttp.ClientSession(each.url) as client:

                    async def ask():
                        return {await side(client, "/v1/products/p1") for _ in range(10)}

                    answered = await asyncio.gather(ask(), ask(), ask())
                    assert answered == [{backends.port("own")}] * 3
        for _, writer in held:
            writer.close()


class TestDeprecated:
    async def test_over_rest(self, client):
        async with client.get("/v1/warehouses") as response:
            assert response.status == 200
            assert {name: response.headers[name] for name in TELLS} == TELLS
        async with client.get("/v1/products/p1") as response:
            assert not TELLS.keys() & {name.lower() for name in response.headers}

    async def test_errors_tell_it_too(self, client):
        async with client.get("/v1/warehouses", headers={"x-fault-code": "INTERNAL"}) as response:
            assert response.status == 500
            assert {name: response.headers[name] for name in TELLS} == TELLS

    async def test_over_graphql_the_field_and_the_answer(self, client):
        query = '{ __type(name: "Query") { fields(includeDeprecated: true) { name deprecationReason } } }'
        fields = (await data_of(client, query))["__type"]["fields"]
        reasons = {each["name"]: each["deprecationReason"] for each in fields}
        assert reasons["listWarehouses"] == (
            "Deprecated since 2026-06-30; may be gone from 2027-06-30; see https://shop.example/v2"
        )
        assert reasons["getProduct"] is None
        _, answer = await post(client, "{ listWarehouses { warehouses { id } } }")
        assert answer["extensions"]["headers"] == TELLS  # it is not the graph that goes away

    async def test_over_a_socket(self, served):
        async with socket(served.url) as each:
            for method, body in ((WAREHOUSES, {}), (WATCH, {"interval": "0.01s", "count": 1})):
                opened = await each.open(method, body, end=True)
                told = await each.of(opened)
                while told["t"] != "headers":
                    told = await each.of(opened)
                assert TELLS.items() <= dict(told["metadata"]).items()


@pytest.fixture(scope="module")
def faulty(backends, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    policies = [
        {"methods": ["*"], "split": [{"upstream": "canary", "percent": 0}]},
        {"methods": ["*"], "mirror": {"upstream": "copies", "percent": 0}},
        {"methods": [PRODUCT, WATCH], "faults": {"code": "ABORTED", "percent": 100}},
        {"methods": [STOCK], "faults": {"delay": "200ms", "percent": 100}},
        {"methods": [LIST], "faults": {"code": "ABORTED", "percent": 50}},
    ]
    log = (folder / "log").open("w+")
    with log, gateway(folder, config(backends, *policies), errors=log) as each:
        yield each, folder / "log"


@pytest.fixture
async def asking(faulty):
    async with aiohttp.ClientSession(faulty[0].url) as session:
        yield session


class TestFaults:
    """Failures on purpose, of calls of whichever front."""

    async def test_calls_fail_without_their_backend(self, asking, backends):
        before = await backends.started(PRODUCT, "own")
        async with asking.get("/v1/products/p1") as response:
            assert response.status == 409
            error = await error_of(response)
            assert error["status"] == "ABORTED"
            assert reason_of(error) == "FAULT_INJECTED"
        _, answer = await post(asking, '{ getProduct(id: "p1") { id } }')
        assert answer["errors"][0]["extensions"]["reason"] == "FAULT_INJECTED"
        assert await backends.started(PRODUCT, "own") == before

    async def test_so_do_streams(self, faulty, asking):
        async with asking.get("/v1/stock:watch?interval=0.01s&count=1") as response:
            assert response.status == 409
        async with socket(faulty[0].url) as each:
            status = await each.end(await each.open(WATCH, {}, end=True))
            assert status["code"] == Code.ABORTED

    async def test_a_delay_ends_with_the_deadline(self, asking):
        loop = asyncio.get_running_loop()
        before = loop.time()
        async with asking.get("/v1/products/p1/stock") as response:
            assert response.status == 200
        assert loop.time() - before >= 0.2
        headers = {"grpc-timeout": "20m"}
        async with asking.get("/v1/products/p1/stock", headers=headers) as response:
            assert response.status == 504

    async def test_a_share_fails(self, asking):
        statuses = Counter()
        for _ in range(60):
            async with asking.get("/v1/products?page_size=1") as response:
                statuses[response.status] += 1
        assert set(statuses) == {200, 409}

    async def test_the_start_warns_of_it(self, faulty):
        text = faulty[1].read_text()
        assert "on purpose, 50 % of the calls fail with ABORTED" in text
