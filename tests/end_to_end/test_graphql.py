"""GraphQL in, gRPC out: the graph of the shop through real sockets and real backends."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
import grpc.aio
import pytest
import yaml
from websockets.asyncio.client import connect

from services_mock.testing import calls, start
from tests.cli.processes import LISTENING
from tests.cli.processes import gateway as serving
from tests.end_to_end.system import FAULTS, ROOT, gateway, resident, shop_config

JOINS = str(ROOT / "schema" / "joins.graphql")
WATCH_STOCK = "/shop.inventory.v1.InventoryService/WatchStock"
DOWNLOAD = "/shop.media.v1.MediaService/DownloadMedia"
STREAMED = {"accept": "text/event-stream"}
SUBPROTOCOL = "graphql-transport-ws"
PATIENCE = 20
MUCH = 40 * 1024 * 1024
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
TICKS = 'subscription { watchStock(count: 3, interval: "0.01s") { sequence } }'
ENDLESS = 'subscription { watchStock(interval: "0.01s") { sequence } }'
# Pieces of 64 KiB, more of them than all the buffers between a backend and its client hold.
FLOOD = (
    'subscription { downloadMedia(path: "samples/noise.bin", size: "400000000", pieceSize: 65536)'
    " { contentType data } }"
)


def config(addresses, *, transport="native", **more):
    upstream = {"services": ["shop.*"], "endpoints": addresses, "transport": transport, **more}
    passing = ["authorization", "x-request-id", *FAULTS]
    return shop_config(
        addresses,
        upstreams={"shop": upstream},
        graphql={"joins": [JOINS], "operations": [], "limits": {"batch": 3}},
        headers={"request": {"allow": passing}, "response": {"allow": []}},
    )


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("graph"), config(shop)) as each:
        yield each


@pytest.fixture(scope="module")
def through_grpcio(shop, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("grpcio"), config(shop, transport="grpcio")) as each:
        yield each


@pytest.fixture(params=["native", "grpcio"])
async def either(request, served, through_grpcio):
    """A client of a gateway with either transport."""
    url = (served if request.param == "native" else through_grpcio).url
    async with aiohttp.ClientSession(url) as session:
        yield session


async def post(client, query, variables=None, **options):
    body = {"query": query} | ({"variables": variables} if variables else {})
    async with client.post("/graphql", json=body, **options) as response:
        return response.status, await response.json(content_type=None)


async def data_of(client, query, variables=None, **options):
    status, answer = await post(client, query, variables, **options)
    assert status == 200, answer
    assert "errors" not in answer, answer
    return answer["data"]


async def started(address):
    """How many calls of each method have begun, by its name without the service."""
    async with grpc.aio.insecure_channel(address) as channel:
        return {
            name.rpartition("/")[2]: each.started for name, each in (await calls(channel)).items()
        }


async def others_are_served(client):
    """Asks for a while: what is not held back meanwhile is seen in the memory that it takes."""
    for _ in range(200):
        assert await data_of(client, '{ getProduct(id: "p1") { id } }')


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


# Subscriptions over server-sent events


def events_of(text):
    return [
        dict(
            line.split(": ", 1) if ": " in line else (line.rstrip(":"), "")
            for line in block.split("\n")
        )
        for block in text.strip().split("\n\n")
        if not block.startswith(":")
    ]


async def test_a_subscription_as_server_sent_events(either):
    async with either.post("/graphql", json={"query": TICKS}, headers=STREAMED) as response:
        assert response.content_type == "text/event-stream"
        events = events_of(await response.text())
    assert [each["event"] for each in events] == ["next", "next", "next", "complete"]
    told = [json.loads(each["data"])["data"]["watchStock"]["sequence"] for each in events[:-1]]
    assert told == ["1", "2", "3"]


async def test_a_client_that_leaves_its_events_ends_the_stream(client, backend):
    before = await backend.counts(WATCH_STOCK)
    async with client.post("/graphql", json={"query": ENDLESS}, headers=STREAMED) as response:
        await response.content.readline()
    await backend.until_gone(WATCH_STOCK, before)


async def test_who_reads_events_slowly_slows_the_backend(client, backend, served):
    before, memory = await backend.counts(DOWNLOAD), resident(served.pid)
    response = await client.post("/graphql", json={"query": FLOOD}, headers=STREAMED)
    assert await response.content.readline() == b"event: next\n"
    await others_are_served(client)
    assert (await backend.counts(DOWNLOAD)).completed == before.completed
    assert resident(served.pid) - memory < MUCH
    response.close()
    await backend.until_gone(DOWNLOAD, before)


# Subscriptions over WebSocket


@asynccontextmanager
async def socket_of(client, **options):
    async with client.ws_connect("/graphql", protocols=[SUBPROTOCOL], **options) as socket:
        await socket.send_json({"type": "connection_init"})
        assert await socket.receive_json() == {"type": "connection_ack"}
        yield socket


async def subscribe(socket, query, name="1"):
    await socket.send_json({"id": name, "type": "subscribe", "payload": {"query": query}})


async def received(socket):
    async with asyncio.timeout(PATIENCE):
        return await socket.receive_json()


async def test_a_subscription_over_websocket(either):
    async with socket_of(either) as socket:
        await subscribe(socket, TICKS)
        told = [await received(socket) for _ in range(4)]
    assert [each["type"] for each in told] == ["next", "next", "next", "complete"]
    assert told[0]["payload"] == {"data": {"watchStock": {"sequence": "1"}}}


async def test_a_query_over_websocket_has_the_headers_of_its_handshake(client):
    query = "{ whoAmI { metadata { key text } } }"
    async with socket_of(client, headers={"authorization": "Bearer abc"}) as socket:
        await subscribe(socket, query)
        told = await received(socket)
    metadata = {each["key"]: each["text"] for each in told["payload"]["data"]["whoAmI"]["metadata"]}
    assert metadata["authorization"] == "Bearer abc"


async def test_complete_ends_the_stream_and_leaves_the_socket(client, backend):
    before = await backend.counts(WATCH_STOCK)
    async with socket_of(client) as socket:
        await subscribe(socket, ENDLESS)
        assert (await received(socket))["type"] == "next"
        await socket.send_json({"id": "1", "type": "complete"})
        await backend.until_gone(WATCH_STOCK, before)
        await subscribe(socket, '{ getUser(id: "u1") { id } }', "2")
        while (told := await received(socket))["id"] == "1":
            assert told["type"] == "next", "sent before the end was known"
        assert told["payload"] == {"data": {"getUser": {"id": "u1"}}}


async def test_who_reads_a_socket_slowly_slows_the_backend(client, backend, served):
    before, memory = await backend.counts(DOWNLOAD), resident(served.pid)
    url = f"{served.url.replace('http', 'ws')}/graphql"
    # A client that reads ahead by one message only.
    async with connect(url, subprotocols=[SUBPROTOCOL], max_queue=1, max_size=None) as socket:
        await socket.send('{"type": "connection_init"}')
        payload = {"id": "1", "type": "subscribe", "payload": {"query": FLOOD}}
        await socket.send(json.dumps(payload))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        assert json.loads(await socket.recv())["type"] == "next"
        await others_are_served(client)
        assert (await backend.counts(DOWNLOAD)).completed == before.completed
        assert resident(served.pid) - memory < MUCH
        socket.transport.abort()
        await backend.until_gone(DOWNLOAD, before)


# Parts


async def parts_of(response):
    reader = aiohttp.MultipartReader.from_response(response)
    return [json.loads(await part.text()) async for part in reader]


async def test_what_is_deferred_comes_in_a_part_of_its_own(client):
    query = '{ getOrder(id: "o1") { id ... @defer(label: "who") { user { id } } } }'
    headers = {"accept": "multipart/mixed, application/json"}
    async with client.post("/graphql", json={"query": query}, headers=headers) as response:
        assert response.content_type == "multipart/mixed"
        first, *later = await parts_of(response)
    assert first["data"] == {"getOrder": {"id": "o1"}}
    assert first["hasNext"] is True
    assert [each["hasNext"] for each in later] == [True] * (len(later) - 1) + [False]
    (part,) = [part for each in later for part in each.get("incremental", ())]
    assert part["data"]["user"]["id"].startswith("u")


async def test_who_takes_no_parts_gets_all_at_once(client):
    query = '{ getOrder(id: "o1") { id ... @defer { user { id } } } }'
    data = await data_of(client, query, headers={"accept": "application/json"})
    assert data["getOrder"]["user"]["id"].startswith("u")


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


# Reload


async def test_a_reload_of_two_workers_cuts_no_subscription(shop, tmp_path):
    """The stream goes on; what the socket asks next is asked of the new graph."""
    path = tmp_path / "gateway.yaml"
    settings = {**config(shop), "workers": 2}
    path.write_text(yaml.safe_dump(settings))
    with serving("serve", "--config", path, cwd=ROOT) as running:
        url = running.read_until(LISTENING)
        async with aiohttp.ClientSession(url) as client, socket_of(client) as socket:
            await subscribe(socket, ENDLESS)
            assert (await received(socket))["type"] == "next"
            renamed = {"shop.users.v1.UserService/WhoAmI": {"name": "me"}}
            settings["graphql"]["methods"] = renamed
            path.write_text(yaml.safe_dump(settings))
            running.signal(signal.SIGHUP)
            await asyncio.to_thread(running.read_error, "reloaded")
            await subscribe(socket, "{ me { replica } }", "2")
            while (told := await received(socket))["id"] == "1":
                assert told["type"] == "next", told
            assert told["payload"]["data"]["me"]["replica"]
            while (told := await received(socket))["id"] != "1":
                assert told["type"] == "complete", told
            assert told["type"] == "next", told
        running.signal(signal.SIGTERM)
        assert await asyncio.to_thread(running.wait) == 0
