"""WebSocket clients that mean harm: memory stays bounded, and neighbours are served."""

import asyncio
import contextlib
import tracemalloc
import zlib

import pytest

from gateway.listener.link import HIGH_WATER
from tests.listener.sockets import Front, closed
from tests.listener.wire import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame, read_frame, said, sent

MIB = 2**20
SIZE = MIB  # a message's


@pytest.fixture
def bounded():
    """Sees that no more than so many bytes are taken, client and all."""

    @contextlib.contextmanager
    def within(most):
        tracemalloc.start()
        try:
            yield
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < most

    return within


async def flood(client, piece, times, last=b""):
    """Sends a piece again and again, while the other side takes it; then the last one."""
    with contextlib.suppress(ConnectionError):
        for _ in range(times):
            await client.send(piece)
        await client.send(last)


async def close_of(client):
    """Returns the close that ends it, past all else."""
    async with asyncio.timeout(60):
        while (found := await read_frame(client.reader))[0] != CLOSE:
            pass
    return found[1]


async def echoes(client, count):
    """Has so many messages come back, each before the next is sent."""
    for n in range(count):
        await client.send(frame(TEXT, b"%d" % n))
        assert await read_frame(client.reader) == (TEXT, b"%d" % n)


@pytest.mark.parametrize(
    "part", [pytest.param(b"x" * 50_000, id="large"), pytest.param(b"x" * 200, id="small")]
)
async def test_fragments_without_end(dial, upgrade, bounded, part):
    client = await dial(Front(message_size=SIZE))
    await upgrade(client)
    piece = frame(CONT, part, fin=False) * (50_000 // len(part))
    with bounded(4 * SIZE):
        await client.send(frame(BINARY, part, fin=False))
        sending = asyncio.create_task(flood(client, piece, 40))
        assert (await close_of(client))[:2] == said(1009)
        await sending


async def test_a_million_empty_fragments(listen, connect, upgrade):
    """They are taken in turns with a neighbour, and the message that they end is right."""
    listener = await listen(Front())
    client, neighbour = await connect(listener), await connect(listener)
    await upgrade(client)
    await upgrade(neighbour)
    piece = frame(CONT, fin=False) * 10_000
    await client.send(frame(TEXT, b"a", fin=False))
    sending = asyncio.create_task(flood(client, piece, 100, frame(CONT, b"z")))
    answer = asyncio.create_task(read_frame(client.reader))
    await echoes(neighbour, 20)
    assert not answer.done()
    async with asyncio.timeout(60):
        assert await answer == (TEXT, b"az")
    await sending


async def test_a_flood_of_pings_by_a_client_that_reads_nothing(listen, connect, upgrade):
    front = Front()
    listener = await listen(front)
    client = await connect(listener, limit=1024)
    await upgrade(client)
    transport = (await front.opened.get())._connection.transport
    waiting = []
    for _ in range(200):
        await client.send(frame(PING, b"p" * 125) * 500)
        waiting.append(transport.get_write_buffer_size())
    await client.send(frame(PING, b"last"))
    async with asyncio.timeout(20):
        while transport.get_protocol().socket._late_pong != b"last":
            await asyncio.sleep(0)
    assert HIGH_WATER < max(waiting) < 8 * HIGH_WATER
    pongs = [await read_frame(client.reader)]
    while pongs[-1] != (PONG, b"last"):
        pongs.append(await read_frame(client.reader))
    assert len(pongs) < 100_000
    await echoes(client, 1)


async def test_a_flood_of_pings_between_fragments(dial, upgrade):
    client = await dial(Front())
    await upgrade(client)
    answers = asyncio.create_task(client.reader.readexactly(20_000 * 3 + 4))
    await client.send(frame(TEXT, b"a", fin=False))
    await flood(client, frame(PING, b"p") * 1000, 20, frame(CONT, b"z"))
    async with asyncio.timeout(20):
        assert await answers == sent(PONG, b"p") * 20_000 + sent(TEXT, b"az")


def bomb(size):
    """Packs a message of nothing (RFC 7692 7.2.1)."""
    packing = zlib.compressobj(wbits=-12)
    packed = packing.compress(bytes(size)) + packing.flush(zlib.Z_SYNC_FLUSH)
    return packed[:-4]


async def upgraded_packed(client):
    await client.send(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n\r\n"
    )
    assert "permessage-deflate" in (await client.head()).header("sec-websocket-extensions")


async def test_bombs_of_the_largest_size_that_is_allowed(listen, connect, upgrade, bounded):
    """One after another is unpacked, in turns with a neighbour."""
    got = []
    front = Front(message_size=SIZE, compressed=True)
    front.take = lambda _, message: got.append(len(message))
    listener = await listen(front)
    client, neighbour = await connect(listener), await connect(listener)
    await upgraded_packed(client)
    front.take = lambda socket, message: (
        got.append(len(message)) if len(message) == SIZE else Front.take(front, socket, message)
    )
    await upgrade(neighbour)
    piece = frame(BINARY, bomb(SIZE), rsv=4)
    with bounded(8 * SIZE):
        sending = asyncio.create_task(flood(client, piece * 100, 3, frame(CLOSE, said(1000))))
        await echoes(neighbour, 20)
        assert len(got) < 300
        assert (await close_of(client))[:2] == said(1000)
        await sending
    assert got == [SIZE] * 300


@pytest.mark.parametrize("in_fragments", [True, False], ids=["in fragments", "whole"])
async def test_a_bomb_that_is_larger(dial, bounded, in_fragments):
    client = await dial(Front(message_size=SIZE, compressed=True))
    await upgraded_packed(client)
    packed = bomb(100 * MIB)
    half = len(packed) // 2
    wire = frame(BINARY, packed, rsv=4)
    if in_fragments:
        wire = frame(BINARY, packed[:half], fin=False, rsv=4) + frame(CONT, packed[half:])
    with bounded(6 * SIZE):
        sending = asyncio.create_task(flood(client, wire, 1))
        assert (await close_of(client))[:2] == said(1009)
        await sending


async def test_what_is_unpacked_ends_at_the_very_byte(dial):
    """Also where the fragments before have left room for none."""
    client = await dial(Front(message_size=1000, compressed=True))
    await upgraded_packed(client)
    await client.send(frame(BINARY, bomb(1000), rsv=4))
    head, size = await client.reader.readexactly(2)
    assert (head, len(await client.reader.readexactly(size))) == (0xC2, size)
    packing = zlib.compressobj(wbits=-12)
    first = packing.compress(bytes(1000)) + packing.flush(zlib.Z_SYNC_FLUSH)
    await client.send(frame(BINARY, first, fin=False, rsv=4) + frame(CONT, b"\x00"))
    assert (await close_of(client))[:2] == said(1009)


async def test_one_that_says_how_large_it_would_be_has_no_memory(dial, upgrade, bounded):
    client = await dial(Front(message_size=SIZE))
    await upgrade(client)
    with bounded(SIZE):
        await client.send(b"\x82\xff" + (2**40).to_bytes(8) + bytes(4))
        assert (await close_of(client))[:2] == said(1009)


async def test_a_client_that_closes_and_reads_nothing_is_cut(listen, connect, upgrade):
    front = Front()
    listener = await listen(front, stream_idle_timeout=0.1)
    client = await connect(listener, limit=1024)
    await upgrade(client)
    socket = await front.opened.get()
    while socket.writable:
        socket.send_binary(bytes(100_000))
    await client.send(frame(CLOSE, said(1000)))
    assert await closed(front.closed) == (1000, "")
    async with asyncio.timeout(20):
        while listener.connections:
            await asyncio.sleep(0)
