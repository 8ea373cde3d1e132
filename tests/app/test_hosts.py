"""From the section `hosts` to what each host serves, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app import BuildError, build
from gateway.app.front_builder import Served
from gateway.app.pool import UpstreamPool
from gateway.config import from_mapping
from gateway.http import Headers, Request

ROOT = Path(__file__).parents[2]
CATALOG, USERS = "shop.catalog.v1.CatalogService", "shop.users.v1.UserService"


@pytest.fixture
async def built(tmp_path):
    """Builds a generation of the shop with some hosts."""

    async def one(hosts, joins=(), operations=(), **sections):
        for name, text in (*joins, *operations):
            (tmp_path / name).write_text(text)
        data = {
            "schema": {"protos": [str(ROOT / "protos")]},
            "upstreams": {"shop": {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"]}},
            "graphql": {
                "joins": [name for name, _ in joins],
                "operations": [str(tmp_path)] if operations else [],
            },
            "hosts": hosts,
        }
        pool = UpstreamPool()
        try:
            return await build(
                from_mapping(data | sections, origin="test", directory=tmp_path), pool
            )
        finally:
            await pool.close(0)

    return one


async def problems(building):
    with pytest.raises(BuildError) as caught:
        await building
    return caught.value.problems


def services(fronts):
    return {name.partition("/")[0] for name in fronts.methods}


def asked(authority):
    return Request("GET", "/", None, Headers(), authority)


async def test_without_hosts_there_is_one_set_of_fronts_and_nothing_is_looked_up(built):
    generation = await built({})
    assert generation.hosts is None
    assert generation.handle == generation.fronts.handle
    assert generation.at(asked("whatever.example")) is generation.fronts


async def test_each_host_has_its_services_in_every_front(built):
    generation = await built({"shop.example": {"services": ["shop.catalog.*"]}, "all.example": {}})
    shop, every = generation.at(asked("shop.example")), generation.at(asked("ALL.example:1"))
    assert services(shop) == {CATALOG}
    assert {each.method.service for each in shop.routes} == {CATALOG}
    assert {each.method.service for each in shop.graphql.graph.roots} == {CATALOG}
    assert {name.partition("/")[0] for name in shop.websocket.serving.methods} == {CATALOG}
    assert {each.method.service for each in shop.websocket.routes} == {CATALOG}
    assert shop.graphql.graph.schema.get_type("User") is None
    assert services(every) == {method.partition("/")[0] for method in generation.methods}
    assert generation.at(asked("other.example")) is None


async def test_each_host_gives_cookies_that_its_calls_may_look_for(built):
    def shop(service, port, **more):
        return {"services": [service], "endpoints": [f"127.0.0.1:{port}"], **more}

    generation = await built(
        {
            "catalog.example": {"services": [CATALOG]},
            "users.example": {"services": [USERS]},
            "all.example": {},
        },
        upstreams={
            "catalog": shop(CATALOG, 1, affinity={"cookie": "c"}),
            "users": shop(USERS, 2, affinity={"cookie": "u"}),
            "rest": shop("shop.*", 3, affinity={"on": "peer"}),
            "canary": {"endpoints": ["127.0.0.1:4"], "affinity": {"cookie": "canary"}},
        },
        policies=[{"methods": [f"{USERS}/*"], "split": [{"upstream": "canary", "percent": 5}]}],
    )

    def given(host):
        fronts = generation.at(asked(host))
        cookies = fronts.graphql.shared.cookies
        assert cookies == fronts.websocket.front._options.cookies
        return {each.name for each in cookies}

    assert given("catalog.example") == {"c"}
    assert given("users.example") == {"u", "canary"}
    assert given("all.example") == {"c", "u", "canary"}


async def test_fronts_are_off_where_the_host_says_so(built):
    generation = await built(
        {
            "rest.example": {"graphql": False, "websocket": False},
            "graph.example": {"rest": False, "websocket": False},
            "sockets.example": {"rest": False, "graphql": False},
        }
    )
    on = {
        name: (site.fronts.rest, site.fronts.graphql, site.fronts.websocket)
        for name, site in generation.hosts.sites.items()
    }
    assert {name: [each is not None for each in fronts] for name, fronts in on.items()} == {
        "rest.example": [True, False, False],
        "graph.example": [False, True, False],
        "sockets.example": [False, False, True],
    }
    sockets = generation.at(asked("sockets.example")).websocket
    assert all(each.template == f"/{each.method.name}" for each in sockets.routes), (
        "REST's routes answer no upgrades where REST is off"
    )


async def test_hosts_with_the_same_services_share_what_is_built_of_them(built):
    generation = await built(
        {
            "a.example": {"services": ["shop.*"]},
            "*.b.example": {},
            "c.example": {"rest": False},
            "d.example": {"services": ["shop.users.*"]},
        }
    )
    a, b, c, d = (site.fronts for site in generation.hosts.sites.values())
    assert a is b
    assert c is not a
    assert c.graphql is a.graphql
    assert d.graphql is not a.graphql
    some = next(iter(d.methods))
    assert d.methods[some] is a.methods[some], "one chain, and so one limit, for all hosts"


async def test_a_service_of_no_proto_is_a_mistake_with_its_line(built):
    (told,) = await problems(built({"a.example": {"services": ["shop.catalog.v1.Catalog"]}}))
    assert "hosts" in told
    assert 'did you mean "shop.catalog.v1.CatalogService"?' in told


async def test_a_host_without_anything_is_told_and_so_are_services_without_a_host(built):
    generation = await built(
        {"empty.example": {"services": ["admin.*"]}, "a.example": {"services": ["shop.users.*"]}}
    )
    assert any("nothing is served: no service" in each for each in generation.warnings)
    assert f"{CATALOG} is served at no host" in generation.notes
    assert f"{USERS} is served at no host" not in generation.notes


async def test_a_host_without_fronts_is_told(built):
    hosts = {"a.example": {"rest": False, "graphql": False, "websocket": False}}
    assert any("no front is on" in each for each in (await built(hosts)).warnings)


JOINS = """extend type Review { product: Product @join(by: "product_id") }
extend type Product { related: [Product] @join(by: "related_ids") }
"""
PRODUCT = 'query OneProduct($id: String!) @rest(get: "/v1/one/{id}") { getProduct(id: $id) { id } }'
USER = "query OneUser($id: String!) { getUser(id: $id) { id } }"
EXTENSION = """import strawberry
from gateway.extensions import Extensions, Info

