"""From the section `graphql` to a graph: what each key becomes, and where its mistakes are told."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import weakref
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import aiohttp
import pytest
import yaml

from gateway.app import App, BuildError, build
from gateway.app.graphql import document_limits, graph_options
from gateway.app.pool import UpstreamPool
from gateway.call import Metadata
from gateway.config import from_mapping, load
from gateway.fronts.graphql.document import Limits
from gateway.fronts.graphql.graph.options import (
    FieldOptions,
    GraphOptions,
    MethodOptions,
    OneofOptions,
)
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.routing.caller import Caller

ROOT = Path(__file__).parents[2]
CALLER = Caller(Metadata(), None, None, "203.0.113.7", "graphql", "r1", None)
WHO_AM_I = "shop.users.v1.UserService/WhoAmI"


def given(**keys):
    return from_mapping({"graphql": {"joins": [], "operations": [], **keys}}, origin="test")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Writes a config file of the shop, in a folder of its own, with this section `graphql`."""
    monkeypatch.chdir(tmp_path)

    def write(section, joins=None, rules=()):
        (tmp_path / "schema").mkdir(exist_ok=True)
        if joins is not None:
            (tmp_path / "schema" / "joins.graphql").write_text(joins)
        data = {
            "listener": {"address": "127.0.0.1:0"},
            "admin": False,
            "schema": {"protos": [str(ROOT / "protos")], "http_rules": list(rules)},
            "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
            "graphql": section,
        }
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
        return load("gateway.yaml", environ={})

    return write


async def built(loaded):
    pool = UpstreamPool()
    try:
        return await build(loaded, pool)
    finally:
        await pool.close(0)


async def problems(loaded):
    with pytest.raises(BuildError) as caught:
        await built(loaded)
    return caught.value.problems


def line_of(text):
    """The line of the config file that has a text; it is there once."""
    lines = Path("gateway.yaml").read_text().splitlines()
    (found,) = [number for number, line in enumerate(lines, 1) if text in line]
    return found


class TestWhatKeysBecome:
    def test_nothing_said_is_the_graphs_own_default(self):
        config = given().config.graphql
        assert graph_options(config) == GraphOptions()
        assert document_limits(config) == Limits()

    def test_each_option_of_the_graph(self):
        config = given(
            services=["shop.users.*"],
            naming="by_service",
            names="fail",
            subscriptions=False,
            methods={WHO_AM_I: {"name": "me", "aliases": ["self"], "hide": False, "kind": "query"}},
            fields={"a.M.f": {"name": "g", "hide": True}},
            oneofs={"a.M.o": {"union": True}},
        ).config.graphql
        assert graph_options(config) == GraphOptions(
            services=("shop.users.*",),
            naming="by_service",
            names="fail",
            subscriptions=False,
            methods={WHO_AM_I: MethodOptions("me", ("self",), hide=False, kind="query")},
            fields={"a.M.f": FieldOptions("g", hide=True)},
            oneofs={"a.M.o": OneofOptions(union=True)},
        )

    def test_each_limit_of_documents(self):
        limits = {"depth": 1, "cost": 2, "aliases": 3, "tokens": 4, "root_fields": 5}
        assert document_limits(given(limits=limits).config.graphql) == Limits(**limits)

    def test_the_limits_of_documents_by_default(self):
        assert document_limits(given().config.graphql) == Limits()

    async def test_the_limit_of_batches(self, shop):
        assert (await built(shop({"limits": {"batch": 6}}))).graphql.shared.batch == 6

    async def test_the_graph_is_at_its_path(self, shop):
        front = (await built(shop({"path": "/api/graph"}))).graphql.front
        assert front.answers("/api/graph")
        assert not front.answers("/graphql")

    async def test_off_is_off(self, shop):
        assert (await built(shop(False))).graphql is None

    async def test_a_lookup_of_the_config_serves_a_join(self, shop):
        lookup = {
            "method": "shop.media.v1.MediaService/GetMedia",
            "type": "shop.media.v1.Media",
            "keys": "path",
        }
        joins = 'extend type Product { image: Media @join(by: "id") }'
        generation = await built(shop({"lookups": [lookup]}, joins))
        assert "image" in generation.graphql.engine.schema.type_map["Product"].fields
        (warning,) = generation.warnings
        assert warning.startswith("schema/joins.graphql:1:"), "a call a product"
        assert "Product.image" in warning


