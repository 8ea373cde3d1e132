"""The client against a real gateway before the example backends: all kinds, both framings."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import grpc.aio
import pytest
from google.rpc import error_details_pb2

from gateway.client import Backoff, RefusedError, RpcError, connect
from services_mock.contract import contract
from services_mock.testing import start
from tests.client.gated import gated
from tests.client.scripted import AT_ONCE
from tests.end_to_end.cuts import Cuts, cutting
from tests.end_to_end.sockets import COUNT, DIGEST, DOWNLOAD, JOIN, STOCK, WATCH, WHO, config
from tests.end_to_end.system import Backend, gateway

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def shop() -> Iterator[list[str]]:
    with start() as backend:
        yield backend.addresses


@pytest.fixture(scope="module")
def served(shop, tmp_path_factory) -> Iterator[str]:
    with gateway(tmp_path_factory.mktemp("gateway"), config(shop, resume="30s")) as each:
        yield each.url


@pytest.fixture
async def backend(shop):
    async with grpc.aio.insecure_channel(shop[0]) as channel:
        yield Backend(channel)


def at(url: str) -> str:
    return url.replace("http", "ws", 1) + "/ws"


class Json:
    """What users write in `grpcws.v1.json`."""

    subprotocol = "grpcws.v1.json"

    def given(self, method: str, **fields) -> object:
        return fields

    def reply(self, method: str) -> None:
        return None

    def read(self, message) -> dict:
        return message


class Proto:
    """What users write in `grpcws.v1.proto`."""

    subprotocol = "grpcws.v1.proto"

    def given(self, method: str, **fields):
        return contract().request(_descriptor(method))(**fields)

    def reply(self, method: str):
        return contract().reply(_descriptor(method))

    def read(self, message):
        return message


def _descriptor(method: str):
    service, name = method.split("/")
    return contract().services[service].methods_by_name[name]


@pytest.fixture(params=[Json(), Proto()], ids=["json", "proto"])
def form(request):
    return request.param


@pytest.fixture
async def client(served, form):
    async with connect(at(served), subprotocol=form.subprotocol, backoff=AT_ONCE) as each:
        yield each


class TestKinds:
    async def test_unary(self, client, form):
        if form.subprotocol.endswith("json"):
            stock = await client.call(STOCK, {"productId": "p1"})
            assert stock["productId"] == "p1"
        else:
            stock = await client.call(
                STOCK, form.given(STOCK, product_id="p1"), reply=form.reply(STOCK)
            )
            assert stock.product_id == "p1"

    async def test_server_stream_beyond_its_first_credit(self, client, form):
        if form.subprotocol.endswith("json"):
            request = {"count": 50, "interval": "0.001s"}
            read = lambda tick: int(tick["sequence"])  # noqa: E731
        else:
            request = form.given(WATCH, count=50, interval={"nanos": 1_000_000})
            read = lambda tick: tick.sequence  # noqa: E731
        async with client.stream(
            WATCH, request, end=True, credit=4, reply=form.reply(WATCH)
        ) as stream:
            assert [read(tick) async for tick in stream] == list(range(1, 51))

    async def test_client_stream_beyond_its_first_credit(self, client, form):
        if form.subprotocol.endswith("json"):
            counted = {"warehouseId": "w1", "count": {"productId": "p1", "pieces": "7"}}
        else:
            counted = form.given(COUNT, warehouse_id="w1", count={"product_id": "p1", "pieces": 7})
        async with client.stream(COUNT, reply=form.reply(COUNT)) as stream:
            for _ in range(100):
                await stream.send(counted)
            await stream.end()
            reply = await stream.only()
        assert (reply["counted"] if isinstance(reply, dict) else reply.counted) == 100

    async def test_both_ways(self, client, form):
        if form.subprotocol.endswith("json"):
            first, ping = {"room": "lobby"}, lambda n: {"ping": str(n)}
            pong = lambda event: int(event.get("pong", 0))  # noqa: E731
        else:
            first, ping = form.given(JOIN, room="lobby"), lambda n: form.given(JOIN, ping=n)
            pong = lambda event: event.pong  # noqa: E731
        heard = []
        async with client.stream(JOIN, first, credit=4, reply=form.reply(JOIN)) as stream:

            async def talk() -> None:
                for n in range(1, 101):
                    await stream.send(ping(n))
                await stream.end()

            talking = asyncio.create_task(talk())
            async for event in stream:
                heard += filter(None, [pong(event)])
            await talking
        assert heard == list(range(1, 101))

    async def test_many_calls_at_once(self, client, form):
        name = "productId" if form.subprotocol.endswith("json") else "product_id"
        given = form.given(STOCK, **{name: "p1"})
        replies = await asyncio.gather(
            *(client.call(STOCK, given, reply=form.reply(STOCK)) for _ in range(300))
        )
        assert all(reply == replies[0] for reply in replies)
        assert len(replies) == 300


class TestErrors:
    async def test_details_are_of_the_framing(self, client, form):
        name = "productId" if form.subprotocol.endswith("json") else "product_id"
        with pytest.raises(RpcError, match="NOT_FOUND") as caught:
            await client.call(STOCK, form.given(STOCK, **{name: "nothing"}))
        detail = caught.value.details[0]
        if form.subprotocol.endswith("json"):
            assert detail["@type"].startswith("type.googleapis.com/google.rpc.")
        else:
            assert detail.TypeName().startswith("google.rpc.")

    async def test_those_of_the_gateway_have_a_reason(self, client, form):
        with pytest.raises(RpcError) as caught:
            await client.call("shop.catalog.v1.CatalogService/None", form.given(STOCK))
        details = caught.value.details
        if form.subprotocol.endswith("json"):
            reasons = [each["reason"] for each in details if "reason" in each]
        else:
            info = error_details_pb2.ErrorInfo()
            reasons = [info.reason for each in details if each.Unpack(info)]
        assert caught.value.status == "UNIMPLEMENTED"
        assert len(reasons) == 1

    async def test_a_first_message_that_does_not_fit_harms_no_other(self, served):
        async with connect(at(served)) as client:
            with pytest.raises(RpcError, match="INVALID_ARGUMENT"):
                await client.call(STOCK, {"productId": {}})
            assert await client.call(STOCK, {"productId": "p1"})

    async def test_an_address_that_is_no_websocket(self, served):
        with pytest.raises(RefusedError) as caught:
            await connect(at(served) + "/nothing").__aenter__()
        assert caught.value.code == 404


class TestEnds:
    async def test_leaving_a_stream_cancels_it_at_the_backend(self, client, form, backend):
        before = await backend.counts(f"/{WATCH}")
        async with client.stream(WATCH, form.given(WATCH), end=True) as stream:
            await anext(stream)
        await backend.until_gone(f"/{WATCH}", before)
        assert (await backend.counts(f"/{WATCH}")).cancelled == before.cancelled + 1

    async def test_a_deadline_is_the_backends_too(self, client, form, backend):
        before = await backend.counts(f"/{WATCH}")
        with pytest.raises(RpcError, match="DEADLINE_EXCEEDED"):
            async with client.stream(WATCH, form.given(WATCH), end=True, timeout=0.2) as stream:
                async for _ in stream:
                    pass
        await backend.until_gone(f"/{WATCH}", before)

    async def test_leaving_the_client_ends_all(self, served, backend):
        before = await backend.counts(f"/{WATCH}")
        async with connect(at(served), resume=True) as client:
            stream = await client.stream(WATCH, {}, end=True).__aenter__()
            await anext(stream)
        await backend.until_gone(f"/{WATCH}", before)


class TestMetadataAndTokens:
    async def test_the_backend_sees_who_calls(self, served):
        async with connect(at(served), token="t0k") as client:
            first = await client.call(WHO, {})
            await client.auth("t1k")
            second = await client.call(WHO, {})
        assert "t0k" in str(first)
        assert "t1k" in str(second)

    async def test_binary_metadata_comes_back(self, client, form):
        metadata = [("x-say", "hello"), ("x-say-bin", b"\x00\xff")]
        async with client.stream(
            WHO, form.given(WHO), end=True, metadata=metadata, reply=form.reply(WHO)
        ) as stream:
            assert "hello" in str(await stream.only())


@asynccontextmanager
async def surviving(cuts: Cuts, **options) -> AsyncIterator:
    """A client whose connections are cut; even the first, which a user would hear of."""
    while True:
        client = connect(at(cuts.url), resume=True, backoff=AT_ONCE, **options)
        with suppress(OSError):
            await client.__aenter__()
            break
    async with AsyncExitStack() as stack:
        stack.push_async_exit(client)
        yield client


@pytest.mark.parametrize("seed", [1, 2])
async def test_cuts_lose_nothing_and_double_nothing(served, form, seed):
    json = form.subprotocol.endswith("json")
    most = 1500
    async with cutting(served, seed=seed, times=60, most=4000) as cuts:
        async with surviving(cuts, subprotocol=form.subprotocol) as client:

            async def chat() -> list[int]:
                first = {"room": "lobby"} if json else form.given(JOIN, room="lobby")
                heard = []
                async with client.stream(JOIN, first, credit=8, reply=form.reply(JOIN)) as stream:

                    async def talk() -> None:
                        for n in range(1, most + 1):
                            await stream.send(
                                {"ping": str(n)} if json else form.given(JOIN, ping=n)
                            )
                        await stream.end()

                    talking = asyncio.create_task(talk())
                    async for event in stream:
                        number = int(event.get("pong", 0)) if json else event.pong
                        if number:
                            heard.append(number)
                    await talking
                return heard

            async def ticks() -> list[int]:
                interval = "0.001s" if json else {"nanos": 1_000_000}
                request = form.given(WATCH, count=most, interval=interval)
                async with client.stream(
                    WATCH, request, end=True, credit=8, reply=form.reply(WATCH)
                ) as stream:
                    return [int(t["sequence"]) if json else t.sequence async for t in stream]

            heard = await asyncio.gather(chat(), chat(), ticks())
        assert cuts.left == 0
    assert heard == [list(range(1, most + 1))] * 3


async def test_a_gateway_that_starts_again_has_its_client_back(shop, tmp_path, unused_tcp_port):
    settings = config(shop)
    settings["listener"] = {"address": f"127.0.0.1:{unused_tcp_port}", "drain_timeout": "1s"}
    async with AsyncExitStack() as stack:
        with gateway(tmp_path, settings) as first:
            client = connect(at(first.url), backoff=Backoff(0.02, 0.1))
            await stack.enter_async_context(client)
            stream = await stack.enter_async_context(client.stream(WATCH, {}, end=True))
            await anext(stream)
            os.kill(first.pid, signal.SIGTERM)
            with pytest.raises(RpcError, match="UNAVAILABLE"):
                async for _ in stream:
                    pass
        waits = asyncio.create_task(client.call(STOCK, {"productId": "p1"}))
        with gateway(tmp_path, settings):
            assert (await waits)["productId"] == "p1"


@pytest.mark.parametrize("resume", ["30s", "0s"], ids=["resumed", "not-resumed"])
async def test_a_stream_outlives_the_sockets_that_are_too_old(shop, tmp_path, resume):
    settings = config(shop, resume=resume, limits={"max_age": "0.2s"})
    with gateway(tmp_path, settings) as each:
        async with connect(at(each.url), resume=True, backoff=AT_ONCE) as client:
            request = {"count": 200, "interval": "0.005s"}
            async with client.stream(WATCH, request, end=True, credit=8) as stream:
                ticks = [int(tick["sequence"]) async for tick in stream]
            assert ticks == list(range(1, 201))


async def test_a_reader_that_stops_holds_back_its_own_stream_only(served):
    async with connect(at(served)) as client:
        request = {"interval": "0.001s"}
        async with client.stream(WATCH, request, end=True, credit=4) as still:
            await still.headers()
            async with client.stream(WATCH, request | {"count": 500}, end=True) as stream:
                assert len([tick async for tick in stream]) == 500
            assert len(still._exchange.inbox) == 4
            assert [int((await anext(still))["sequence"]) for _ in range(8)] == list(range(1, 9))


@pytest.mark.parametrize("resume", [False, True], ids=["not-resumed", "resumed"])
async def test_streams_share_what_a_socket_may_be_sent_and_none_is_refused(tmp_path, resume):
    """Together they have 40 MiB to say, ten times what the gateway lets them."""
    streams, messages, size = 40, 5, 150 * 1024
    message = {"data": base64.b64encode(bytes(size)).decode()}  # of 200 KiB
    # The gateway takes one of each stream, which is on its way to the backend; then 20 fit.
    fit = streams + 4 * MIB // (200 * 1024)
    going = asyncio.Condition()
    sent = 0

    async with gated() as (backend, address):
        with gateway(tmp_path, config([address], resume="30s")) as each:
            async with connect(at(each.url), resume=resume) as client:

                async def upload() -> dict:
                    nonlocal sent
                    async with client.stream(DIGEST) as stream:
                        for number in range(messages):
                            await stream.send(message, end=number == messages - 1)
                            async with going:
                                sent += 1
                                going.notify_all()
                        return await stream.only()

                uploads = [asyncio.create_task(upload()) for _ in range(streams)]
                async with asyncio.timeout(60), going:
                    await going.wait_for(lambda: sent >= fit)
                with pytest.raises(RpcError, match="UNIMPLEMENTED"):
                    await client.call("shop.media.v1.MediaService/None", {})
                assert sent == fit
                assert not any(each.done() for each in uploads)
                backend.opened.set()
                async with asyncio.timeout(60):
                    replies = await asyncio.gather(*uploads)
    digest = {"sizeBytes": str(size * messages), "pieceCount": str(messages)}
    assert [{name: reply[name] for name in digest} for reply in replies] == [digest] * streams


async def test_much_data_survives_cuts_though_the_gateway_keeps_little(served):
    size, piece = 16 * MIB, 65_536
    request = {"path": "samples/noise.bin", "size": str(size), "pieceSize": piece}
    async with cutting(served, seed=3, times=8, most=3 * MIB) as cuts:
        async with surviving(cuts) as client:
            # What may be on its way must be less than the 4 MiB that the gateway keeps.
            async with client.stream(DOWNLOAD, request, end=True, credit=16) as stream:
                pieces = [piece async for piece in stream]
            assert (await stream.status()).ok
        assert cuts.left == 0
    assert len(pieces) >= size // piece
