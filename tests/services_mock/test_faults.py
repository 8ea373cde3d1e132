"""Faults that calls ask for by metadata, in all four kinds of method; and how faults are read."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import pytest

from services_mock import connection, faults
from services_mock.contract import catalog, chat, inventory, media, users
from services_mock.faults import Action, Fault, Faults, from_metadata
from services_mock.replica import Options
from services_mock.testing import Client, calls, calls_reach, serve_in_process
from tests.services_mock.failing import fails_with, fields_at_fault

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
GET_USER = "/shop.users.v1.UserService/GetUser"


def asking(**keys):
    return tuple((f"x-fault-{key}", str(value)) for key, value in keys.items())


# These calls are made with grpc's blocking client: grpc.aio's says INTERNAL instead of the server's
# status where a server ends a call that the client still writes to (grpc/grpc#36066).
@pytest.fixture
async def blocking() -> AsyncIterator[grpc.Channel]:
    async with serve_in_process() as address:
        with grpc.insecure_channel(address) as channel:
            yield channel


@dataclass(frozen=True)
class Started:
    """A call that runs: grpc's object, and whether it gives a stream of replies."""

    call: Any
    stream: bool

    async def ended(self) -> tuple[int, grpc.StatusCode]:
        """How many messages came, and how the call ended."""
        return await asyncio.to_thread(self._wait)

    def _wait(self) -> tuple[int, grpc.StatusCode]:
        received = 0
        try:
            for _ in self.call if self.stream else [self.call.result()]:
                received += 1
        except grpc.RpcError as error:
            return received, error.code()
        except grpc.FutureCancelledError:
            return received, grpc.StatusCode.CANCELLED
        return received, grpc.StatusCode.OK


def unary(channel, metadata):
    service = Client(channel, "shop.users.v1.UserService")
    request = users.GetUserRequest(id="u1")
    return Started(service.GetUser.future(request, metadata=metadata), stream=False)


def server_streaming(channel, metadata):
    service = Client(channel, "shop.inventory.v1.InventoryService")
    request = inventory.WatchStockRequest(count=5, interval={"nanos": 1_000_000})
    return Started(service.WatchStock(request, metadata=metadata), stream=True)


def client_streaming(channel, metadata):
    service = Client(channel, "shop.catalog.v1.CatalogService")
    item = catalog.ImportProductsRequest(product={"title": "x", "price": {"units": 1}})
    call = service.ImportProducts.future(iter([item] * 5), metadata=metadata)
    return Started(call, stream=False)


def bidirectional(channel, metadata):
    service = Client(channel, "shop.chat.v1.ChatService")
    pings = [chat.JoinRequest(room="support", ping=number) for number in range(4)]
    return Started(service.Join(iter(pings), metadata=metadata), stream=True)


