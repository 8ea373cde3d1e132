"""Replies that are kept, through real sockets: what the backend is asked, and what clients see."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import grpc.aio
import pytest
import yaml

from gateway.policies.auth.key_form import digest_of, new_key
from services_mock.testing import start
from tests.cli.processes import invoke
from tests.end_to_end.graph import JOINS
from tests.end_to_end.system import Backend, error_of, gateway, shop_config

SERVICE = "shop.catalog.v1.CatalogService"
GET, LIST, BATCH = (
    f"/{SERVICE}/{name}" for name in ("GetProduct", "ListProducts", "BatchGetProducts")
)
ADA, BOB = new_key(), new_key()
PRODUCT, NOTHING = "/v1/products/p1", "/v1/products/none"


def policy(**cache):
    return {"methods": [f"{SERVICE}/Get*", f"{SERVICE}/List*", f"{SERVICE}/Batch*"], "cache": cache}


class Shop:
    """A gateway in front of a shop, a client, and what the shop was asked since the start."""

    def __init__(self, served, addresses, client, backend):
        self.served = served
        self.addresses = addresses
        self.client = client
        self.backend = backend
        self.before = {}

    async def get(self, path=PRODUCT, **headers):
        """Asks; returns status, headers, and the body."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.get(path, headers=headers) as response:
            return response.status, response.headers, await response.read()

    async def calls(self, method=GET):
        """How often the shop was asked."""
        return (await self.backend.counts(method)).started - self.before[method].started

    async def until_ended(self, method, count):
        """Waits until so many calls have ended at the shop."""
        now = await self.backend.counts(method)
        while now.ended < self.before[method].ended + count:
            await self.backend.until_gone(method, now)
            now = await self.backend.counts(method)


@pytest.fixture
async def serve(shop, tmp_path):
    """Starts a gateway in front of the shop, or in front of another at some addresses."""
    async with AsyncExitStack() as stack:

        async def serve(*policies, addresses=shop, **sections):
            config = shop_config(addresses, policies=list(policies), **sections)
            served = stack.enter_context(gateway(tmp_path, config))
            connector = aiohttp.TCPConnector(limit=0)
            plain = {"accept-encoding": "identity"}  # bodies as the front made them
            session = aiohttp.ClientSession(served.url, connector=connector, headers=plain)
            client = await stack.enter_async_context(session)
            channel = grpc.aio.insecure_channel(addresses[0])
            await stack.enter_async_context(channel)
            made = Shop(served, addresses, client, Backend(channel))
            made.before = {each: await made.backend.counts(each) for each in (GET, LIST, BATCH)}
            return made

        yield serve


def keys(folder):
    """Providers of two keys."""
    stored = {
        each.id: {"hash": f"sha256:{digest_of(each.text).hex()}", "owner": name}
        for name, each in (("ada", ADA), ("bob", BOB))
    }
    (folder / "keys.yaml").write_text(yaml.safe_dump({"keys": stored}))
    return {"partners": {"api_key": {"keys": {"file": str(folder / "keys.yaml")}}}}


async def test_a_reply_is_kept_and_told_so(serve):
    shop = await serve(policy(ttl="1m", vary=["Accept-Language"]))
    first = await shop.get()
    second = await shop.get()
    assert first[0] == second[0] == 200
    assert first[2] == second[2]
    assert json.loads(second[2])["id"] == "p1"
    assert await shop.calls() == 1
    assert first[1]["cache-control"] == second[1]["cache-control"] == "private, max-age=60"
    assert "age" not in first[1]
    assert second[1]["age"] == "0"
    assert "accept-language" in second[1]["vary"].split(", ")
    assert first[1]["etag"] == second[1]["etag"]
    assert (await shop.get(accept_language="de"))[0] == 200
    assert await shop.calls() == 2


async def test_who_has_it_is_not_sent_it_again(serve):
    shop = await serve(policy(ttl="1m"))
    etag = (await shop.get())[1]["etag"]
    status, headers, body = await shop.get(if_none_match=etag)
    assert (status, body) == (304, b"")
    assert headers["etag"] == etag
    assert headers["cache-control"] == "private, max-age=60"
    assert (await shop.get(if_none_match='"other"'))[0] == 200
    async with shop.client.head(PRODUCT) as response:
        assert response.headers["etag"] == etag
    assert await shop.calls() == 1


