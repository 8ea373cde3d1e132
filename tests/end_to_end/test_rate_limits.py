"""Rate limits and quotas, through real sockets, in front of the example backends."""

from __future__ import annotations

import asyncio
import json
import signal

import aiohttp
import pytest
import yaml

from tests.cli.processes import LISTENING
from tests.cli.processes import gateway as serving
from tests.end_to_end.graph import post
from tests.end_to_end.limited import (
    KEY,
    LIST,
    PRODUCT,
    STOCK,
    Keys,
    config,
    limits,
    outcome,
    outcomes,
)
from tests.end_to_end.sockets import COUNT, WATCH, socket
from tests.end_to_end.system import ROOT, error_of, gateway, reason_of

REVIEWS = "shop.reviews.v1.ReviewService/ListReviews"
WAREHOUSES = "shop.inventory.v1.InventoryService/ListWarehouses"
ROOMS = "shop.chat.v1.ChatService/ListRooms"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return Keys(
        folder, acme_1=None, acme_2=None, fay="free", gus="day", pro="pro", eve="gold", meter="m"
    )


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    return tmp_path_factory.mktemp("errors") / "errors"


@pytest.fixture(scope="module")
def limited(shop, keys, errors, tmp_path_factory):
    given = config(
        shop,
        limits("*", {"name": "user", "rate": "1000/h"}),
        limits(PRODUCT, {"name": "user", "rate": "3/h"}),
        limits(
            STOCK, {"name": "key", "rate": "3/h", "key": "api_key"}, {"name": "user", "rate": "4/h"}
        ),
        limits(LIST, {"name": "user", "rate": "5/h"}),
        limits(REVIEWS, {"name": "user", "rate": "1/h", "dark": True}),
        limits(
            WAREHOUSES,
            {"name": "user", "rate": "unlimited"},
            {"name": "slow", "rate": "5/s", "burst": 1, "on_limit": "delay", "max_delay": "3s"},
        ),
        limits(ROOMS, {"name": "tenant", "rate": "2/h", "key": ["header:x-tenant", "address"]}),
        limits(
            "shop.catalog.v1.CatalogService/QuoteProduct",
            {"name": "product", "rate": "2/h", "key": "field:id"},
        ),
        limits(WATCH, {"name": "messages", "rate": "4/h", "messages": True}),
        limits(COUNT, {"name": "messages", "rate": "3/h", "messages": True}),
        auth=keys.auth,
        plans={
            "free": {"rate_limits": {"user": "2/h"}},
            "day": {"quotas": {"calls": "3/d"}},
            "pro": {"rate_limits": {"user": "unlimited"}},
            "m": {"quotas": {"messages": "6/d", "bytes": "1GiB/month"}},
        },
        limits={"legacy_headers": True},
        listener={"address": "127.0.0.1:0", "trusted_proxies": ["127.0.0.1"]},
    )
    folder = tmp_path_factory.mktemp("limited")
    with errors.open("w") as file, gateway(folder, given, errors=file) as each:
        yield each


@pytest.fixture
async def client(limited):
    async with aiohttp.ClientSession(limited.url) as session:
        yield session


def of(address, **headers):
    """The headers of a client with an address of its own, as the proxy before it says."""
    return {"headers": {"x-forwarded-for": address, **headers}}


async def test_a_limit_is_told_and_then_refuses(client):
    for left in (2, 1, 0):
        async with client.get("/v1/products/p1", **of("203.0.113.1")) as response:
            assert response.status == 200
            assert response.headers["RateLimit-Policy"] == '"user";q=3;w=3600'
            assert response.headers["RateLimit"] == f'"user";r={left};t=1200'
    async with client.get("/v1/products/p1", **of("203.0.113.1")) as response:
        error = await error_of(response)
        assert (response.status, error["status"]) == (429, "RESOURCE_EXHAUSTED")
        assert error["message"] == 'The limit "user" of 3 calls an hour is used up.'
        details = {each["@type"].rpartition(".")[2]: each for each in error["details"]}
        assert details["ErrorInfo"]["reason"] == "RATE_LIMITED"
        assert details["ErrorInfo"]["metadata"] == {"limit": "user", "rate": "3/h"}
        assert details["RetryInfo"]["retryDelay"].startswith("1199.")
        violations = [{"subject": "user", "description": "3/h is used up"}]
        assert details["QuotaFailure"]["violations"] == violations
        assert response.headers["Retry-After"] == "1200"
        assert response.headers["RateLimit"] == '"user";r=0;t=1200'
        assert response.headers["X-RateLimit-Limit"] == "3"
        assert response.headers["X-RateLimit-Remaining"] == "0"
        assert response.headers["X-RateLimit-Reset"] == "1200"