class TestMistakes:
    async def test_of_a_file_of_joins_have_their_line_and_a_fix(self, shop):
        joins = 'extend type OrderItem {\n  product: Product @join(by: "produkt_id")\n}\n'
        (found,) = await problems(shop({}, joins))
        assert found.startswith("schema/joins.graphql:2:30: OrderItem.product: ")
        assert 'write: product: Product @join(by: "product_id")' in found

    async def test_of_all_joins_are_told_at_once(self, shop):
        joins = (
            'extend type User {\n  a: Nobody @join(by: "id")\n  b: Product @join(by: "nope")\n}\n'
        )
        found = await problems(shop({}, joins))
        assert {line.split(":")[1] for line in found} == {"2", "3"}

    async def test_a_file_of_joins_must_be_text(self, shop, tmp_path):
        loaded = shop({}, "")
        (tmp_path / "schema" / "joins.graphql").write_bytes(b"\xff\xfe")
        (found,) = await problems(loaded)
        assert found == "schema/joins.graphql: can't be read: it must be text in UTF-8"

    @pytest.mark.parametrize(
        ("section", "name", "says"),
        [
            pytest.param(
                {"fields": {"shop.catalog.v1.Product.titel": {"hide": True}}},
                "shop.catalog.v1.Product.titel",
                "did you mean shop.catalog.v1.Product.title?",
                id="a-field",
            ),
            pytest.param(
                {"methods": {"shop.users.v1.UserService/WhoAmi": {"hide": True}}},
                "shop.users.v1.UserService/WhoAmi",
                f"did you mean {WHO_AM_I}?",
                id="a-method",
            ),
            pytest.param(
                {"oneofs": {"shop.catalog.v1.Product.nope": {"union": True}}},
                "shop.catalog.v1.Product.nope",
                "there is no such oneof",
                id="a-oneof",
            ),
        ],
    )
    async def test_of_what_is_no_part_of_the_protos(self, section, name, says, shop):
        (found,) = await problems(shop(section))
        assert found.startswith(f"gateway.yaml:{line_of(name)}:")
        assert says in found

    async def test_of_a_glob_of_services(self, shop):
        (found,) = await problems(shop({"services": ["shop.*", "ship.*"]}))
        assert found == (
            f"gateway.yaml:{line_of('ship.*') - 2}:3: graphql.services: no service matches ship.*"
        )

    async def test_of_a_lookup_have_the_line_of_its_entry(self, shop):
        lookups = [
            {
                "method": "shop.catalog.v1.CatalogService/BatchGetProducts",
                "type": "shop.catalog.v1.Product",
                "keys": "idz",
                "items": "products",
                "by": "id",
            }
        ]
        (found,) = await problems(shop({"lookups": lookups}))
        assert found.startswith(f"gateway.yaml:{line_of('- method:')}:")
        assert '"idz" is not a field' in found
        assert "did you mean ids?" in found

    async def test_of_rest_and_of_the_graph_are_told_together(self, shop):
        rules = [{"selector": "shop.users.v1.UserService.WhoAmI"}]
        found = await problems(shop({"fields": {"a.M.f": {"hide": True}}}, rules=rules))
        assert len(found) == 2
        assert any("has no HTTP method" in each for each in found)
        assert any("graphql.fields.a.M.f" in each for each in found)


class TestNotes:
    async def test_streams_of_requests_are_no_warning_at_each_start(self, shop):
        generation = await built(shop({}))
        assert generation.warnings == ()
        (note,) = generation.notes
        assert note.startswith("not in the graph, as their requests are streams: ")
        assert "shop.catalog.v1.CatalogService/ImportProducts" in note

    async def test_a_clash_is_a_warning_or_an_error_where_the_config_says_so(self, shop):
        taken = {"methods": {WHO_AM_I: {"name": "getUser"}}}
        (warning,) = (await built(shop(taken))).warnings
        assert warning.startswith("getUser would be the name of shop.users.v1.UserService/GetUser")
        (problem,) = await problems(shop({**taken, "names": "fail"}))
        assert problem.startswith("shop/users/v1/users.proto:")
        assert warning in problem


def test_without_a_graph_nothing_of_it_is_imported(tmp_path):
    program = f"""
import asyncio, sys
from gateway.app import build
from gateway.app.pool import UpstreamPool
from gateway.config import from_mapping
data = {{
    "schema": {{"protos": [{str(ROOT / "protos")!r}]}},
    "upstreams": {{"shop": {{"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}}}},
    "graphql": sys.argv[1] == "on" and {{"joins": [], "operations": []}},
}}
async def main():
    pool = UpstreamPool()
    await build(from_mapping(data, origin="test"), pool)
    await pool.close(0)
asyncio.run(main())
print("graphql" in sys.modules, "strawberry" in sys.modules)
"""

    def imported(switch):
        command = [sys.executable, "-c", program, switch]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert imported("off") == ["False", "False"]
    assert imported("on") == ["True", "False"], "Strawberry is for extensions only"


# Reload


FIELDS = '{ __type(name: "Query") { fields { name } } }'