async def test_requests_that_differ_are_others_and_views_of_one_message_are_one(serve):
    shop = await serve(policy(ttl="1m"))
    one, other = (
        await shop.get("/v1/products?page_size=2"),
        await shop.get("/v1/products?pageSize=2"),
    )
    assert one[2] == other[2]
    assert await shop.calls(LIST) == 1
    await shop.get("/v1/products?page_size=3")
    assert await shop.calls(LIST) == 2


async def test_a_client_can_not_pass_the_cache_by(serve):
    shop = await serve(policy(ttl="1m"))
    for _ in range(2):
        await shop.get(cache_control="no-cache", pragma="no-cache")
    assert await shop.calls() == 1


async def test_an_entry_ends(serve):
    shop = await serve(policy(ttl="300ms"))
    await shop.get()
    while await shop.calls() == 1:  # each ask is a hit until it is not
        await shop.get()
    assert await shop.calls() == 2


@asynccontextmanager
async def answers_of_callers(serve, folder, **cache):
    shop = await serve(
        {"methods": ["*"], "authenticate": ["partners", "none"]},
        policy(ttl="1m", **cache),
        auth={"providers": keys(folder)},
    )
    yield shop, [await shop.get(x_api_key=key) for key in (ADA.text, BOB.text, ADA.text)]


async def test_callers_have_their_own(serve, tmp_path):
    async with answers_of_callers(serve, tmp_path) as (shop, answers):
        assert {each[0] for each in answers} == {200}
        assert await shop.calls() == 2
        assert ["age" in each[1] for each in answers] == [False, False, True]
        assert "x-api-key" in answers[0][1]["vary"].split(", ")
        assert (await shop.get())[0] == 200
        assert await shop.calls() == 3


async def test_callers_share_where_the_policy_says_so(serve, tmp_path):
    async with answers_of_callers(serve, tmp_path, shared=True) as (shop, answers):
        assert await shop.calls() == 1
        assert answers[1][1]["cache-control"] == "private, max-age=60"
        assert (await shop.get())[1]["cache-control"] == "max-age=60"
        assert (await shop.get(x_api_key="wrong"))[0] == 401


async def test_nothing_is_kept_of_credentials_that_only_backends_see(serve):
    headers = {"request": {"allow": ["authorization"]}}
    shop = await serve(policy(ttl="1m", shared=True), headers=headers)
    for _ in range(2):
        await shop.get(authorization="Bearer s3cr3t")
    assert await shop.calls() == 2
    await shop.get()
    await shop.get()
    assert await shop.calls() == 3


async def test_a_stale_reply_is_used_while_a_new_one_is_fetched(serve):
    shop = await serve(policy(ttl="200ms", stale_while_revalidate="1m"))
    await shop.get()
    await asyncio.sleep(0.3)
    answers = await asyncio.gather(*(shop.get() for _ in range(20)))
    assert all("age" in each[1] for each in answers)
    await shop.until_ended(GET, 2)
    assert await shop.calls() == 2


async def test_a_stale_reply_is_used_where_the_backend_fails(serve):
    with start() as backend:
        cached = policy(ttl="200ms", stale_if_error="1m")
        shop = await serve(cached, addresses=backend.addresses)
        first = await shop.get()
        await asyncio.sleep(0.3)
    status, headers, body = await shop.get()
    assert (status, body) == (200, first[2])
    assert "age" in headers
    assert (await shop.get("/v1/products/p2"))[0] == 503


async def test_not_found_is_kept_only_where_the_policy_says_so(serve):
    shop = await serve(policy(ttl="1m"))
    for _ in range(2):
        assert (await shop.get(NOTHING))[0] == 404
    assert await shop.calls() == 2
    shop = await serve(policy(ttl="1m", negative_ttl="1m"))
    bodies = []
    for _ in range(2):
        async with shop.client.get(NOTHING, headers={"x-request-id": "same"}) as response:
            bodies.append(await error_of(response))
            assert response.headers["cache-control"] == "private, max-age=60"
    assert bodies[0] == bodies[1]
    assert await shop.calls() == 1


async def test_errors_are_not_kept(serve):
    shop = await serve(policy(ttl="1m"))
    for _ in range(2):
        assert (await shop.get(x_fault_code="INTERNAL"))[0] == 500
    assert await shop.calls() == 2


