"""GraphQL in, gRPC out: the graph of the shop through real sockets and real backends."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
import grpc.aio
import pytest

from services_mock.testing import start
from tests.end_to_end.graph import config, data_of, post, started
from tests.end_to_end.system import ROOT, gateway

SHOP = """
query Shop($user: String!) {
  getUser(id: $user) {
    orders(limit: 5) {
      id
      items { product { id title stock { available } reviews(limit: 2) { stars } } }
    }
  }
}
"""


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("graph"), config(shop)) as each:
        yield each


# Queries


async def test_one_call_a_join_whatever_the_number_of_objects(either, shop):
    before = await started(shop[0])
    data = await data_of(either, SHOP, {"user": "u1"})
    after = await started(shop[0])
    made = {name: n - before.get(name, 0) for name, n in after.items() if n != before.get(name, 0)}
    assert made == dict.fromkeys(
        (
            "GetUser",
            "ListOrdersByUsers",
            "BatchGetProducts",
            "BatchGetStock",
            "ListReviewsByProducts",
        ),
        1,
    )
    orders = data["getUser"]["orders"]
    products = [item["product"] for order in orders for item in order["items"] if item["product"]]
    assert len(orders) > 1
    assert len({each["id"] for each in products}) > 1
    assert all(each["title"] and each["stock"] is not None for each in products)


async def test_what_a_join_finds_is_what_the_backend_says_of_that_key(client):
    data = await data_of(client, SHOP, {"user": "u1"})
    items = [item for order in data["getUser"]["orders"] for item in order["items"]]
    for product in {item["product"]["id"]: item["product"] for item in items}.values():
        async with client.get(f"/v1/products/{product['id']}") as response:
            assert (await response.json())["title"] == product["title"]


async def test_a_mutation_changes_something_and_mutations_stand_in_line(client):
    query = """mutation {
      first: createOrder(userId: "u2", items: [{productId: "p1", quantity: 2}]) { id user { id } }
      second: createOrder(userId: "u2", items: [{productId: "p2", quantity: 1}]) { id }
    }"""
    data = await data_of(client, query)
    assert data["first"]["user"] == {"id": "u2"}
    first, second = (int(data[name]["id"].lstrip("o")) for name in ("first", "second"))
    assert second == first + 1
    read = await data_of(
        client, "query($id: String!) { getOrder(id: $id) { userId } }", {"id": data["second"]["id"]}
    )
    assert read == {"getOrder": {"userId": "u2"}}


async def test_get_runs_queries_and_no_mutations(client):
    async with client.get("/graphql", params={"query": '{ getUser(id: "u1") { id } }'}) as response:
        assert await response.json(content_type=None) == {"data": {"getUser": {"id": "u1"}}}
    async with client.get("/graphql", params={"query": "mutation { signOut { _ } }"}) as response:
        assert response.status == 405
        assert "POST" in response.headers["allow"]


async def test_a_page_of_another_site_may_not_ask_by_get(client):
    headers = {"sec-fetch-site": "cross-site"}
    params = {"query": "{ __typename }"}
    async with client.get("/graphql", params=params, headers=headers) as response:
        assert response.status == 403
    headers["graphql-require-preflight"] = "1"
    async with client.get("/graphql", params=params, headers=headers) as response:
        assert response.status == 200


async def test_a_list_of_requests_is_answered_by_a_list(client):
    three = [{"query": f'{{ getUser(id: "u{n}") {{ id }} }}'} for n in (1, 2, 3)]
    async with client.post("/graphql", json=three) as response:
        assert [each["data"]["getUser"]["id"] for each in await response.json()] == [
            "u1",
            "u2",
            "u3",
        ]
    async with client.post("/graphql", json=[*three, *three]) as response:
        (error,) = (await response.json(content_type=None))["errors"]
        assert error["extensions"] == {
            "code": "LIMIT_EXCEEDED",
            "limit": "batch",
            "value": 6,
            "maximum": 3,
        }


# Errors


async def test_a_field_that_fails_is_null_and_its_error_has_path_and_code(either):
    query = '{ user: getUser(id: "u1") { id } none: getProduct(id: "nobody") { id } }'
    status, answer = await post(either, query)
    assert status == 200
    assert answer["data"] == {"user": {"id": "u1"}, "none": None}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["none"], "NOT_FOUND")
    assert error["locations"] == [{"line": 1, "column": 34}]


async def test_a_join_that_finds_nothing_is_null_without_an_error(client):
    user = 'mutation { createUser(user: {email: "gone@example.com", displayName: "Gone"}) { id } }'
    gone = {"id": (await data_of(client, user))["createUser"]["id"]}
    order = """mutation($id: String!) {
      createOrder(userId: $id, items: [{productId: "p1", quantity: 1}]) { id user { id } }
      deleteUser(id: $id) { _ }
    }"""
    made = (await data_of(client, order, gone))["createOrder"]
    assert made["user"] == gone
    read = "query($id: String!) { getOrder(id: $id) { id user { id } } }"
    assert await data_of(client, read, {"id": made["id"]}) == {
        "getOrder": {"id": made["id"], "user": None}
    }


async def test_a_document_at_fault_calls_nothing(client, shop):
    before = await started(shop[0])
    status, answer = await post(client, '{ getUser(id: "u1") { nobody } }')
    assert answer["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert "data" not in answer
    assert status == 200, "application/json: the status says nothing"
    headers = {"accept": "application/graphql-response+json"}
    assert (await post(client, "{ nobody }", headers=headers))[0] == 400
    assert await started(shop[0]) == before


async def test_of_five_calls_one_hangs_and_the_deadline_ends_it(tmp_path):
    faults = ("--hang", "--fault-methods", "*/GetStock")
    with (
        start(1, *faults) as backend,
        gateway(tmp_path, config(backend.addresses, timeout="500ms")) as each,
    ):
        async with aiohttp.ClientSession(each.url) as session:
            query = """{ user: getUser(id: "u1") { id }  product: getProduct(id: "p1") { id }
              order: getOrder(id: "o1") { id }  stock: getStock(productId: "p1") { available }
              rooms: listRooms { rooms { id } } }"""
            status, answer = await post(session, query)
        assert status == 200
        assert answer["data"].pop("stock") is None
        assert all(answer["data"].values())
        assert len(answer["data"]) == 4
        (error,) = answer["errors"]
        assert error["path"] == ["stock"]
        assert error["extensions"]["code"] == "DEADLINE_EXCEEDED"


async def test_a_client_that_leaves_cancels_all_its_calls(client, backend):
    methods = [
        "/shop.users.v1.UserService/GetUser",
        "/shop.catalog.v1.CatalogService/GetProduct",
        "/shop.orders.v1.OrderService/GetOrder",
    ]
    before = {method: await backend.counts(method) for method in methods}
    query = '{ getUser(id: "u1") { id } getProduct(id: "p1") { id } getOrder(id: "o1") { id } }'
    asking = asyncio.ensure_future(post(client, query, headers={"x-fault-hang": "1"}))
    for method in methods:
        await backend.until_started(method, before[method])
    asking.cancel()
    for method in methods:
        await backend.until_gone(method, before[method])


# What calls carry


@asynccontextmanager
async def recorder(address):
    """A server that passes unary calls on to a backend, and what metadata each came with."""
    seen = {}

    class Everything(grpc.GenericRpcHandler):
        def service(self, details):
            name = details.method.rpartition("/")[2]

            async def answer(request, context):
                seen.setdefault(name, []).append(dict(context.invocation_metadata()))
                return await channel.unary_unary(details.method)(request)

            return grpc.unary_unary_rpc_method_handler(answer)

    async with grpc.aio.insecure_channel(address) as channel:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers([Everything()])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"127.0.0.1:{port}", seen
        finally:
            await server.stop(0)


async def test_what_a_request_carries_reaches_every_one_of_its_calls(shop, tmp_path):
    headers = {"authorization": "Bearer abc", "x-request-id": "asked-1", "x-other": "stays"}
    async with recorder(shop[0]) as (address, seen):
        with gateway(tmp_path, config([address])) as each:
            async with aiohttp.ClientSession(each.url) as session:
                body = {"query": SHOP, "variables": {"user": "u1"}}
                async with session.post("/graphql", json=body, headers=headers) as response:
                    assert response.headers["x-request-id"] == "asked-1"
                    assert "errors" not in await response.json()
    assert len(seen) == 5
    for metadata in (each for found in seen.values() for each in found):
        assert metadata["authorization"] == "Bearer abc"
        assert metadata["x-request-id"] == "asked-1"
        assert "x-other" not in metadata


async def test_a_request_without_an_id_gets_one(client):
    async with client.post("/graphql", json={"query": "{ __typename }"}) as response:
        assert len(response.headers["x-request-id"]) == 32


async def test_a_clients_deadline_is_that_of_its_calls(client):
    query = "{ whoAmI { timeRemaining } }"
    data = await data_of(client, query, headers={"x-request-timeout": "0.9"})
    assert 0 < float(data["whoAmI"]["timeRemaining"].rstrip("s")) <= 0.9


# Views


def with_views(addresses):
    settings = config(addresses)
    settings["graphql"]["operations"] = [str(ROOT / "schema" / "operations")]
    return settings


async def test_a_view_answers_from_five_services_and_names_the_parts_that_failed(tmp_path):
    faults = ("--error", "UNAVAILABLE", "--fault-methods", "*/BatchGetStock")
    with (
        start(1, *faults) as backend,
        gateway(tmp_path, with_views(backend.addresses)) as each,
    ):
        async with aiohttp.ClientSession(each.url) as session:
            before = await started(backend.addresses[0])
            async with session.get("/v1/home/u1?orders=2&featured=2") as response:
                assert response.status == 200
                partial, answer = response.headers["x-partial"], await response.json()
            after = await started(backend.addresses[0])
            async with session.get("/v1/home/nobody") as response:
                assert response.status == 404
                assert (await response.json())["error"]["status"] == "NOT_FOUND"
    assert partial == "featured.products.stock"
    assert len(answer["user"]["orders"]) == 2
    assert [product["stock"] for product in answer["featured"]["products"]] == [None, None]
    made = {name for name, number in after.items() if number != before.get(name, 0)}
    assert {"GetUser", "ListOrdersByUsers", "ListFeaturedProducts"} <= made
    assert {"BatchGetProducts", "BatchGetStock", "BatchGetReviewSummaries"} <= made


# The page


async def test_graphiql_is_there_for_browsers_and_comes_from_the_gateway_alone(client):
    async with client.get("/graphql", headers={"accept": "text/html"}) as response:
        assert response.content_type == "text/html"
        policy = response.headers["content-security-policy"]
        page = await response.text()
        files = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert "default-src 'none'" in policy
        assert "https:" not in policy
    linked = [each for each in files if not each.startswith("data:")]
    assert linked
    for path in linked:
        async with client.get(urljoin("/graphql", path)) as response:
            assert response.status == 200, path
