"""Clients that vanish or stop reading, and networks that fail."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import WebSocketException

from gateway.upstream.endpoints import Endpoint
from tests.end_to_end.raw import Raw
from tests.end_to_end.sockets import DOWNLOAD, JOIN, WATCH, all_calls_end, config, socket
from tests.end_to_end.system import gateway, resident
from tests.listener.wire import CLOSE, PING, TEXT
from tests.upstream.proxies import Fate, proxied
from tests.upstream.servers import tcp

MIB = 1024 * 1024
FLOOD = {"path": "samples/noise.bin", "size": "104857600", "pieceSize": 65536}

HURRIED = {"limits": {"streams": 1000}, "ping": "300ms"}


@pytest.fixture(scope="module", params=["native", "grpcio"])
def served(request, shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    with gateway(folder, config(shop, transport=request.param, **HURRIED)) as each:
        yield each


# Clients that vanish.


@asynccontextmanager
async def swallowing(url):
    """A proxy that swallows all bytes, of both sides, once its event is set."""
    behind, swallows = urlsplit(url), asyncio.Event()

    async def connection(reader, writer):
        theirs, ours = await asyncio.open_connection(behind.hostname, behind.port)

        async def carry(source, sink):
            with suppress(ConnectionError):
                while chunk := await source.read(65_536):
                    if not swallows.is_set():
                        sink.write(chunk)

        try:
            await asyncio.gather(carry(reader, ours), carry(theirs, writer))
        finally:
            ours.transport.abort()

    async with tcp(connection) as endpoint:
        yield f"http://{endpoint.host}:{endpoint.port}", swallows


async def test_a_client_that_vanishes_without_a_word_is_found_by_pings(served, shop, backend):
    before = [await backend.counts(f"/{method}") for method in (JOIN, WATCH)]
    async with swallowing(served.url) as (url, swallows):
        options = {"close_timeout": 0.1}
        async with socket(url, options=options) as client:
            await client.joined()
            await client.message(await client.open(WATCH, {"interval": "0.01s"}, end=True))
            swallows.set()
            for method, each in zip((JOIN, WATCH), before, strict=True):
                await backend.until_gone(f"/{method}", each)


async def test_who_answers_no_ping_is_closed_with_4002(served, backend):
    before = await backend.counts(f"/{WATCH}")
    async with Raw.greeted(served.url) as raw:
        await raw.open(1, WATCH, {"interval": "0.05s"}, end=True)
        opcodes = Counter()
        while (frame := await raw.frame())[0] != CLOSE:
            opcodes[frame[0]] += 1
        assert int.from_bytes(frame[1][:2]) == 4002
    assert opcodes[PING] == 1
    assert opcodes[TEXT] > 2
    await backend.until_gone(f"/{WATCH}", before)


async def test_who_answers_pings_stays_though_it_has_nothing_to_say(served):
    async with Raw.greeted(served.url) as raw:
        for _ in range(5):
            while (frame := await raw.frame())[0] != PING:
                assert frame[0] != CLOSE
            await raw.pong(frame[1])


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_network_that_delays_stalls_and_cuts_leaves_no_call_behind(served, shop, seed):
    at = urlsplit(served.url)
    memory = resident(served.pid)
    options = {"ping_interval": 0.5, "ping_timeout": 1, "close_timeout": 0.1, "open_timeout": 1}

    async def use(url, framing):
        with suppress(OSError, EOFError, WebSocketException):
            async with socket(url, framing, options=options) as client:
                await client.open(WATCH, {"interval": "0.01s"}, end=True)
                chat = await client.joined()
                await client.echoes(chat, 100_000)  # to the end of the connection

    async with proxied(Endpoint(at.hostname, at.port), seed) as proxy:
        url = f"http://{proxy.endpoint.host}:{proxy.endpoint.port}"
        await asyncio.gather(*(use(url, ("json", "proto")[n % 2]) for n in range(40)))
        assert Fate.CUT in proxy.fates
        assert proxy.connections == 40
    await all_calls_end(shop, WATCH, JOIN)
    async with socket(served.url) as client:
        await client.echoes(await client.joined(), 10)
    assert resident(served.pid) - memory < 32 * MIB


# A reader that stopped.


async def test_streams_whose_reader_stopped_hold_little_and_a_neighbour_runs_on(served, backend):
    """Each holds what it had credit for, a window and a message; its backend waits."""
    before = await backend.counts(f"/{DOWNLOAD}")
    async with socket(served.url, "proto") as client:
        chat = await client.joined()
        await client.echoes(chat, 100)
        memory = resident(served.pid)
        stopped = [await client.open(DOWNLOAD, FLOOD, end=True, credit=2) for _ in range(40)]
        for id_ in stopped:
            await client.message(id_)
            await client.message(id_)
        await client.echoes(chat, 1000)
        assert not any(client.kept(id_) for id_ in stopped)
        assert resident(served.pid) - memory < 32 * MIB  # of the 4 GB that the backends have
        assert (await backend.counts(f"/{DOWNLOAD}")).ended == before.ended
        for id_ in stopped:
            await client.say("cancel", id=id_)
            assert (await client.end(id_))["status"] == "CANCELLED"


async def test_a_stream_with_much_to_say_lets_its_neighbours_have_their_turn(served):
    """Of a stream without limits not many messages come between a question and its answer."""
    async with socket(served.url, "proto") as client:
        chat = await client.joined()
        flood = await client.open(DOWNLOAD, FLOOD, end=True)
        await client.message(flood)
        pieces = 0
        for number in range(20):
            await client.echo(chat, number + 1)
            pieces += len(client.come(flood))
        assert pieces < 1600, "the whole file came before the neighbour had its turn"
        await client.say("cancel", id=flood)
        assert (await client.end(flood))["status"] == "CANCELLED"