extensions = Extensions()


@extensions.generated
class Product:
    @strawberry.field
    def sign(self) -> str:
        return self.id


@extensions.query
class Query:
    @strawberry.field
    async def cheapest(self, info: Info) -> Product:
        raise NotImplementedError
"""
HOSTS = {
    "shop.example": {"services": ["shop.catalog.*", "shop.reviews.*"]},
    "catalog.example": {"services": ["shop.catalog.*"]},
    "users.example": {"services": ["shop.users.*"]},
}


def fields(generation, host, type_):
    return generation.at(asked(host)).graphql.graph.schema.get_type(type_).fields


class TestGraphsOfSomeServices:
    """What needs other services is left out of a graph; what fits none is wrong."""

    async def test_a_join_is_in_the_graphs_that_it_fits(self, built):
        generation = await built(HOSTS, joins=[("joins.graphql", JOINS)])
        assert "product" in fields(generation, "shop.example", "Review")
        assert "related" in fields(generation, "shop.example", "Product")
        assert "related" in fields(generation, "catalog.example", "Product")
        assert any("Review.product" in each for each in generation.notes), "it is told"

    async def test_a_join_that_fits_no_graph_is_wrong_as_it_is_in_the_largest(self, built):
        wrong = 'extend type Review { product: Produkt @join(by: "product_id") }'
        (told,) = await problems(built(HOSTS, joins=[("joins.graphql", wrong)]))
        assert "the graph has no type Produkt" in told
        assert "joins.graphql:1" in told

    async def test_a_join_of_two_hosts_is_wrong(self, built):
        hosts = {"r.example": {"services": ["shop.reviews.*"]}, "u.example": HOSTS["users.example"]}
        told = await problems(
            built(
                hosts,
                joins=[("j.graphql", 'extend type Review { author: User @join(by: "user_id") }')],
            )
        )
        assert any("Review.author" in each for each in told)

    async def test_a_file_that_is_no_sdl_is_wrong_whatever_it_would_fit(self, built):
        assert await problems(built(HOSTS, joins=[("joins.graphql", "extend type {")]))

    async def test_a_document_is_served_where_it_fits(self, built):
        generation = await built(
            HOSTS, operations=[("product.graphql", PRODUCT), ("user.graphql", USER)]
        )
        views = {
            name: [each.template for each in site.fronts.views]
            for name, site in generation.hosts.sites.items()
        }
        assert views == {
            "shop.example": ["/v1/one/{id}"],
            "catalog.example": ["/v1/one/{id}"],
            "users.example": [],
        }

    async def test_a_document_that_fits_no_graph_is_wrong(self, built):
        wrong = "query Both { getProduct(id: 1) { id } getUser(id: 1) { id } }"
        told = await problems(built(HOSTS, operations=[("both.graphql", wrong)]))
        assert any("both.graphql" in each and "getUser" in each for each in told)

    async def test_lookups_and_settings_of_methods_are_passed_over_elsewhere(self, built):
        batch = "shop.catalog.v1.CatalogService/BatchGetProducts"
        generation = await built(
            HOSTS,
            graphql={
                "joins": [],
                "operations": [],
                "services": ["shop.catalog.*", "shop.users.*"],
                "lookups": [{"method": batch, "keys": "ids", "items": "products", "by": "id"}],
                "methods": {f"{USERS}/GetUser": {"name": "user"}},
            },
        )
        roots = {each.name for each in generation.at(asked("users.example")).graphql.graph.roots}
        assert "user" in roots

    async def test_an_extension_is_where_its_types_are(self, built, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(tmp_path)
        (tmp_path / "signs.py").write_text(EXTENSION)
        graphql = {"joins": [], "operations": [], "extensions": ["signs:extensions"]}
        generation = await built(HOSTS, graphql=graphql)
        roots = {
            name: site.fronts.graphql.graph.schema.query_type.fields.keys()
            for name, site in generation.hosts.sites.items()
        }
        assert [name for name, fields in roots.items() if "cheapest" in fields] == [
            "shop.example",
            "catalog.example",
        ]
        assert "sign" in fields(generation, "catalog.example", "Product")
        assert (
            generation.at(asked("users.example")).graphql.graph.schema.get_type("Product") is None
        )

    async def test_a_lookup_by_no_rpc_is_wrong(self, built):
        graphql = {"joins": [], "operations": [], "lookups": [{"method": "x.v1.S/Get"}]}
        told = await problems(built(HOSTS, graphql=graphql))
        assert any('there is no RPC "x.v1.S/Get"' in each for each in told)

    @pytest.mark.parametrize(
        ("graphql", "told"),
        [
            pytest.param(
                {"methods": {f"{CATALOG}/GetProdct": {"name": "product"}}},
                "there is no such method with an upstream",
                id="a method",
            ),
            pytest.param(
                {"services": ["shop.*", "shop.nonsense.*"]},
                "no service matches shop.nonsense.*",
                id="a glob of services",
            ),
        ],
    )
    async def test_what_no_host_has_is_wrong_and_told_once(self, built, graphql, told):
        hosts = {name: HOSTS[name] for name in ("catalog.example", "users.example")}
        (line,) = await problems(built(hosts, graphql=graphql))
        assert told in line


def test_what_is_served_is_all_unless_it_is_said():
    assert Served(frozenset()) == Served(frozenset(), rest=True, graphql=True, websocket=True)


async def test_a_default_version_that_begins_no_path_of_any_host_is_wrong(built):
    rest = {"versions": {"default": "v7"}}
    (told,) = await problems(built({"a.example": {}, "b.example": {"rest": False}}, rest=rest))
    assert "rest.versions.default: no route's path begins with /v7; there are v1" in told
