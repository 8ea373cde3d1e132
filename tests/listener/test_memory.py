"""100 MB through a stream, either way, take no more memory than a few buffers."""

import asyncio
import socket
import tracemalloc

import pytest

from tests.listener.conftest import PATIENCE

SIZE = 100_000_000
PART = bytes(64 * 1024)


@pytest.fixture
def flat():
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "sized"])
async def test_up(dial, flat, chunked):
    async def work(exchange):
        total = 0
        async for part in exchange.chunks():
            total += len(part)
        exchange.respond(200, [], b"%d" % total)

    client = await dial(lambda exchange: exchange.spawn(work(exchange)))
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % SIZE
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
    left = SIZE
    while left:
        part = PART[:left]
        left -= len(part)
        await client.send(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
    await client.send(b"0\r\n\r\n" if chunked else b"")
    assert (await client.reply()).body == b"%d" % SIZE


async def test_down(dial, flat):
    async def work(exchange):
        exchange.start(200, [])
        left = SIZE
        while left:
            part = PART[:left]
            left -= len(part)
            await exchange.write(part)
        await exchange.finish()

    client = await dial(lambda exchange: exchange.spawn(work(exchange)))
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.head()
    total = 0
    while size := int(await client.reader.readuntil(b"\r\n"), 16):
        await client.reader.readexactly(size + 2)
        total += size
    assert total == SIZE


async def test_both_ways_at_once(dial, flat):
    size = SIZE // 4

    async def work(exchange):
        exchange.start(200, [])
        async for part in exchange.chunks():
            await exchange.write(part)
        await exchange.finish()

    client = await dial(lambda exchange: exchange.spawn(work(exchange)))
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)

    async def up():
        for _ in range(size // len(PART)):
            await client.send(PART)
        await client.send(PART[: size % len(PART)])

    sending = asyncio.create_task(up())
    await client.head()
    total = 0
    while part := int(await client.reader.readuntil(b"\r\n"), 16):
        await client.reader.readexactly(part + 2)
        total += part
    await sending
    assert total == size


REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1000 + b"\r\n\r\n"
PIPELINE = REQUEST * 20_000


async def test_pipelined_requests(listen, flat):
    """They are begun in turns with other connections, and wait for theirs in the socket."""
    listener = await listen(lambda exchange: exchange.respond(204, [], b""))
    loop = asyncio.get_running_loop()
    with socket.create_connection(
        ("127.0.0.1", int(listener.urls[0].rpartition(":")[2]))
    ) as client:
        client.setblocking(False)
        sending = asyncio.create_task(loop.sock_sendall(client, PIPELINE))
        answered, rest = 0, b""
        while answered < len(PIPELINE) // len(REQUEST):
            *whole, rest = (rest + await loop.sock_recv(client, 1 << 20)).split(b"\r\n\r\n")
            answered += len(whole)
        await sending


async def test_a_pipeline_ends_with_its_client(dial):
    """Also where more of it than is read stands behind a request that is not the first."""
    asked = asyncio.Queue()
    client = await dial(asked.put_nowait)
    await client.send(PIPELINE[:200_000])
    (await asked.get()).respond(204, [], b"")
    gone = asyncio.Event()
    (await asked.get()).on_gone(gone.set)
    client.break_off()
    await asyncio.wait_for(gone.wait(), PATIENCE)