NAMES = {
    unary: GET_USER,
    server_streaming: "/shop.inventory.v1.InventoryService/WatchStock",
    client_streaming: "/shop.catalog.v1.CatalogService/ImportProducts",
    bidirectional: "/shop.chat.v1.ChatService/Join",
}
KINDS = list(NAMES)
STREAMS = [server_streaming, bidirectional]


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_fault_all_is_well(blocking, kind):
    received, code = await kind(blocking, ()).ended()
    assert code is grpc.StatusCode.OK
    assert received == (5 if kind in STREAMS else 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", ["UNAVAILABLE", "14"])
async def test_code_by_name_and_number(blocking, kind, code):
    assert await kind(blocking, asking(code=code)).ended() == (0, UNAVAILABLE)


@pytest.mark.parametrize("kind", STREAMS)
async def test_error_after_three_messages(blocking, kind):
    asked = asking(after=3, code="DATA_LOSS")
    assert await kind(blocking, asked).ended() == (3, grpc.StatusCode.DATA_LOSS)


async def test_error_after_three_requests(blocking):
    assert await client_streaming(blocking, asking(after=3)).ended() == (0, UNAVAILABLE)
    service = Client(blocking, "shop.catalog.v1.CatalogService")
    page = await asyncio.to_thread(service.ListProducts, catalog.ListProductsRequest())
    assert page.total_size == 63  # the error comes as the fourth is waited for


async def test_a_unary_reply_can_be_lost_after_the_work_is_done(channel):
    service = Client(channel, "shop.users.v1.UserService")
    with fails_with(UNAVAILABLE):
        await service.DeleteUser(users.DeleteUserRequest(id="u1"), metadata=asking(after=1))
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await service.GetUser(users.GetUserRequest(id="u1"))


@pytest.mark.parametrize("kind", KINDS)
async def test_hang_until_the_client_gives_up(kind):
    async with serve_in_process() as address, grpc.aio.insecure_channel(address) as channel:
        with grpc.insecure_channel(address) as blocking:
            started = kind(blocking, asking(hang=1))
            waiting = asyncio.create_task(started.ended())
            await calls_reach(channel, NAMES[kind], lambda counts: counts.started == 1)
            started.call.cancel()
            assert await waiting == (0, grpc.StatusCode.CANCELLED)
            await calls_reach(channel, NAMES[kind], lambda counts: counts.ended == 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_refusal_cuts_the_connection(blocking, kind):
    assert await kind(blocking, asking(refuse=1)).ended() == (0, UNAVAILABLE)
    assert (await unary(blocking, ()).ended())[1] is grpc.StatusCode.OK  # it connects again


async def test_refusal_is_a_reset_and_no_answer(blocking):
    service = Client(blocking, "shop.users.v1.UserService")
    for _ in range(3):
        with pytest.raises(grpc.RpcError) as caught:
            await asyncio.to_thread(
                service.GetUser, users.GetUserRequest(id="u1"), metadata=asking(refuse=1)
            )
        assert caught.value.code() is UNAVAILABLE
        assert caught.value.details() != "a fault that was asked for", "the replica answered"
        assert "x-replica" not in dict(caught.value.trailing_metadata() or ())


@pytest.mark.parametrize(
    ("peer", "connects_to"),
    [
        pytest.param("ipv4:127.0.0.1:{}", "127.0.0.1", id="IPv4"),
        pytest.param("ipv4:127.0.0.1:{}", "::ffff:127.0.0.1", id="IPv4 on a dual-stack socket"),
        pytest.param("ipv6:%5B::1%5D:{}", "::1", id="IPv6"),
    ],
)
def test_a_connection_is_found_by_the_name_that_grpc_gives_its_client(peer, connects_to):
    family = socket.AF_INET6 if ":" in connects_to else socket.AF_INET
    with socket.socket(family) as listener:
        if family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((connects_to, 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()[:2]) as client:
            served, _ = listener.accept()
            assert connection.reset(peer.format(client.getsockname()[1]))
            served.close()
            with pytest.raises(ConnectionResetError):
                client.recv(1)


async def test_refusal_in_the_middle_of_a_stream(blocking):
    received, code = await server_streaming(blocking, asking(refuse=1, after=2)).ended()
    assert code is UNAVAILABLE
    assert received <= 2  # what was under way is lost with the connection


async def test_delay_is_over_before_the_answer(blocking):
    loop = asyncio.get_running_loop()
    start = loop.time()
    assert (await unary(blocking, asking(delay="50ms")).ended())[1] is grpc.StatusCode.OK
    assert loop.time() - start >= 0.05


async def test_percent_of_the_calls_fail(blocking):
    outcomes = [(await unary(blocking, asking(percent=50)).ended())[1] for _ in range(100)]
    assert 25 < outcomes.count(UNAVAILABLE) < 75


async def test_metadata_replace_the_flags():
    options = Options(faults=Faults(fault=Fault(action=Action.ERROR)))
    async with serve_in_process(options) as address:
        with grpc.insecure_channel(address) as channel:
            assert await unary(channel, ()).ended() == (0, UNAVAILABLE)
            assert await unary(channel, asking(delay="0s")).ended() == (1, grpc.StatusCode.OK)
            aborted = (0, grpc.StatusCode.ABORTED)
            assert await unary(channel, asking(code="ABORTED")).ended() == aborted


async def test_flags_befall_the_methods_that_are_meant():
    options = Options(faults=Faults(fault=Fault(action=Action.ERROR), methods="*/Get*"))
    async with serve_in_process(options) as address:
        with grpc.insecure_channel(address) as channel:
            assert await unary(channel, ()).ended() == (0, UNAVAILABLE)
            assert (await server_streaming(channel, ()).ended())[1] is grpc.StatusCode.OK


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"delay": "soon"}, id="no duration"),
        pytest.param({"delay": "5"}, id="duration without a unit"),
        pytest.param({"code": "OK"}, id="OK is no error"),
        pytest.param({"code": "17"}, id="no such code"),
        pytest.param({"percent": "101"}, id="more than all"),
        pytest.param({"percent": "nan"}, id="no number"),
        pytest.param({"after": "-1"}, id="negative"),
        pytest.param({"hang": "perhaps"}, id="neither yes nor no"),
        pytest.param({"wish": "1"}, id="unknown key"),
    ],
)
async def test_a_fault_that_is_none_is_said(channel, bad):
    service = Client(channel, "shop.users.v1.UserService")
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await service.GetUser(users.GetUserRequest(id="u1"), metadata=asking(**bad))
    assert fields_at_fault(caught.value) == ["metadata"]
    assert f"x-fault-{next(iter(bad))}" in caught.value.details()