async def test_addresses_are_those_that_the_proxy_tells_and_of_ipv6_sites(client):
    one, other = of("2001:db8:7::1"), of("2001:db8:7:0:ffff::9")
    found = [await outcome(client, **each) for each in (one, other, one, other)]
    assert found == ["ok"] * 3 + ["RATE_LIMITED"]
    assert await outcome(client, **of("2001:db8:7:1::1")) == "ok"


async def test_a_flood_of_one_leaves_the_others_all_of_theirs(limited, client):
    async def flood():
        return await outcomes(limited.url, 300, connections=10, **of("203.0.113.2"))

    flooding = asyncio.ensure_future(flood())
    found = [await outcome(client, **of("203.0.113.3")) for _ in range(4)]
    assert found == ["ok"] * 3 + ["RATE_LIMITED"]
    assert (await flooding)["ok"] == 3


async def test_api_keys_have_their_own_and_their_owner_one(client, keys):
    async def ask(name):
        return await outcome(client, "/v1/products/p1/stock", headers={KEY: keys.of[name]})

    assert [await ask("acme_1") for _ in range(4)] == ["ok"] * 3 + ["RATE_LIMITED"]
    # Of the owner's four one is left: what the key refused was not taken.
    assert [await ask("acme_2") for _ in range(2)] == ["ok", "RATE_LIMITED"]


async def test_plans_have_their_numbers_and_quotas(client, keys):
    async def ask(name, path="/v1/products?page_size=1"):
        return await outcome(client, path, headers={KEY: keys.of[name]})

    assert [await ask("fay") for _ in range(3)] == ["ok", "ok", "RATE_LIMITED"]
    # Where numbers and keys are the same, methods share.
    assert await ask("fay", "/v1/products/p1") == "RATE_LIMITED"
    assert [await ask("pro") for _ in range(20)] == ["ok"] * 20
    assert [await ask("eve") for _ in range(6)] == ["ok"] * 5 + ["RATE_LIMITED"]


async def test_a_quota_is_of_all_methods_together(client, keys):
    shown = {"headers": {KEY: keys.of["gus"]}}
    async with client.get("/v1/stock:batchGet?product_ids=p1", **shown) as response:
        policy = response.headers["RateLimit-Policy"]
        assert policy == '"user";q=1000;w=3600, "calls/d";q=3;w=86400'
    paths = ("/v1/products?page_size=1", "/v1/products/p1", "/v1/products/p2")
    found = [await outcome(client, path, **shown) for path in paths]
    assert found == ["ok", "ok", "QUOTA_EXCEEDED"]


async def test_messages_are_charged_to_a_quota_when_they_have_passed(client, keys):
    shown = {"headers": {KEY: keys.of["meter"]}}
    left = []
    for _ in range(3):
        async with client.get("/v1/products?page_size=1", **shown) as response:
            left.append(response.headers["RateLimit"].partition('"messages/d";r=')[2][0])
    assert left == ["6", "4", "2"]
    assert await outcome(client, **shown) == "QUOTA_EXCEEDED"


async def test_headers_and_several_keys_together(client):
    async def ask(address, **headers):
        return await outcome(client, "/v1/rooms", **of(address, **headers))

    acme = {"x-tenant": "acme"}
    assert [await ask("203.0.113.4", **acme) for _ in range(3)] == ["ok", "ok", "RATE_LIMITED"]
    assert await ask("203.0.113.4", **{"x-tenant": "other"}) == "ok"
    assert await ask("203.0.113.4") == "ok"
    assert await ask("203.0.113.5", **acme) == "ok"


async def test_a_field_of_the_request(client):
    async def ask(product):
        path = f"/v1/products/{product}:quote?quantity=1"
        return await outcome(client, path, **of("203.0.113.14"))

    assert [await ask("p1") for _ in range(3)] == ["ok", "ok", "RATE_LIMITED"]
    assert await ask("p2") == "ok"


async def test_a_call_is_delayed(client):
    loop = asyncio.get_running_loop()
    began = loop.time()
    asked = [outcome(client, "/v1/warehouses", **of("203.0.113.6")) for _ in range(6)]
    assert await asyncio.gather(*asked) == ["ok"] * 6
    assert loop.time() - began > 0.9  # five of them wait for a fifth of a second each


async def test_a_delay_is_within_the_deadline(client):
    asked = [
        outcome(client, "/v1/warehouses", **of("203.0.113.7", **{"x-request-timeout": "0.5"}))
        for _ in range(6)
    ]
    found = sorted(await asyncio.gather(*asked))
    assert found == ["RATE_LIMITED"] * 3 + ["ok"] * 3