@asynccontextmanager
async def running(load):
    app = App(load)
    await app.start(lambda _: None)
    try:
        async with aiohttp.ClientSession(app.urls[0]) as client:
            yield app, client
    finally:
        await app.stop()


async def fields(client):
    async with client.post("/graphql", json={"query": FIELDS}) as response:
        answer = await response.json()
    return {each["name"] for each in answer["data"]["__type"]["fields"]}


async def test_a_reload_replaces_the_graph_and_the_socket_asks_the_new_one(shop):
    shop({})
    async with running(lambda: load("gateway.yaml", environ={})) as (app, client):
        assert "whoAmI" in await fields(client)
        async with client.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init"})
            assert await socket.receive_json() == {"type": "connection_ack"}
            shop({"methods": {WHO_AM_I: {"name": "me"}}})
            await app.reload()
            payload = {"query": FIELDS}
            await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            told = (await socket.receive_json())["payload"]["data"]
        names = {each["name"] for each in told["__type"]["fields"]}
        assert names == await fields(client)
        assert "me" in names
        assert "whoAmI" not in names


async def test_a_socket_keeps_no_generation_between_its_operations(shop):
    shop({})
    async with running(lambda: load("gateway.yaml", environ={})) as (app, client):
        lease = weakref.ref(app.current.lease)
        async with client.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init"})
            await socket.receive_json()
            await app.reload()
            assert "getOrder" in await fields(client)
            gc.collect()
            assert lease() is None


async def test_a_socket_runs_nothing_more_once_the_graph_is_off(shop):
    shop({})
    async with running(lambda: load("gateway.yaml", environ={})) as (app, client):
        async with client.ws_connect("/graphql", protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init"})
            await socket.receive_json()
            shop(False)
            await app.reload()
            payload = {"query": "{ __typename }"}
            await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            told = await socket.receive_json()
        assert told["type"] == "error"
        assert told["payload"][0]["extensions"]["reason"] == "ROUTE_NOT_FOUND"


async def test_a_reload_of_wrong_joins_leaves_the_old_graph(shop):
    shop({}, 'extend type OrderItem { product: Product @join(by: "product_id") }')
    async with running(lambda: load("gateway.yaml", environ={})) as (app, client):
        before = app.current
        shop({}, "extend type OrderItem { product: Nobody }")
        with pytest.raises(BuildError, match=r"schema/joins\.graphql:1:"):
            await app.reload()
        assert app.current is before
        assert "getOrder" in await fields(client)


async def test_a_reload_switches_the_graph_off_and_on(shop):
    shop({})
    async with running(lambda: load("gateway.yaml", environ={})) as (app, client):
        shop(False)
        await app.reload()
        async with client.post("/graphql", data=json.dumps({"query": FIELDS})) as response:
            assert response.status == 404
        shop({})
        await app.reload()
        assert "getOrder" in await fields(client)


class TestIdentity:
    """What of the graph is for some callers only."""

    SCOPED: ClassVar = {"fields": {"shop.users.v1.User.loyalty_points": {"scopes": ["points"]}}}

    async def test_scopes_without_anybody_who_has_some_are_told_of(self, shop):
        (warning,) = (await built(shop(self.SCOPED))).warnings
        assert warning == (
            "nobody sees User.loyaltyPoints: they need scopes, and there is no auth.providers"
        )

    async def test_a_config_can_take_scopes_back(self, shop):
        taken = {"fields": {"shop.users.v1.User.loyalty_points": {"scopes": []}}}
        assert (await built(shop(taken))).warnings == ()

    async def test_without_providers_all_is_open(self, shop):
        parts = (await built(shop({}))).graphql
        assert parts.shared.sockets is None
        query = GraphqlRequest("{ __schema { queryType { name } } }")
        assert parts.engine.prepare(query, CALLER).gate is None
        assert parts.engine.documents.suggests


async def test_an_extension_that_can_t_be_imported_is_told_with_its_line(tmp_path):
    (tmp_path / "x.proto").write_text(
        'syntax = "proto3"; package x.v1; message M { string a = 1; } '
        "service S { rpc GetM(M) returns (M); }"
    )
    config = tmp_path / "gateway.yaml"
    config.write_text(
        "schema: {protos: [.]}\n"
        "upstreams: {x: {services: [x.*], endpoints: [127.0.0.1:1]}}\n"
        "graphql:\n"
        "  extensions:\n"
        "    - no_such_module:extensions\n"
    )
    pool = UpstreamPool()
    try:
        with pytest.raises(BuildError) as caught:
            await build(load(config), pool)
    finally:
        await pool.close(0)
    (line,) = caught.value.problems
    assert line.startswith(f"{config}:5:7: no_such_module:extensions: can't be imported: ")