@pytest.mark.parametrize(
    "settings",
    [policy(ttl="1m"), {"methods": [f"{SERVICE}/Get*"], "coalesce": True}],
    ids=["cache", "coalesce"],
)
async def test_a_thousand_equal_calls_are_one(serve, settings):
    shop = await serve(settings)
    answers = await asyncio.gather(*(shop.get(x_fault_delay="1s") for _ in range(1000)))
    assert {each[0] for each in answers} == {200}
    assert len({each[2] for each in answers}) == 1
    assert await shop.calls() == 1
    await shop.get(x_fault_delay="1s")
    assert await shop.calls() == (1 if "cache" in settings else 2)


async def test_who_came_first_may_leave(serve):
    shop = await serve(policy(ttl="1m"))
    before = await shop.backend.counts(GET)
    first = asyncio.create_task(shop.get(x_fault_delay="500ms"))
    await shop.backend.until_started(GET, before)
    second = asyncio.create_task(shop.get(x_fault_delay="500ms"))
    await asyncio.sleep(0.05)
    first.cancel()
    assert (await second)[0] == 200
    assert await shop.calls() == 1


async def test_when_all_have_left_the_backend_hears_of_it(serve):
    shop = await serve(policy(ttl="1m"))
    before = await shop.backend.counts(GET)
    waiting = [asyncio.create_task(shop.get(x_fault_delay="30s")) for _ in range(2)]
    await shop.backend.until_started(GET, before)
    for each in waiting:
        each.cancel()
    await shop.backend.until_gone(GET, before)


async def test_each_has_its_own_deadline(serve):
    shop = await serve(policy(ttl="1m"))
    short = asyncio.create_task(shop.get(x_fault_delay="500ms", grpc_timeout="100m"))
    long = asyncio.create_task(shop.get(x_fault_delay="500ms"))
    assert (await short)[0] == 504
    assert (await long)[0] == 200
    assert await shop.calls() == 1


async def test_purge(serve, tmp_path):
    shop = await serve(
        policy(ttl="1m", tags=["product:{id}", "catalog"]) | {"methods": [GET[1:]]},
        policy(ttl="1m") | {"methods": [LIST[1:]]},
    )
    paths = (PRODUCT, "/v1/products/p2", "/v1/products")

    async def asked():
        before = await shop.calls() + await shop.calls(LIST)
        for path in paths:
            assert (await shop.get(path))[0] == 200
        return await shop.calls() + await shop.calls(LIST) - before

    def purged(*options):
        done = invoke("purge", *options, "--admin", shop.served.admin, cwd=tmp_path)
        assert done.code == 0, done.err
        return done.out.strip()

    assert [await asked(), await asked()] == [3, 0]
    assert purged("--tag", "product:p1") == "purged 1 reply"
    assert await asked() == 1
    assert purged("--tag", "catalog") == "purged 2 replies"
    assert await asked() == 2
    assert purged("--tag", "other") == "purged 0 replies"
    assert purged("--method", f"{SERVICE}/L*") == "purged 1 reply"
    assert await asked() == 1
    assert purged("--all") == "purged 3 replies"
    assert await asked() == 3
    async with aiohttp.ClientSession(shop.served.admin) as admin:
        for query in ("", "tag=", "all=yes", "tag=a&all=true", "other=1"):
            async with admin.post(f"/cache/purge?{query}") as response:
                assert response.status == 400, query


async def test_purge_reaches_all_workers(serve, tmp_path):
    shop = await serve(policy(ttl="1m", tags=["product:{id}"]), workers=2)

    async def asked():
        before = await shop.calls()
        for _ in range(40):  # a new connection each, so that both workers are met
            async with aiohttp.ClientSession(shop.served.url) as session, session.get(PRODUCT):
                pass
        return await shop.calls() - before

    assert await asked() == 2
    assert await asked() == 0
    admin = ("--admin", shop.served.admin)
    done = invoke("purge", "--tag", "product:p1", *admin, cwd=tmp_path)
    assert done.out.strip() == "purged 2 replies"
    assert await asked() == 2


async def test_lookups_of_a_graph_are_kept_by_key(serve):
    shop = await serve(policy(ttl="1m"), graphql={"joins": [JOINS], "operations": []})

    async def titles(*orders):
        fields = " ".join(
            f'{each}: getOrder(id: "{each}") {{ items {{ product {{ id title }} }} }}'
            for each in orders
        )
        async with shop.client.post("/graphql", json={"query": f"{{ {fields} }}"}) as response:
            answer = await response.json()
            assert "errors" not in answer, answer
            return answer["data"]

    one = await titles("o1")
    before = await shop.calls(BATCH)
    assert before == 1
    both = await titles("o1", "o2")
    assert both["o1"] == one["o1"]
    assert await shop.calls(BATCH) - before <= 1
    again = await shop.calls(BATCH)
    assert await titles("o2", "o1") == both
    assert await shop.calls(BATCH) == again