async def test_a_dark_limit_is_logged_and_refuses_nothing(limited, errors):
    path = "/v1/products/p1/reviews"
    assert await outcomes(limited.url, 10, path, **of("203.0.113.8")) == {"ok": 10}
    async with asyncio.timeout(10):
        while f"would refuse {REVIEWS} from 203.0.113.8" not in errors.read_text():
            await asyncio.sleep(0.01)


async def test_a_document_is_charged_its_calls(client):
    query = """{
      a: getProduct(id: "p1") { id } b: getProduct(id: "p2") { id }
      c: getProduct(id: "p3") { id } d: getProduct(id: "p4") { id }
      listWarehouses { warehouses { id } }
    }"""
    status, answer = await post(client, query, **of("203.0.113.9"))
    assert status == 200
    assert answer["data"]["listWarehouses"]["warehouses"]
    nothing = [name for name in "abcd" if answer["data"][name] is None]
    (error,) = answer["errors"]
    assert error["path"] == nothing
    assert error["extensions"]["reason"] == "RATE_LIMITED"


async def test_each_call_of_a_socket_is_charged(limited):
    headers = {"x-forwarded-for": "203.0.113.10"}
    async with socket(limited.url, additional_headers=headers) as client:
        for left in (2, 1, 0):
            id_ = await client.open(PRODUCT, {"id": "p1"}, end=True)
            frame = await client.of(id_)
            shown = dict(frame["metadata"])["ratelimit"]
            name, remaining, seconds = shown.split(";")
            assert (name, remaining) == ('"user"', f"r={left}")
            assert 1100 < int(seconds.removeprefix("t=")) <= 1200  # the machine may be slow
            assert (await client.end(id_))["code"] == 0
        id_ = await client.open(PRODUCT, {"id": "p1"}, end=True)
        status = await client.end(id_)
        assert (status["code"], reason_of(status)) == (8, "RATE_LIMITED")
        assert 1100 < int(dict(status["trailers"])["retry-after"]) <= 1200


async def test_a_socket_that_is_one_call_is_charged(limited):
    address = {"x-forwarded-for": "203.0.113.11"}
    async with aiohttp.ClientSession(limited.url, headers=address) as session:
        for _ in range(2):
            async with session.ws_connect("/v1/stock:watch?product_ids=p1&interval=0.01s") as ws:
                heard = [each.data async for each in ws]
        assert "RATE_LIMITED" in heard[-1]


async def test_a_stream_ends_at_the_message_that_is_too_many(client):
    path = "/v1/stock:watch?product_ids=p1&interval=0.01s"
    async with client.get(path, **of("203.0.113.12")) as response:
        assert '"messages";r=3;t=900' in response.headers["RateLimit"]
        lines = (await response.text()).splitlines()
    *told, last = [json.loads(line) for line in lines]
    assert len(told) == 2  # the opening, the request and two ticks are four
    assert last["error"]["status"] == "RESOURCE_EXHAUSTED"


async def test_a_stream_goes_on_with_its_limits_when_a_reload_takes_them_away(shop, tmp_path):
    given = config(shop, limits(WATCH, {"name": "messages", "rate": "150/h", "messages": True}))
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump(given))
    with serving("serve", "--config", path, cwd=ROOT) as running:
        url = running.read_until(LISTENING)
        async with (
            aiohttp.ClientSession(url) as session,
            session.get("/v1/stock:watch?product_ids=p1&interval=0.02s") as response,
        ):
            told = [json.loads(await response.content.readline())]
            given["policies"] = []
            path.write_text(yaml.safe_dump(given))
            running.signal(signal.SIGHUP)
            await asyncio.to_thread(running.read_error, "reloaded")
            told += [json.loads(line) async for line in response.content]
            async with session.get("/v1/products/p1") as other:
                assert "RateLimit" not in other.headers
        assert len(told) == 150 - 2 + 1  # but the opening and the request; and how it ended
        assert reason_of(told[-1]["error"]) == "RATE_LIMITED"
        running.signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.wait) == 0


async def test_messages_of_a_client_are_charged(client):
    count = '{"productId":"p1","pieces":"7"}\n'
    kind = {"content-type": "application/x-ndjson"}
    options = of("203.0.113.13", **kind)
    path = "/v1/warehouses/w1/stock:count"
    async with client.post(path, data=count * 5, **options) as response:
        assert reason_of(await error_of(response)) == "RATE_LIMITED"
