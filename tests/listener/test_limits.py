"""Times and numbers that a client is held to. Times are small; only the order of events counts."""

import asyncio

import pytest

from gateway.http.exchange import STREAM_IDLE
from gateway.listener import Limits

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def test_a_head_that_takes_too_long_is_408(dial, echo):
    client = await dial(echo, header_timeout=0.05)
    await client.send(GET[:-2])
    assert (await client.reply()).reason == "HEADER_TIMEOUT"
    assert await client.rest() == b""


async def test_dripping_does_not_prolong_a_head(dial, echo):
    client = await dial(echo, header_timeout=0.2)
    await client.send(b"GET / HTTP/1.1\r\n")
    try:
        while not client.reader._buffer:
            await client.send(b"a: b\r\n")
            await asyncio.sleep(0.01)
    except ConnectionError:
        pass  # it has read enough of them
    assert (await client.reply()).status == 408


async def test_the_next_head_has_its_own_time(dial, echo):
    client = await dial(echo, header_timeout=0.05)
    assert (await client.get()).status == 200
    await client.send(GET[:5])
    assert (await client.reply()).status == 408


async def test_a_connection_without_a_request_is_closed_in_silence(dial, echo):
    client = await dial(echo, idle_timeout=0.05)
    assert await client.rest() == b""


async def test_a_connection_is_closed_in_silence_after_its_last_request(dial, echo):
    client = await dial(echo, idle_timeout=0.05)
    assert (await client.get()).status == 200
    assert await client.rest() == b""


async def test_empty_lines_do_not_keep_a_connection(dial, echo):
    client = await dial(echo, idle_timeout=0.1)
    with pytest.raises(ConnectionError):
        for _ in range(10_000):
            await client.send(b"\r\n")
            await asyncio.sleep(0.005)


async def test_a_request_that_is_being_answered_is_not_idle(dial, text):
    def handler(exchange):
        asyncio.get_running_loop().call_later(0.2, text, exchange, 200, b"")

    client = await dial(handler, idle_timeout=0.05, header_timeout=0.05, body_timeout=0.05)
    assert (await client.get()).status == 200


def idle_stream(doing, told):
    async def work(exchange):
        if doing != "before its head":
            exchange.start(200, [])
        try:
            if doing == "reading":
                async for _ in exchange.chunks():
                    pass
            await asyncio.Event().wait()
        except Exception as error:  # noqa: BLE001  whatever it is, the test sees it
            told.append((error.fault.name, error.limit))
            await exchange.write(b"idle")
            await exchange.finish()
        except asyncio.CancelledError as error:
            told.extend(error.args)
            if doing != "and answers":
                raise
            await exchange.write(b"idle")
            await exchange.finish()

    return lambda exchange: exchange.spawn(work(exchange))


async def test_an_idle_stream_is_cancelled_and_may_answer(dial):
    told = []
    client = await dial(idle_stream("and answers", told), stream_idle_timeout=0.05)
    reply = await client.get()
    assert (reply.body, reply.complete) == (b"idle", True)
    assert told == [STREAM_IDLE]


async def test_an_idle_stream_that_does_not_answer_is_cut(dial):
    told = []
    client = await dial(idle_stream("and ends", told), stream_idle_timeout=0.05)
    assert not (await client.get()).complete
    assert told == [STREAM_IDLE]


async def test_an_idle_stream_without_a_head_is_504(dial):
    client = await dial(idle_stream("before its head", []), stream_idle_timeout=0.05)
    reply = await client.get()
    assert (reply.status, reply.reason) == (504, "STREAM_IDLE")


async def test_a_reader_of_an_idle_stream_is_told(dial):
    told = []
    client = await dial(idle_stream("reading", told), stream_idle_timeout=0.05)
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    reply = await client.reply()
    assert (reply.body, reply.complete) == (b"idle", True)
    assert told == [("TIMEOUT", 0.05)]


