"""Faults of many kinds, injected one by one: of each the gateway names the cause, by its id."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager

import aiohttp
import pytest

from gateway.cli.why_words import lines_of
from tests.end_to_end.limited import Keys
from tests.end_to_end.sockets import bare
from tests.end_to_end.system import ROOT, gateway, shop_config
from tests.policies.auth.issuer import Issuer, SigningKey

CATALOG = "shop.catalog.v1.CatalogService"
PRODUCT, LIST, QUOTE = f"{CATALOG}/GetProduct", f"{CATALOG}/ListProducts", f"{CATALOG}/QuoteProduct"
FEATURED, EXPORT = f"{CATALOG}/ListFeaturedProducts", f"{CATALOG}/ExportProducts"
BATCH, RENAME, SEARCH = (
    f"{CATALOG}/BatchGetProducts",
    f"{CATALOG}/RenameProduct",
    f"{CATALOG}/SearchProducts",
)
CATEGORY = f"{CATALOG}/GetCategory"
ORDERS = "shop.orders.v1.OrderService"
PATIENCE = 20
UNAVAILABLE = {"x-fault-code": "UNAVAILABLE"}


def closed_port():
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{each.getsockname()[1]}"


class World:
    """A gateway before backends of which each has a fault of its own, and who calls."""

    def __init__(self, folder, shop):
        self.folder = folder
        self.issuer = Issuer(alg="EdDSA")
        jwks = folder / "jwks.json"
        jwks.write_text(json.dumps(self.issuer.jwks()))
        self.keys = Keys(folder, ann="small")
        self.dead = closed_port()
        jwt = {
            "issuer": self.issuer.url,
            "audiences": ["shop"],
            "jwks": {"file": str(jwks)},
            "algorithms": ["EdDSA"],
        }
        providers = {**self.keys.auth["providers"], "customers": {"jwt": jwt}}
        self.config = shop_config(
            shop,
            listener={"address": "127.0.0.1:0", "limits": {"body_size": "64KiB"}},
            upstreams={
                "shop": {
                    "services": [CATALOG],
                    "endpoints": shop,
                    "retries": {"attempts": 2, "budget": {"minimum": "1000/s"}},
                },
                "orders": {
                    "services": [ORDERS],
                    "endpoints": shop,
                    "timeout": "300ms",  # shorter than what a policy says
                    "retries": {"attempts": 2, "budget": {"ratio": 0, "minimum": "1/d"}},
                },
                "stock": {
                    "services": ["shop.inventory.*"],
                    "endpoints": shop,
                    "circuit_breaker": {"requests": 1},
                },
                "users": {"services": ["shop.users.*"], "endpoints": [self.dead]},
                "reviews": {
                    "services": ["shop.reviews.*"],
                    "resolver": {"dns": "nowhere.invalid:1", "nameservers": [closed_port()]},
                },
                "media": {"services": ["shop.media.*"], "endpoints": shop, "tls": {}},
                "chat": {
                    "services": ["shop.chat.*"],
                    "endpoints": [shop[0], shop[0].replace("127.0.0.1", "localhost")],
                    "outlier_detection": {"consecutive_errors": 2},
                },
            },
            graphql={"joins": [], "operations": [], "limits": {"cost": 10}},
            websocket={"limits": {"idle_timeout": "200ms"}},
            auth={"providers": providers},
            plans={"small": {"quotas": {"calls": "1/d"}}},
            telemetry={"recorder": {"sample": 1}},
            adaptive_concurrency={"enabled": True, "min": 1, "max": 1, "queue": 0},
            policies=[
                {"methods": ["*"], "authenticate": ["partners", "customers", "none"]},
                {"methods": ["*"], "validate": True},
                {"methods": [PRODUCT], "timeout": "300ms"},
                {"methods": [f"{ORDERS}/*"], "timeout": "10s"},
                {"methods": [LIST], "rate_limits": [{"name": "lists", "rate": "1/h"}]},
                {"methods": [EXPORT], "concurrency": 1},
                {"methods": [QUOTE], "faults": {"code": "ABORTED", "percent": 100}},
                {
                    "methods": [FEATURED],
                    "authenticate": ["customers"],
                    "authorize": {"scopes": ["catalog.read"]},
                },
                {
                    "methods": [RENAME],
                    "authenticate": ["customers"],
                    "authorize": {"when": 'request.id == "p9"'},
                },
                {"methods": [CATEGORY], "cache": {"ttl": "1ms", "stale_while_revalidate": "1h"}},
                {"methods": [SEARCH], "faults": {"delay": "150ms", "percent": 100}},
            ],
        )  # fmt: skip

    def who(self, *scopes, age=0.0, issuer=None):
        claims = {"sub": "bob", "exp": time.time() + 300 - age, "scope": " ".join(scopes)}
        token = (issuer or self.issuer).token(**claims)
        return {"authorization": f"Bearer {token}"}


class Asking:
    """A client, and what the gateway says of what it did."""

    def __init__(self, world, served, session):
        self.world = world
        self.served = served
        self.session = session
        self._number = 0

    def name(self):
        self._number += 1
        return f"id-{self._number}-{time.monotonic_ns()}"

    async def get(self, path, verb="GET", name=None, **given):
        name = name or self.name()
        headers = {"x-request-id": name, **given.pop("headers", {})}
        async with self.session.request(verb, path, headers=headers, **given) as response:
            await response.read()
        return name

    async def why(self, name):
        """The one thing that is known of an id, as soon as it is."""
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.session.get(f"{self.served.admin}/why/{name}") as response:
                    told = await response.json()
                if "reload" in told or told.get("rows"):
                    return told["reload"] if "reload" in told else told["rows"][0]
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def held(self, path, **headers):
        """A call that is under way meanwhile."""
        made = asyncio.ensure_future(self.session.get(path, headers=headers))
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    async with self.session.get(f"{self.served.admin}/upstreams") as response:
                        told = (await response.json())["upstreams"]
                    if any(end["pending"] for each in told for end in each["endpoints"]):
                        break
                    await asyncio.sleep(0.01)
            yield
        finally:
            made.cancel()
            if made.done() and not made.cancelled():
                made.result().close()
            await asyncio.gather(made, return_exceptions=True)
            await self._until_nothing()

    async def _until_nothing(self):
        async with asyncio.timeout(PATIENCE):
            while True:
                async with self.session.get(f"{self.served.admin}/upstreams") as response:
                    told = (await response.json())["upstreams"]
                if not any(end["pending"] for each in told for end in each["endpoints"]):
                    return
                await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def world(shop, tmp_path_factory):
    return World(tmp_path_factory.mktemp("why"), shop)


@pytest.fixture(scope="module")
def served(world):
    with gateway(world.folder, world.config) as each:
        yield each


@pytest.fixture
async def ask(world, served):
    async with aiohttp.ClientSession(served.url) as session:
        yield Asking(world, served, session)


# What a client does, and what is said of it.


async def slow_endpoint(ask):
    return await ask.get("/v1/products:batchGet?ids=p1", headers={"x-fault-delay": "150ms"})


async def retries_exhausted(ask):
    return await ask.get("/v1/products/p1", headers=UNAVAILABLE)


async def budget(ask):
    for _ in range(4):
        name = await ask.get("/v1/orders/o1", headers=UNAVAILABLE)
    return name


async def breaker(ask):
    async with ask.held("/v1/stock:watch?interval=0.05s"):
        return await ask.get("/v1/products/p1/stock")


async def rate_limit(ask):
    await ask.get("/v1/products")
    return await ask.get("/v1/products")


async def quota(ask):
    headers = {"x-api-key": ask.world.keys.of["ann"]}
    await ask.get("/v1/products:batchGet?ids=p1", headers=headers)
    return await ask.get("/v1/products:batchGet?ids=p1", headers=headers)


async def concurrency(ask):
    async with ask.held("/v1/products:export", **{"x-fault-hang": "1"}):
        return await ask.get("/v1/products:export")


async def shed(ask):
    async with ask.held("/v1/products:batchGet?ids=p1", **{"x-fault-hang": "1"}):
        return await ask.get("/v1/products:batchGet?ids=p1")


async def expired(ask):
    return await ask.get("/v1/products:featured", headers=ask.world.who(age=4000))


async def unknown_key(ask):
    other = Issuer(alg="EdDSA")
    other.keys = [SigningKey.make("of nobody", "EdDSA")]
    return await ask.get("/v1/products:featured", headers=ask.world.who(issuer=other))


async def scope(ask):
    return await ask.get("/v1/products:featured", headers=ask.world.who("catalog.write"))


async def condition(ask):
    return await ask.get("/v1/products/p1:rename", "POST", json="x", headers=ask.world.who())


async def client_deadline(ask):
    headers = {"x-fault-hang": "1", "x-request-timeout": "0.1"}
    return await ask.get("/v1/products/p1", headers=headers)


async def policy_timeout(ask):
    return await ask.get("/v1/products/p1", headers={"x-fault-hang": "1"})


async def upstream_timeout(ask):
    return await ask.get("/v1/orders/o1", headers={"x-fault-hang": "1"})


async def not_resolved(ask):
    return await ask.get("/v1/products/p1/reviews")


async def refused(ask):
    return await ask.get("/v1/users/u1")


async def tls(ask):
    return await ask.get("/v1/media/a.png")


async def too_large(ask):
    headers = {"content-type": "application/json"}
    return await ask.get("/v1/products", "POST", data=b" " * 70_000, headers=headers)


async def argument(ask):
    return await ask.get("/v1/orders", "POST", json={"userId": "u1", "itmes": []})


async def route(ask):
    return await ask.get("/nowhere")


async def cost(ask):
    fields = " ".join(f'f{n}: getProduct(id: "p{n}") {{ id }}' for n in range(20))
    return await ask.get("/graphql", "POST", json={"query": f"{{ {fields} }}"})


async def invalid_document(ask):
    return await ask.get("/graphql", "POST", json={"query": "{ nothing }"})


async def field_of_graph(ask):
    return await ask.get("/graphql", "POST", json={"query": '{ getUser(id: "u1") { id } }'})


async def stale(ask):
    async with asyncio.timeout(PATIENCE):
        while True:  # a reply is fresh for a millisecond
            name = await ask.get("/v1/categories/kitchen")
            if any(call.get("cached") == "stale" for call in (await ask.why(name))["calls"]):
                return name


async def fault(ask):
    return await ask.get("/v1/products/p1:quote")


async def fault_delay(ask):
    return await ask.get("/v1/products:search?query=a")


async def idle_socket(ask):
    name = ask.name()
    async with bare(ask.served.url, additional_headers={"x-request-id": name}) as each:
        await each.say("hello")
        await each.websocket.wait_closed()
    return name


FAULTS_AND_CAUSES = {
    "slow endpoint": (slow_endpoint, "SLOW_ENDPOINT", "the endpoint 127.0.0.1"),
    "retries exhausted": (retries_exhausted, "RETRIES_EXHAUSTED", "All 2 attempts failed"),
    "retry budget empty": (budget, "RETRY_BUDGET_EMPTY", "retry budget is used up"),
    "breaker open": (breaker, "CIRCUIT_OPEN", "stock has 1 calls in flight"),
    "rate limit": (rate_limit, "RATE_LIMITED", '"lists" of 1/h, counted by principal'),
    "quota": (quota, "QUOTA_EXCEEDED", '"calls/d" of 1/d'),
    "concurrency full": (concurrency, "OVERLOADED", "as many calls as it takes"),
    "adaptive concurrency sheds": (shed, "OVERLOADED", "more calls than it can answer in time"),
    "expired token": (expired, "TOKEN_EXPIRED", "expired"),
    "unknown key": (unknown_key, "INVALID_CREDENTIALS", "refused"),
    "missing scope": (scope, "INSUFFICIENT_SCOPE", "catalog.read"),
    "condition false": (condition, "CONDITION_FAILED", "condition does not allow"),
    "client deadline too short": (client_deadline, "CLIENT_DEADLINE", "The client gave it "),
    "policy time-out": (policy_timeout, "GATEWAY_TIMEOUT", "policies.2.timeout"),
    "upstream time-out": (upstream_timeout, "GATEWAY_TIMEOUT", "upstreams.orders.timeout"),
    "nothing resolves": (not_resolved, "NOT_RESOLVED", "reviews"),
    "backend down": (refused, "UPSTREAM_UNAVAILABLE", "users can't be reached: 127.0.0.1"),
    "wrong TLS": (tls, "UPSTREAM_TLS", "media can't be reached"),
    "message too large": (too_large, "BODY_TOO_LARGE", "larger than 65536 bytes"),
    "unknown field": (argument, "INVALID_BODY", "itmes"),
    "unknown route": (route, "ROUTE_NOT_FOUND", "No route matches"),
    "GraphQL cost limit": (cost, "LIMIT_EXCEEDED", "cost"),
    "GraphQL validation": (invalid_document, "GRAPHQL_VALIDATION_FAILED", "nothing"),
    "field of a graph": (field_of_graph, "UPSTREAM_UNAVAILABLE", "users can't be reached"),
    "stale reply": (stale, "STALE_SERVED", "a stale reply"),
    "injected fault": (fault, "FAULT_INJECTED", "on purpose"),
    "injected delay": (fault_delay, "FAULT_DELAY", "a policy makes on purpose"),
    "idle socket": (idle_socket, "CLOSED_4000", "idle"),
}


@pytest.mark.parametrize("name", FAULTS_AND_CAUSES)
async def test_the_cause_of_a_fault_is_named(ask, name):
    act, cause, said = FAULTS_AND_CAUSES[name]
    told = await ask.why(await act(ask))
    assert (told["cause"], said in told["why"]) == (cause, True), json.dumps(told)
    assert (ROOT / told["docs"]).exists()
    assert told["hint"]
    words = "\n".join(lines_of(told))
    assert told["request_id"] in words
    assert words.isprintable() or "\n" in words


async def test_an_endpoint_that_was_ejected_is_named(ask):
    for _ in range(5):
        name = await ask.get("/v1/rooms", headers=UNAVAILABLE)
    told = await ask.why(name)
    assert told["cause"] == "BACKEND_ERROR", told
    assert "is ejected now: " in told["why"], told


async def test_a_config_that_was_refused_is_told_with_its_line(ask):
    told = await ask.why("reload")
    assert (told["refused"], told["at"]) == (False, None)
    path = ask.world.folder / "gateway.yaml"
    text = path.read_text()
    path.write_text(text.replace("graphql:", "grafql:", 1))
    os.kill(ask.served.pid, signal.SIGHUP)
    async with asyncio.timeout(PATIENCE):
        while not told["refused"]:
            await asyncio.sleep(0.02)
            told = await ask.why("reload")
    path.write_text(text)
    (problem,) = told["problems"]
    assert "gateway.yaml:" in problem
    assert "grafql" in problem


def command(served, *arguments):
    """What a command prints: its exit code, its standard output and its standard error."""
    line = [sys.executable, "-m", "gateway", *arguments, "--admin", served.admin]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        line, check=False, capture_output=True, text=True, env=environ, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


async def test_the_command_tells_it_in_words(ask, served):
    name = await ask.get("/v1/users/u1")
    await ask.why(name)
    code, out, err = await asyncio.to_thread(command, served, "why", name)
    assert (code, err) == (0, "")
    assert f"The upstream users can't be reached: {ask.world.dead}: " in " ".join(out.split())
    assert "upstreams.users.endpoints.0" in out


async def test_what_nobody_knows_of_is_told_so(served):
    code, out, err = await asyncio.to_thread(command, served, "why", "no-such-id")
    assert (code, out) == (1, "")
    assert err.startswith("Nothing is kept of no-such-id.")


async def test_the_last_failures_are_listed(ask, served):
    await ask.why(await ask.get("/v1/users/u2"))
    given = ("why", "--last", "--failed", "--method", "UserService.*", "--format", "json")
    code, out, err = await asyncio.to_thread(command, served, *given)
    assert (code, err) == (0, "")
    rows = json.loads(out)["rows"]
    assert rows
    assert {row["what"] for row in rows} == {"shop.users.v1.UserService/GetUser"}
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)


async def test_what_is_asked_is_followed(ask):
    query = {"watch": "one", "method": "*GetUser", "status": "5xx"}

    async def tapped():
        async with ask.session.get(f"{ask.served.admin}/tap", params=query) as response:
            assert response.status == 200
            return await response.json()

    assert await tapped() == {"rows": [], "missed": 0}
    await ask.get("/v1/products:batchGet?ids=p1")
    name = await ask.get("/v1/users/u3")
    rows = []
    async with asyncio.timeout(PATIENCE):
        while not rows:
            rows = (await tapped())["rows"]
    assert [(each["request_id"], each["code"]) for each in rows] == [(name, "UNAVAILABLE")]


async def test_a_filter_that_is_none_is_refused(ask):
    query = {"watch": "two", "peer": "nowhere"}
    async with ask.session.get(f"{ask.served.admin}/tap", params=query) as response:
        assert response.status == 400
        assert "peer: expected an address" in await response.text()
