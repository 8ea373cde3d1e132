"""The admin listener of a gateway that runs, with one process and with two."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import yaml

from tests.cli.processes import run
from tests.end_to_end.sockets import WATCH, socket
from tests.end_to_end.system import gateway, shop_config

TOKEN = "of operators"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
GET = "shop.catalog.v1.CatalogService/GetProduct"
PATIENCE = 60
DOCS = Path(__file__).parents[2] / "docs" / "admin.md"
GONE = "The upstream gone has no endpoint that works."


class Running(NamedTuple):
    """The gateway, where its config is, and how many workers it has."""

    url: str
    admin: str
    process: subprocess.Popen[str]
    folder: Path
    workers: int


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two workers"])
def served(request, shop, tmp_path_factory):
    """A gateway with a token, and an upstream that is not there."""
    reviews = {"services": ["shop.reviews.v1.ReviewService"], "endpoints": ["127.0.0.1:1"]}
    config = shop_config(shop, workers=request.param)
    config["upstreams"]["gone"] = reviews
    config["admin"]["token"] = TOKEN
    folder = tmp_path_factory.mktemp("admin")
    with gateway(folder, config) as running:
        yield Running(running.url, running.admin, running.process, folder, request.param)


@pytest.fixture
async def admin(served):
    async with aiohttp.ClientSession(served.admin, headers=BEARER) as session:
        yield session


async def page(session, path, verb="GET", /, **query):
    async with session.request(verb, path, params=query) as reply:
        return reply.status, json.loads(await reply.read())


async def told(session, path, verb="GET", /, **query):
    status, content = await page(session, path, verb, **query)
    assert status == 200, content
    return content


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not (found := await condition()):
            await asyncio.sleep(0.02)
    return found


async def test_every_page_wants_the_token_but_probes(served, admin):
    listed = (await told(admin, "/"))["pages"]
    async with aiohttp.ClientSession(served.admin) as nobody:
        for each in listed:
            if not each["path"].startswith("/why"):
                async with nobody.request(each["method"], each["path"]) as reply:
                    is_open = each["path"] in {"/healthz", "/livez", "/readyz", "/jwks.json"}
                    assert (reply.status == 401) is not is_open, each
        async with nobody.get("/config", headers={"Authorization": "Bearer no"}) as reply:
            assert reply.status == 401
            assert TOKEN not in await reply.text()


async def test_a_backend_that_is_gone_is_told_and_leaves_the_gateway_ready(admin):
    async def tried():
        return (await page(admin, "/readyz"))[1]["reasons"]

    assert await until(tried) == [GONE]
    assert await page(admin, "/readyz") == (200, {"status": "degraded", "reasons": [GONE]})
    assert (await page(admin, "/readyz", strict="1"))[0] == 503
    assert await page(admin, "/healthz") == (200, {"status": "serving"})


async def test_the_config_is_told_with_its_places_and_without_secrets(served, admin):
    config = await told(admin, "/config")
    assert config["config"]["listener"]["limits"]["body_size"] == "4MiB"
    assert config["config"]["admin"]["token"] == "*" * 10
    assert re.fullmatch(r".*gateway\.yaml:\d+:\d+", config["places"]["admin.token"])
    assert config["generation"] == 1
    assert TOKEN not in json.dumps(config)
    assert len(config.get("workers", [0])) == served.workers


async def test_routes_are_told_part_by_part(admin):
    first = await told(admin, "/routes", limit="100")
    rows, after = first["rows"], first["after"]
    while after:
        more = await told(admin, "/routes", limit="100", after=str(after))
        rows, after = rows + more["rows"], more.get("after")
    assert len(rows) == first["count"]
    product = {"rpc": GET, "kind": "unary", "upstream": "shop"}
    assert {"http_method": "GET", "path": "/v1/products/{id}"} | product in rows
    assert {"graphql": "Query.getProduct"} | product in rows
    assert any(row.get("websocket") == "/ws" for row in rows)
    status, refused = await page(admin, "/routes", host="api.example")
    assert (status, "no hosts" in refused["error"]["message"]) == (404, True)


async def test_filters_tell_the_chain_and_what_set_it(admin):
    (row,) = (await told(admin, "/filters", method=GET))["rows"]
    assert row["chain"][0]["name"] == "deadline gate"
    settings = {each["name"]: each for each in row["settings"]}
    assert "gateway.yaml" in settings["upstream"]["set_by"]
    assert settings["policies.timeout"]["set_by"] == "default"
    assert (await told(admin, "/filters", limit="3"))["after"] == 3
    status, refused = await page(admin, "/filters", method=f"{GET}s")
    assert (status, f"did you mean {GET}?" in refused["error"]["message"]) == (404, True)


async def test_open_sockets_are_told_and_closed_ones_are_not(served, admin):
    async def forms():
        return sorted(row["form"] for row in (await told(admin, "/sessions"))["rows"])

    async with (
        socket(served.url) as talk,
        aiohttp.ClientSession(served.url) as client,
        client.ws_connect("/v1/stock:watch", headers={"Authorization": "Bearer secret"}),
        client.ws_connect("/graphql", protocols=["graphql-transport-ws"]),
    ):
        await talk.open(WATCH, body={"productIds": ["p1"]}, credit=0)

        async def all_are():
            answer = await told(admin, "/sessions")
            rows = {row["form"]: row for row in answer["rows"]}
            return rows if len(rows) == 3 and rows["multiplexed"]["streams"] else None

        rows = await until(all_are)
        row = rows["multiplexed"]
        assert (row["streams"], row["principal"], row["path"]) == (1, None, "/ws")
        assert row["received"] > 50
        assert row["sent"] > 50
        assert row["age"] < 60
        assert talk.welcome["session"] not in json.dumps(rows)
        assert "secret" not in json.dumps(rows)
        assert len((await told(admin, "/sessions", limit="1"))["rows"]) == 1
        told_of = run("sessions", "--admin", served.admin, "--token", TOKEN, cwd=Path.cwd())
        assert "multiplexed" in told_of.out
        assert "3 open" in told_of.err

    async def none_is():
        return not await forms()

    await until(none_is)


async def test_levels_are_changed_in_all_processes_and_fall_back(served, admin):
    def levels(*arguments):
        given = ("--admin", served.admin)
        os.environ["GATEWAY_ADMIN_TOKEN"] = TOKEN
        try:
            return run("log-level", *arguments, *given, cwd=Path.cwd())
        finally:
            del os.environ["GATEWAY_ADMIN_TOKEN"]

    changed = levels("debug", "--logger", "gateway.upstream", "--for", "1h")
    assert changed.out == "gateway.upstream logs from debug on, for another 1h\n"
    answer = await told(admin, "/log", "POST")
    assert answer["levels"][0]["level"] == "debug"
    back = await told(admin, "/log", "POST", level="usual", logger="gateway.upstream")
    assert back == {"levels": []}


async def test_a_drain_sends_clients_elsewhere_and_serves_those_that_come(served, admin):
    async with (
        socket(served.url) as talk,
        aiohttp.ClientSession(served.url) as client,
    ):
        drained = run("drain", "--admin", served.admin, "--token", TOKEN, cwd=Path.cwd())
        assert drained.out.startswith("draining: ")
        try:
            assert (await talk.of(None))["t"] == "goaway"
            status, readiness = await page(admin, "/readyz")
            assert (status, readiness["status"]) == (503, "draining")
            async with client.get("/v1/products/p1") as reply:
                assert (reply.status, reply.headers["connection"]) == (200, "close")
        finally:
            assert (await told(admin, "/undrain", "POST"))["draining"] is False
        assert (await page(admin, "/readyz"))[0] == 200
        async with client.get("/v1/products/p1") as reply:
            assert "connection" not in reply.headers


async def test_processes_are_told(served, admin):
    workers = (await told(admin, "/workers"))["workers"]
    assert [each["state"] for each in workers] == ["ready"] * served.workers
    for each in workers:
        os.kill(each["pid"], 0)


async def test_a_reload_that_is_refused_is_told_until_one_is_taken(served, admin):
    path = served.folder / "gateway.yaml"
    good = path.read_text()
    before = (await told(admin, "/config"))["digest"]

    async def is_told():
        return "reload" in str((await page(admin, "/readyz"))[1]["reasons"])

    async def is_taken():
        config = await told(admin, "/config")
        return config["generation"] > 1 and config["digest"] != before and not await is_told()

    path.write_text("listener: {nope: 1}\n")
    served.process.send_signal(signal.SIGHUP)
    await until(is_told)
    path.write_text(yaml.safe_dump(yaml.safe_load(good) | {"zone": "a"}))
    served.process.send_signal(signal.SIGHUP)
    await until(is_taken)


async def test_every_page_is_documented(admin):
    text = DOCS.read_text()
    for each in (await told(admin, "/"))["pages"]:
        assert f"`{each['method']} {each['path']}`" in text, each
