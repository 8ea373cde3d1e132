"""The listener as a common client sees it: connections kept, bodies either way, streams."""

import asyncio

import aiohttp
import pytest


@pytest.fixture
async def session():
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as made:
        yield made


async def test_one_connection_serves_many_requests(listen, session, echo):
    listener = await listen(echo)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        async with session.request(method, f"{listener.urls[0]}/v1/a?b=c", data=b"hi") as reply:
            seen = await reply.json()
            assert (seen["method"], seen["path"], seen["body"]) == (method, "/v1/a", "hi")
    assert listener.connections == 1


async def test_a_stream_either_way_at_once(listen, session):
    async def work(exchange):
        exchange.start(200, [("Content-Type", "application/octet-stream")])
        async for part in exchange.chunks():
            await exchange.write(part.upper())
        await exchange.finish()

    answered = asyncio.Event()

    async def ask():
        yield b"one"
        await answered.wait()  # so neither body can be held whole
        yield b"two"

    listener = await listen(lambda exchange: exchange.spawn(work(exchange)))
    async with session.post(listener.urls[0], data=ask()) as reply:
        assert await reply.content.readexactly(3) == b"ONE"
        answered.set()
        assert await reply.content.read() == b"TWO"


async def test_a_cut_stream_is_an_error(listen, session):
    async def work(exchange):
        exchange.start(200, [])
        await exchange.write(b"half")
        exchange.abort()

    listener = await listen(lambda exchange: exchange.spawn(work(exchange)))
    with pytest.raises(aiohttp.ClientError):
        async with session.get(listener.urls[0]) as reply:
            await reply.read()
