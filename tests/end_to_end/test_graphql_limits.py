"""What limits and caches make of a graph's answers, through real sockets and real backends."""

from __future__ import annotations

import json
import time

import aiohttp
import pytest

from services_mock.testing import start
from tests.end_to_end.graph import JOINS, post, received, socket_of, started, subscribe
from tests.end_to_end.system import gateway, shop_config
from tests.policies.auth.issuer import Issuer

HOUR = {"name": "hour", "rate": "20/h"}
DOCUMENT = '{ a: getProduct(id: "p1") { id } b: getOrder(id: "o1") { items { product { id } } } }'
TICKS = 'subscription { watchStock(count: 2, interval: "0.01s") { sequence } }'


class World:
    """Callers with tokens, and a config that knows them."""

    def __init__(self, folder):
        self.issuer = Issuer(alg="EdDSA")
        self._keys = folder / "jwks.json"
        self._keys.write_text(json.dumps(self.issuer.jwks()))
        (folder / "operations").mkdir()
        self._operations = folder / "operations"
        (self._operations / "one.graphql").write_text(
            'query One @rest(get: "/v1/one") { a: getProduct(id: "p1") { id } }'
        )

    def who(self, subject, *scopes):
        claims = {"sub": subject, "exp": time.time() + 300, "scope": " ".join(scopes)}
        return {"authorization": f"Bearer {self.issuer.token(**claims)}"}

    def config(self, addresses, *policies):
        jwt = {
            "issuer": self.issuer.url,
            "audiences": ["shop"],
            "jwks": {"file": str(self._keys)},
            "algorithms": ["EdDSA"],
        }
        graphql = {"joins": [JOINS], "operations": [str(self._operations)]}
        return shop_config(
            addresses,
            rest={},
            graphql={**graphql, "limits": {"batch": 3}},
            auth={"providers": {"customers": {"jwt": jwt}}},
            policies=list(policies),
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


# Limits


@pytest.fixture(scope="module")
def limited(shop, world, tmp_path_factory):
    config = world.config(shop, {"methods": ["shop.*"], "rate_limits": [HOUR]})
    with gateway(tmp_path_factory.mktemp("limited"), config) as each:
        yield each


@pytest.fixture
async def client(limited):
    async with aiohttp.ClientSession(limited.url) as session:
        yield session


def left(answer):
    """How much of the limit an answer says is left."""
    said = answer["extensions"]["headers"]["ratelimit"]
    assert said.startswith('"hour";r=')
    return int(said.split(";")[1].removeprefix("r="))


async def test_a_document_is_charged_its_rpcs(client, world):
    headers = world.who("ann")
    _, answer = await post(client, DOCUMENT, headers=headers)
    assert "errors" not in answer
    assert left(answer) == 17
    assert answer["extensions"]["headers"]["ratelimit-policy"].startswith('"hour";q=20')
    _, answer = await post(client, DOCUMENT, headers=headers)
    assert left(answer) == 14


async def test_fields_whose_calls_are_refused_are_null_and_say_when_to_try_again(client, world):
    headers = world.who("bob")
    for _ in range(6):
        await post(client, DOCUMENT, headers=headers)
    status, answer = await post(client, DOCUMENT, headers=headers)
    assert status == 200
    assert answer["data"]["a"] == {"id": "p1"}
    extensions = answer["errors"][0]["extensions"]
    assert (extensions["code"], extensions["reason"]) == ("RESOURCE_EXHAUSTED", "RATE_LIMITED")
    assert any(each["@type"].endswith("RetryInfo") for each in extensions["details"])
    assert left(answer) == 0
    assert int(answer["extensions"]["headers"]["retry-after"]) > 0

    async with client.post("/graphql", json={"query": DOCUMENT}, headers=headers) as response:
        assert response.status == 200
        assert "retry-after" not in response.headers
        assert (await response.json())["data"] == {"a": None, "b": None}

    async with client.get("/v1/one", headers=headers) as response:
        assert response.status == 429
        assert int(response.headers["retry-after"]) > 0
        assert response.headers["ratelimit"].startswith('"hour";r=0')


async def test_a_view_has_them_as_headers(client, world):
    async with client.get("/v1/one", headers=world.who("cid")) as response:
        assert response.headers["ratelimit"].startswith('"hour";r=19')
        assert await response.json() == {"a": {"id": "p1"}}


async def test_each_answer_of_a_batch_and_of_a_socket_has_its_own(client, world):
    headers = world.who("dan")
    batch = [{"query": '{ getProduct(id: "p1") { id } }'}] * 2
    async with client.post("/graphql", json=batch, headers=headers) as response:
        assert sorted(map(left, await response.json())) == [18, 19]
    async with socket_of(client, headers=headers) as socket:
        await subscribe(socket, TICKS)
        first, second, end = [await received(socket) for _ in range(3)]
    assert left(first["payload"]) == 17
    assert "extensions" not in second["payload"], "the stream was charged once"
    assert end["type"] == "complete"


# Caches


KEPT = {"cache": {"ttl": "1h", "shared": True}}
KEEPING = (
    {"methods": ["shop.catalog.v1.CatalogService/BatchGetProducts"], **KEPT}
    | {"authorize": {"scopes": ["catalog"]}},
    {"methods": ["shop.orders.v1.OrderService/GetOrder"], **KEPT},
)


def products(ids):
    """A document that joins the products of some orders."""
    orders = " ".join(f'o{n}: getOrder(id: "{id_}") {{ ...it }}' for n, id_ in enumerate(ids))
    return f"{{ {orders} }} fragment it on Order {{ items {{ product {{ id title }} }} }}"


def titles(answer):
    """The products that an answer has, by id."""
    found = [item["product"] for order in answer["data"].values() for item in order["items"]]
    return {each["id"]: each["title"] for each in found if each is not None}


@pytest.fixture
def caching(world, tmp_path_factory):
    """A gateway that keeps orders and products for all, and backends that can be stopped."""
    with start() as backend:
        config = world.config(backend.addresses, *KEEPING)
        with gateway(tmp_path_factory.mktemp("caching"), config) as each:
            yield each, backend


async def test_what_joins_find_is_kept_key_by_key(caching, world):
    served, backend = caching
    address, headers = backend.addresses[0], world.who("ann", "catalog")
    async with aiohttp.ClientSession(served.url) as session:
        _, one = await post(session, products(["o1"]), headers=headers)
        _, two = await post(session, products(["o2"]), headers=headers)
        before = await started(address)
        # Keys that were asked for in two calls are kept for any call.
        _, both = await post(session, products(["o1", "o2"]), headers=world.who("eve", "catalog"))
        after = await started(address)
    assert after["BatchGetProducts"] == before["BatchGetProducts"] == 2
    assert titles(both) == titles(one) | titles(two)
    assert len(titles(both)) > max(len(titles(one)), len(titles(two)))


async def test_who_may_not_ask_gets_nothing_that_is_kept(caching, world):
    served, backend = caching
    address = backend.addresses[0]
    async with aiohttp.ClientSession(served.url) as session:
        _, seen = await post(session, products(["o1"]), headers=world.who("ann", "catalog"))
        assert titles(seen)
        _, answer = await post(session, products(["o1"]), headers=world.who("mal"))
        counts = await started(address)
    assert titles(answer) == {}
    assert {each["extensions"]["reason"] for each in answer["errors"]} == {"INSUFFICIENT_SCOPE"}
    assert counts["BatchGetProducts"] == 1


async def test_what_is_kept_is_answered_where_the_backend_is_gone(caching, world):
    served, backend = caching
    headers = world.who("ann", "catalog")
    async with aiohttp.ClientSession(served.url) as session:
        _, seen = await post(session, products(["o1"]), headers=headers)
        await post(session, '{ getOrder(id: "o2") { id } }', headers=headers)
        backend.stop()
        status, answer = await post(session, products(["o1", "o2"]), headers=headers)
    assert status == 200
    assert titles(answer) == titles(seen)
    assert {each["extensions"]["code"] for each in answer["errors"]} == {"UNAVAILABLE"}
    assert {each["path"][0] for each in answer["errors"]} == {"o1"}, "that of the second order"


async def test_an_answer_says_how_old_it_is_and_how_long_it_holds(caching, world):
    served, _ = caching
    document, headers = '{ getOrder(id: "o1") { id } }', world.who("ann")
    async with aiohttp.ClientSession(served.url) as session:
        _, first = await post(session, document, headers=headers)
        _, second = await post(session, document, headers=headers)
    assert "age" not in first["extensions"]["headers"]
    assert second["extensions"]["headers"]["age"] == "0"
    assert "max-age=3600" in second["extensions"]["headers"]["cache-control"]