async def test_entries_outlive_a_reload_but_not_their_upstream(serve, tmp_path):
    shop = await serve(policy(ttl="1m"))
    path = tmp_path / "gateway.yaml"
    assert b"createTime" in (await shop.get())[2]

    async def reloaded(names, seen):
        config = yaml.safe_load(path.read_text())
        config["rest"] = {"json": {"proto_names": names}}
        if not names:
            config["upstreams"] = {"other": config["upstreams"]["shop"]}
        path.write_text(yaml.safe_dump(config))
        shop.served.process.send_signal(signal.SIGHUP)
        while seen not in (await shop.get())[2]:
            await asyncio.sleep(0.02)

    await reloaded(names=True, seen=b"create_time")
    assert await shop.calls() == 1
    await reloaded(names=False, seen=b"createTime")
    assert await shop.calls() == 2


async def test_gateways_share_what_they_keep_in_redis(serve, own_redis, tmp_path):
    (tmp_path / "other").mkdir()
    cached = policy(ttl="1m", tags=["product:{id}"])
    shop = await serve(cached, state=own_redis.url, state_timeout="1s")
    config = shop_config(shop.addresses, policies=[cached], state=own_redis.url, state_timeout="1s")
    with gateway(tmp_path / "other", config) as other:
        async with aiohttp.ClientSession(other.url) as session:

            async def asked():
                """What each of the two answers, until what one of them put is there."""
                answers = []
                for client in (shop.client, session):
                    async with client.get(PRODUCT) as response:
                        answers.append((response.status, await response.json()))
                return answers

            one, two = await asked()
            assert one == two
            while not own_redis.ask("KEYS", "gw:cache:v:*"):
                await asyncio.sleep(0.01)
            before = await shop.calls()
            assert await asked() == [one, two]
            assert await shop.calls() == before
            done = invoke("purge", "--tag", "product:p1", "--admin", other.admin, cwd=tmp_path)
            assert done.out.strip() == "purged 1 reply"
            await asked()
            assert await shop.calls() > before
            own_redis.kill()
            before = await shop.calls()
            assert await asked() == [one, two]
            assert await shop.calls() == before + 2
            done = invoke("purge", "--all", "--admin", other.admin, cwd=tmp_path)
            assert done.code == 1
            assert "can't be reached" in done.err


async def test_clients_who_have_ever_more_kept_do_not_take_limits_down(serve, own_redis):
    own_redis.ask("CONFIG", "SET", "maxmemory", "2mb")
    limit = {"name": "all", "rate": "100000/h", "key": "all", "on_error": "deny"}
    limited = {"methods": [f"{SERVICE}/*"], "rate_limits": [limit]}
    shop = await serve(policy(ttl="10m"), limited, state=own_redis.url, state_timeout="5s")
    for turn in range(20):
        asked = [
            shop.get("/v1/products?page_size=100", accept_language=f"{turn}-{number}")
            for number in range(20)
        ]
        assert {status for status, _, _ in await asyncio.gather(*asked)} == {200}
    memory = own_redis.ask("INFO", "memory")
    assert memory["used_memory_peak"] < 2 * 1024**2
    assert own_redis.ask("KEYS", "gw:cache:v:*")


def test_explain_tells_of_it(shop, tmp_path):
    cached = policy(ttl="1m", vary=["accept-language"], stale_if_error="1h", tags=["catalog"])
    cached["methods"] = [f"{SERVICE}/*"]
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump(shop_config(shop, policies=[cached])))
    done = invoke("explain", GET[1:], "--config", str(path), cwd=tmp_path)
    assert done.code == 0, done.err
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    for name, value in {
        "cache.ttl": "1m",
        "cache.vary": "accept-language",
        "cache.stale_if_error": "1h",
        "cache.tags": "catalog",
    }.items():
        assert any(line.startswith(f"{name} {value} ") and f".{name}" in line for line in lines)
    assert any("cache: Answers from replies kept in memory, each caller's own" in x for x in lines)
    done = invoke("explain", f"{SERVICE}/CreateProduct", "--config", str(path), cwd=tmp_path)
    assert "1m, without effect: calls may change something" in done.out
