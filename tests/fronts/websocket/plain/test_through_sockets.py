"""Plain sockets on a real listener, before the example's backends: every kind, both forms."""

from __future__ import annotations

import asyncio
import base64
import json
import socket

import pytest
import pytest_asyncio
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.fronts.websocket.plain.forms import JsonForm
from tests.fronts.websocket.plain.shop import fault, shop

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON, PROTO = "grpcws.plain.json", "grpcws.plain.proto"
CATALOG = "/shop.catalog.v1.CatalogService"
INVENTORY = "/shop.inventory.v1.InventoryService"
CHAT = "/shop.chat.v1.ChatService"
LOBBY = "/v1/rooms/lobby:chat"
WATCH = "/v1/stock:watch"
COUNT = "/v1/warehouses/{}/stock:count"
TICKS = f"{WATCH}?interval=0.001s"
MIB = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served():
    async with shop(message_size=64 * 1024, messages=1e6) as each:
        yield each


@pytest.fixture
def message(served):
    """Makes messages of the example, and reads them."""

    def make(name, data=b"", **fields):
        made = GetMessageClass(served.registry.message(f"shop.{name}")).FromString(data)
        json_format.ParseDict(fields, made)
        return made

    return make


async def warehouse(served):
    async with served.dial(f"{INVENTORY}/ListWarehouses") as client:
        await client.send({})
        return (await client.receive())["warehouses"][0]["id"]


class TestUnary:
    async def test_of_a_rule_without_a_body_starts_at_once(self, served):
        async with served.dial("/v1/products/p1") as client:
            assert (await client.receive())["id"] == "p1"
            assert await client.rest() == []
            assert client.code == 1000

    async def test_of_another_waits_for_its_message(self, served):
        async with served.dial("/v1/rooms/lobby/messages?method=POST") as client:
            await client.send({"message": {"userId": "ann", "text": "hello"}})
            assert (await client.receive())["text"] == "hello"
            assert await client.rest() == []
            assert client.code == 1000

    async def test_answers_at_the_methods_own_path(self, served):
        async with served.dial(f"{CATALOG}/GetProduct") as client:
            await client.send({"id": "p1"})
            assert [each["id"] for each in await client.rest()] == ["p1"]

    async def test_an_error_is_told_twice(self, served):
        async with served.dial("/v1/products/nope") as client:
            (last,) = await client.rest()
            assert client.code == 4205
            assert last["error"]["code"] == 5
            assert last["error"]["status"] == "NOT_FOUND"
            assert last["error"]["details"][0]["@type"].startswith("type.googleapis.com/")
            assert client.said["status"] == "NOT_FOUND"
            assert last["error"]["message"].startswith(client.said["message"])

    async def test_a_client_that_leaves_cancels_it_at_the_backend(self, served):
        before = await served.backend.counts(f"{CATALOG}/GetProduct")
        async with served.dial("/v1/products/p1", headers=fault(hang="1")):
            await served.backend.until_started(f"{CATALOG}/GetProduct", before)
        await served.backend.until_gone(f"{CATALOG}/GetProduct", before)

    async def test_a_second_message_cancels_it_too(self, served):
        before = await served.backend.counts(f"{CATALOG}/GetProduct")
        async with served.dial("/v1/products/p1", headers=fault(hang="1")) as client:
            await served.backend.until_started(f"{CATALOG}/GetProduct", before)
            await client.send({})
            await client.rest()
            assert client.code == 4203
        await served.backend.until_gone(f"{CATALOG}/GetProduct", before)

    async def test_a_deadline_ends_it(self, served):
        before = await served.backend.counts(f"{CATALOG}/GetProduct")
        headers = [*fault(hang="1"), ("x-request-timeout", "0.1")]
        async with served.dial("/v1/products/p1", headers=headers) as client:
            await client.rest()
            assert client.code == 4204
        await served.backend.until_gone(f"{CATALOG}/GetProduct", before)


