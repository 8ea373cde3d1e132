"""Rules in protos, from outside: over REST, GraphQL and WebSocket; what is wrong never arrives."""

from __future__ import annotations

import json
import shutil

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.end_to_end.graph import post
from tests.end_to_end.sockets import COUNT, socket
from tests.end_to_end.system import ROOT, error_of, gateway, reason_of, shop_config

CREATE = "/shop.orders.v1.OrderService/CreateOrder"
OPTIONS = 'import "buf/validate/validate.proto";\n'
RULES = {
    "shop/orders/v1/orders.proto": {
        "uint32 quantity = 2 [": "uint32 quantity = 2 [(buf.validate.field).uint32.lte = 1000, ",
        "string product_id = 1 [": "string product_id = 1 [(buf.validate.field).string.min_len = 1, ",
    },
    "shop/orders/v1/orders_service.proto": {
        "string user_id = 1 [(google.api.field_behavior) = REQUIRED];\n\n  // What to order: 1 to": (
            "string user_id = 1 [(google.api.field_behavior) = REQUIRED];\n"
            '  option (buf.validate.message).cel = {id: "note", message: "a note names the customer",'
            ' expression: "!has(this.note) || this.note.contains(this.user_id)"};\n'
            "\n  // What to order: 1 to"
        ),
    },
    "shop/inventory/v1/inventory.proto": {
        "uint64 pieces = 2;": "uint64 pieces = 2 [(buf.validate.field).uint64.lte = 1000];",
    },
}


@pytest.fixture(scope="module")
def url(shop, tmp_path_factory):
    """A gateway whose shop has rules in its protos."""
    folder = tmp_path_factory.mktemp("ruled")
    protos = folder / "protos"
    shutil.copytree(ROOT / "protos", protos)
    for name, changes in RULES.items():
        text = (protos / name).read_text()
        for before, after in changes.items():
            assert before in text, before
            text = text.replace(before, after)
        (protos / name).write_text(text.replace("\nimport ", f"\n{OPTIONS}import ", 1))
    config = shop_config(
        shop,
        schema={"protos": [str(protos)]},
        policies=[{"methods": ["*"], "validate": True}],
        graphql={"joins": [], "operations": []},
    )
    with gateway(folder, config) as each:
        yield each.url


@pytest.fixture
async def client(url):
    async with aiohttp.ClientSession(url) as session:
        yield session


def order(quantity=1, **more):
    """An order of two items."""
    items = [{"productId": "p1", "quantity": 1}, {"productId": "p2", "quantity": quantity}]
    return {"userId": "u1", "items": items, "giftCardCode": "GIFT", **more}


def told(error):
    """The fields at fault, with what is told of them, in an error's details."""
    for detail in error["details"]:
        if detail["@type"].endswith("google.rpc.BadRequest"):
            return {
                each.get("field", ""): each["description"] for each in detail["fieldViolations"]
            }
    return {}


QUANTITY = {"items[1].quantity": "must be less than or equal to 1000"}


async def test_a_request_that_breaks_a_rule_never_reaches_the_backend(client, backend):
    before = await backend.counts(CREATE)
    async with client.post("/v1/orders", json=order(1001)) as response:
        error = await error_of(response)
    assert (response.status, reason_of(error)) == (400, "VALIDATION_FAILED")
    assert told(error) == QUANTITY
    assert error["message"] == (
        "The request breaks its type's rules: items[1].quantity: "
        "must be less than or equal to 1000."
    )
    assert await backend.counts(CREATE) == before


async def test_a_request_that_keeps_them_does(client):
    async with client.post("/v1/orders", json=order(2, note="for u1")) as response:
        assert response.status == 201, await response.text()


async def test_all_faults_are_told_and_a_rule_on_the_request_has_no_field(client):
    wrong = order(1001, note="for nobody")
    wrong["items"][0]["productId"] = ""
    async with client.post("/v1/orders", json=wrong) as response:
        error = await error_of(response)
    assert told(error) == QUANTITY | {
        "": "a note names the customer",
        "items[0].productId": "must be at least 1 characters",
    }


async def test_over_graphql_it_is_an_error_of_the_field(client):
    query = """mutation($items: [OrderItemInput!]!) {
        createOrder(userId: "u1", items: $items) { id }
    }"""
    status, answer = await post(client, query, {"items": order(1001)["items"]})
    assert status == 200, answer
    (error,) = answer["errors"]
    assert error["path"] == ["createOrder"]
    extensions = error["extensions"]
    assert extensions["reason"] == "VALIDATION_FAILED"
    assert told(extensions) == QUANTITY


TOO_MANY = {"productId": "p1", "pieces": "1001"}
COUNTED = {"warehouseId": "w1", "count": TOO_MANY | {"pieces": "1000"}}
PIECES = {"count.pieces": "must be less than or equal to 1000"}


async def test_a_stream_ends_at_the_first_message_that_breaks_a_rule(url, backend):
    before = await backend.counts(f"/{COUNT}")
    async with socket(url) as each:
        id_ = await each.open(COUNT, COUNTED)
        await each.say("message", id=id_, body={"warehouseId": "w1", "count": TOO_MANY})
        status = await each.end(id_)
        assert status["code"] == 3
        assert told(status) == PIECES
        await backend.until_gone(f"/{COUNT}", before)


async def test_a_unary_call_over_a_socket_is_refused_alike(url):
    async with socket(url) as each:
        id_ = await each.open(CREATE.strip("/"), order(1001), end=True)
        status = await each.end(id_)
    assert (status["code"], told(status)) == (3, QUANTITY)


async def test_a_socket_of_one_call_ends_with_the_error(url):
    address = url.replace("http", "ws", 1) + "/v1/warehouses/w1/stock:count"
    async with connect(address, proxy=None) as websocket:
        await websocket.send(json.dumps(COUNTED))
        await websocket.send(json.dumps({"count": TOO_MANY}))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                last = json.loads(await websocket.recv())
    assert told(last["error"]) == PIECES
    assert closed.value.rcvd.code == 4203


async def test_a_body_that_is_a_stream_ends_at_the_message_that_is_wrong(client):
    path, headers = "/v1/warehouses/w1/stock:count", {"content-type": "application/x-ndjson"}
    for pieces, expected in [(1000, 200), (1001, 400)]:
        body = "".join(json.dumps(TOO_MANY | {"pieces": each}) + "\n" for each in (7, pieces))
        async with client.post(path, data=body, headers=headers) as response:
            assert response.status == expected, await response.text()
            if expected == 400:
                assert told(await error_of(response)) == PIECES