async def test_a_stream_that_ignores_its_cancellation_is_cut(dial):
    release = asyncio.Event()

    async def work(exchange):
        exchange.start(200, [])
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    client = await dial(lambda exchange: exchange.spawn(work(exchange)), stream_idle_timeout=0.05)
    assert not (await client.get()).complete
    release.set()


async def test_either_way_keeps_a_stream(dial):
    async def work(exchange):
        exchange.start(200, [])
        async for part in exchange.chunks():
            if part != b"x":
                await exchange.write(part)
        for _ in range(10):
            await asyncio.sleep(0.05)
            await exchange.write(b"down")
        await exchange.finish()

    client = await dial(lambda exchange: exchange.spawn(work(exchange)), stream_idle_timeout=0.3)
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(10):
        await asyncio.sleep(0.05)
        await client.send(b"1\r\nx\r\n")
    await client.send(b"0\r\n\r\n")
    reply = await client.reply()
    assert (reply.body, reply.complete) == (b"down" * 10, True)


@pytest.mark.parametrize("form", ["whole", "streamed"])
async def test_a_client_that_takes_nothing_is_cut(listen, connect, form):
    def handler(exchange):
        async def work():
            exchange.start(200, [])
            while True:
                await exchange.write(bytes(1_000_000))

        if form == "whole":
            exchange.respond(200, [], bytes(50_000_000))
        else:
            exchange.spawn(work())

    listener = await listen(handler, stream_idle_timeout=0.1)
    client = await connect(listener, limit=1024)
    await client.send(GET)
    async with asyncio.timeout(20):
        while listener.connections:
            await asyncio.sleep(0.01)


async def test_a_slow_but_steady_client_is_not_cut(dial):
    client = await dial(
        lambda exchange: exchange.respond(200, [], bytes(20_000_000)), stream_idle_timeout=1.0
    )
    await client.send(GET)
    await client.head()
    left = 20_000_000
    while left:
        left -= len(await client.reader.read(500_000))
        await asyncio.sleep(0.001)


async def test_one_connection_too_many_is_503(listen, connect, echo):
    listener = await listen(echo, connections=2)
    first, second = [await connect(listener) for _ in range(2)]
    for client in (first, second):
        assert (await client.get()).status == 200
    third = await connect(listener)
    reply = await third.reply()
    assert (reply.status, reply.reason) == (503, "TOO_MANY_CONNECTIONS")
    assert await third.rest() == b""
    assert (await first.get()).status == 200
    await second.close()
    while listener._service.census.total > 1:
        await asyncio.sleep(0)
    assert (await (await connect(listener)).get()).status == 200


async def test_an_address_has_its_own_limit(listen, connect, echo):
    listener = await listen(echo, connections_per_address=1)
    first = await connect(listener)
    assert (await first.get()).status == 200
    assert (await (await connect(listener)).reply()).reason == "TOO_MANY_CONNECTIONS"
    other = await connect(listener, local_addr=("127.0.0.2", 0))
    assert (await other.get()).status == 200


async def test_a_trusted_proxy_has_no_limit_of_its_own(listen, connect, echo):
    listener = await listen(echo, trusted=["127.0.0.1/32"], connections_per_address=1)
    clients = [await connect(listener) for _ in range(3)]
    assert [(await client.get()).status for client in clients] == [200] * 3


async def test_a_crowd_over_the_limit_is_just_closed(listen, connect, echo, monkeypatch):
    monkeypatch.setattr("gateway.listener.closing.REFUSED_AT_ONCE", 0)
    listener = await listen(echo, connections=1)
    first = await connect(listener)
    assert (await first.get()).status == 200
    assert await (await connect(listener)).rest() == b""


async def test_limits_may_be_replaced(listen, connect, echo):
    listener = await listen(echo, header_size=20)
    client = await connect(listener)
    assert (await client.get()).status == 431
    listener.configure(Limits(), [])
    assert (await (await connect(listener)).get()).status == 200