class TestServerStreaming:
    async def test_path_and_query_are_the_request(self, served):
        async with served.dial(f"{TICKS}&count=3") as client:
            assert [each["sequence"] for each in await client.rest()] == ["1", "2", "3"]
            assert client.code == 1000

    async def test_or_its_one_message_is(self, served):
        async with served.dial(f"{INVENTORY}/WatchStock?interval=0.001s") as client:
            await client.send({"count": 2})
            assert [each["sequence"] for each in await client.rest()] == ["1", "2"]

    async def test_an_error_before_the_first_message(self, served):
        headers = fault(code="PERMISSION_DENIED")
        async with served.dial(WATCH, headers=headers) as client:
            (last,) = await client.rest()
            assert last["error"]["status"] == "PERMISSION_DENIED"
            assert client.code == 4207

    async def test_an_error_behind_messages(self, served):
        headers = fault(code="ABORTED", after="2")
        async with served.dial(TICKS, headers=headers) as client:
            *messages, last = await client.rest()
            assert len(messages) == 2
            assert last["error"]["status"] == "ABORTED"
            assert client.code == 4210

    async def test_a_client_that_leaves_cancels_it_at_the_backend(self, served):
        before = await served.backend.counts(f"{INVENTORY}/WatchStock")
        async with served.dial(TICKS) as client:
            await client.receive()
        await served.backend.until_gone(f"{INVENTORY}/WatchStock", before)

    async def test_one_that_breaks_off_does_too(self, served):
        before = await served.backend.counts(f"{INVENTORY}/WatchStock")
        async with served.dial(TICKS) as client:
            await client.receive()
            client.socket.transport.abort()
        await served.backend.until_gone(f"{INVENTORY}/WatchStock", before)

    async def test_http_body_is_json_like_any_other(self, served):
        async with served.dial("/v1/media/a.txt?method=PUT") as client:
            data = base64.b64encode(b"abc").decode()
            await client.send({"content": {"contentType": "text/plain", "data": data}})
            assert (await client.receive())["sizeBytes"] == "3"
        async with served.dial("/v1/media/a.txt:download") as client:
            assert await client.rest() == [{"contentType": "text/plain", "data": data}]


class TestClientStreaming:
    async def test_every_frame_is_a_message_and_the_reply_is_one(self, served):
        name = await warehouse(served)
        async with served.dial(COUNT.format(name)) as client:
            for product in ("p1", "p2"):
                await client.send({"count": {"productId": product, "pieces": "3"}})
            await client.send(None)
            (reply,) = await client.rest()
            assert (reply["warehouseId"], reply["counted"]) == (name, 2)
            assert client.code == 1000

    async def test_a_wrong_one_is_told_by_its_number(self, served):
        before = await served.backend.counts(f"{INVENTORY}/CountStock")
        async with served.dial(COUNT.format("w")) as client:
            await client.send({"count": {"productId": "p1"}}, '{"nope": 1}')
            (last,) = await client.rest()
            assert last["error"]["message"].startswith("Message 2: ")
            assert client.code == 4203
        await served.backend.until_gone(f"{INVENTORY}/CountStock", before)

    async def test_one_that_is_too_large_closes(self, served):
        async with served.dial(COUNT.format("w")) as client:
            await client.send({"count": {"productId": "p" * 64 * 1024}})
            assert await client.rest() == []
            assert client.code == 4208
            assert client.said["status"] == "RESOURCE_EXHAUSTED"


class TestBidirectional:
    async def test_both_ways_at_once(self, served):
        async with served.dial(LOBBY) as client:
            await client.send({"userId": "u1", "ping": "1"})
            for number in range(1, 4):
                while (event := await client.receive()).get("pong") != str(number):
                    assert event["room"] == "lobby", "bound from the path"
                await client.send({"ping": str(number + 1)})
            await client.send(None)
            await client.rest()
            assert client.code == 1000

    async def test_two_sockets_chat(self, served):
        async with served.dial(LOBBY) as ann, served.dial(LOBBY) as bob:
            for client, name in ((ann, "ann"), (bob, "bob")):
                await client.send({"userId": name, "typing": True})
                while (await client.receive()).get("typing") != name:
                    pass
            await ann.send({"message": {"text": "hello, bob"}})
            while "message" not in (event := await bob.receive()):
                pass
            assert event["message"]["userId"] == "ann"
            assert event["message"]["text"] == "hello, bob"
            await bob.send({"message": {"text": "hello, ann"}}, None)
            while (await ann.receive()).get("message", {}).get("text") != "hello, ann":
                pass
            await bob.rest()
            assert bob.code == 1000

    async def test_the_session_of_the_documentation(self, served):
        async with served.dial("/v1/rooms/lobby:chat") as client:
            await client.send('{"userId": "ann", "message": {"text": "hello"}}')
            assert await client.receive() == {"room": "lobby", "joined": "ann"}
            event = await client.receive()
            assert event["message"]["userId"] == "ann"
            assert event["message"]["text"] == "hello"