async def test_calls_are_counted_by_what_became_of_them(channel):
    service, request = Client(channel, "shop.users.v1.UserService"), users.GetUserRequest(id="u1")
    await service.GetUser(request)
    with fails_with(grpc.StatusCode.ABORTED):
        await service.GetUser(request, metadata=asking(code="ABORTED"))
    counts = (await calls(channel))[GET_USER]
    assert (counts.started, counts.completed, counts.failed, counts.cancelled) == (2, 1, 1, 0)


async def test_a_deadline_that_passes_is_a_cancellation(channel):
    service = Client(channel, "shop.users.v1.UserService")
    with fails_with(grpc.StatusCode.DEADLINE_EXCEEDED):
        await service.GetUser(users.GetUserRequest(id="u1"), metadata=asking(hang=1), timeout=0.05)
    await calls_reach(channel, GET_USER, lambda counts: counts.cancelled == 1)


async def test_one_who_reads_no_more_can_still_cancel(channel):
    service = Client(channel, "shop.media.v1.MediaService")
    stream = service.DownloadMedia(media.DownloadMediaRequest(path="samples/noise.bin", size=2**40))
    await stream.read()
    stream.cancel()
    await calls_reach(
        channel,
        "/shop.media.v1.MediaService/DownloadMedia",
        lambda counts: counts.ended == 1,
    )


@pytest.mark.parametrize(
    ("metadata", "fault"),
    [
        pytest.param({}, None, id="nothing asked"),
        pytest.param({"delay": "200ms"}, Fault(delay=0.2), id="delay alone is no error"),
        pytest.param(
            {"after": "3"}, Fault(action=Action.ERROR, after=3), id="after means an error"
        ),
        pytest.param(
            {"after": "3", "crash": "1"}, Fault(action=Action.CRASH, after=3), id="crash after"
        ),
        pytest.param(
            {"code": "ABORTED", "percent": "12.5"},
            Fault(action=Action.ERROR, code=grpc.StatusCode.ABORTED, percent=12.5),
            id="code and percent",
        ),
    ],
)
def test_reading_metadata(metadata, fault):
    assert from_metadata([("user-agent", "x"), *asking(**metadata)]) == fault


@pytest.mark.parametrize(
    ("percent", "roll", "befalls"), [(0, 0.0, False), (20, 0.19, True), (20, 0.2, False)]
)
def test_the_roll_decides(percent, roll, befalls):
    fault = Fault(action=Action.ERROR, percent=percent)
    assert fault.befalls(lambda: roll) is befalls


def test_every_code_but_ok_can_be_asked_for():
    for code in grpc.StatusCode:
        if code is not grpc.StatusCode.OK:
            assert faults.code(code.name) is code