class TestBinary:
    async def test_frames_are_serialized_messages(self, served, message):
        async with served.dial(f"{CATALOG}/GetProduct", PROTO) as client:
            assert client.socket.subprotocol == PROTO
            asked = message("catalog.v1.GetProductRequest", id="p1")
            await client.send(asked.SerializeToString())
            (frame,) = await client.rest()
            assert message("catalog.v1.Product", frame).id == "p1"

    async def test_path_and_query_are_bound_into_them(self, served, message):
        async with served.dial(LOBBY, PROTO) as client:
            await client.send(message("chat.v1.JoinRequest", ping="7").SerializeToString(), "")
            frames = await client.rest()
            events = [message("chat.v1.RoomEvent", each) for each in frames]
            assert any(each.pong == 7 for each in events)
            assert {each.room for each in events} == {"lobby"}
            assert client.code == 1000

    async def test_the_last_frame_of_a_failed_call_is_a_status(self, served):
        async with served.dial("/v1/products/nope", PROTO) as client:
            (frame,) = await client.rest()
            status = status_pb2.Status.FromString(frame)
            assert status.code == 5
            assert len(status.details)
            assert client.code == 4205


class TestTheUpgrade:
    async def test_a_path_without_a_route_is_refused_as_rest_has_it(self, served):
        with pytest.raises(InvalidStatus) as caught:
            async with served.dial("/v1/nope"):
                pass
        assert caught.value.response.status_code == 404
        assert json.loads(caught.value.response.body)["error"]["status"] == "NOT_FOUND"

    @pytest.mark.parametrize(
        ("offered", "answered"),
        [([JSON, "bearer.dG9rZW4"], JSON), (["Bearer", "token"], "Bearer")],
    )
    async def test_a_browser_brings_a_token(self, served, offered, answered):
        async with served.dial("/shop.users.v1.UserService/WhoAmI", *offered) as client:
            assert client.socket.subprotocol == answered
            await client.send({})
            (who,) = await client.rest()
            assert {"key": "authorization", "text": "Bearer token"} in who["metadata"]
            assert "dG9rZW4" not in str(who)

    async def test_a_wrong_query_is_told_on_the_socket(self, served):
        async with served.dial(f"{WATCH}?nope=1") as client:
            (last,) = await client.rest()
            assert last["error"]["details"][0]["reason"] == "UNKNOWN_QUERY_PARAMETER"
            assert client.code == 4203


class TestAClientOfGrpcWebsocketProxy:
    async def test_names_the_verb_brings_a_token_and_sends_lines(self, served):
        target = "/v1/rooms/lobby/messages?method=POST"
        async with served.dial(target, "Bearer", "token") as client:
            await client.send('{"message": {"userId": "ann",\n "text": "hello"}}\n')
            assert (await client.receive())["text"] == "hello"
            assert await client.rest() == []

    async def test_of_a_stream_needs_no_more_than_to_send_and_to_read(self, served):
        async with served.dial(f"{LOBBY}?method=POST", "Bearer", "token") as client:
            for number in range(3):
                await client.send(f'{{"ping": {number}}}\n')
                while (await client.receive()).get("pong") != str(number):
                    pass


class TestASlowClient:
    async def test_slows_its_backend_and_nobody_else(self, served, monkeypatch):
        sent = {}
        send = JsonForm.send

        def counted(form, to, reply, write):
            sent[to] = sent.get(to, 0) + len(reply)
            send(form, to, reply, write)

        monkeypatch.setattr(JsonForm, "send", counted)
        async with served.dial("/v1/media/big.png?method=PUT") as client:
            data = base64.b64encode(b"0123456789").decode()
            await client.send({"content": {"contentType": "image/png", "data": data}})
            await client.rest()
        sent.clear()
        target = f"/v1/media/big.png:download?size={64 * MIB}"
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        narrow.setblocking(False)
        host, port = served.listener.urls[0].removeprefix("http://").split(":")
        await asyncio.get_running_loop().sock_connect(narrow, (host, int(port)))
        async with served.dial(target, sock=narrow, max_queue=1, max_size=None) as slow:
            await slow.receive()
            (at_slow,) = sent
            async with served.dial(target, max_size=None) as quick:
                received = 0
                try:
                    while True:
                        received += len(base64.b64decode((await quick.receive())["data"]))
                except ConnectionClosed:
                    assert quick.code == 1000
            assert received == 64 * MIB
            assert sent[at_slow] < 16 * MIB
            received = 0
            for each in await slow.rest():
                received += len(base64.b64decode(each["data"]))
            assert slow.code == 1000
            assert received > 48 * MIB


async def test_a_drain_ends_streams_as_unavailable():
    async with shop(drain_timeout=lambda: 0.2) as served, served.dial(TICKS) as client:
        await client.receive()
        draining = asyncio.ensure_future(served.listener.drain(0.2))
        *_, last = await client.rest()
        assert last["error"]["status"] == "UNAVAILABLE"
        assert client.code == 4214
        await draining
