"""Clients that end their sending: those that wait for their reply, and those that have gone."""

import asyncio

import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def held(dial):
    """A connection whose requests wait in a queue, and what was gone."""
    waiting, gone = asyncio.Queue(), asyncio.Queue()

    def handler(exchange):
        exchange.on_gone(lambda: gone.put_nowait(exchange))
        waiting.put_nowait(exchange)

    async def one(sent, **limits):
        client = await dial(handler, **limits)
        await client.send(sent)
        return client, await waiting.get()

    one.waiting, one.gone = waiting, gone
    return one


async def final(client):
    """Returns the reply after any interim ones (RFC 9110 section 15.2)."""
    while (reply := await client.reply()).status == 100:
        pass
    return reply


async def test_a_client_that_ended_its_sending_gets_its_reply(held, text):
    client, exchange = await held(GET)
    client.writer.write_eof()
    assert (await client.reply()).status == 100  # who has gone answers this with a reset
    text(exchange, 200, b"hello")
    reply = await client.reply()
    assert reply.body == b"hello"
    assert await client.rest() == b""
    assert held.gone.empty()


async def test_it_may_wait_longer_than_the_first_looks(held, text):
    client, exchange = await held(GET)
    client.writer.write_eof()
    await client.reply()
    await asyncio.sleep(0.1)
    assert held.gone.empty()
    text(exchange, 200, b"late")
    assert (await client.reply()).body == b"late"


async def test_its_pipelined_requests_are_answered_too(held, text):
    client, exchange = await held(GET * 3)
    client.writer.write_eof()
    for n in range(3):
        text(exchange, 200, b"%d" % n)
        assert (await final(client)).body == b"%d" % n
        exchange = await held.waiting.get() if n < 2 else None
    assert await client.rest() == b""


async def test_requests_that_came_with_their_end_are_answered(dial, text):
    client = await dial(lambda exchange: text(exchange, 200, b"x"))
    client.writer.write(GET * 40 + GET[:9])
    client.writer.write_eof()
    for _ in range(40):
        assert (await final(client)).body == b"x"
    assert await client.rest() == b""


async def test_a_body_that_came_whole_is_a_whole_request(dial):
    def handler(exchange):
        loop = asyncio.get_running_loop()
        loop.call_later(
            0.05,
            exchange.collect,
            100,
            lambda body: exchange.respond(200, [], body),
            lambda error: exchange.respond(400, [], error.fault.name.encode()),
        )

    client = await dial(handler)
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
    client.writer.write_eof()
    assert (await final(client)).body == b"hello"


async def test_over_a_unix_socket(listen, connect, tmp_path, text):
    waiting = asyncio.Queue()
    listener = await listen(waiting.put_nowait, addresses=[f"unix:{tmp_path}/s"])
    client = await connect(listener)
    await client.send(GET)
    exchange = await waiting.get()
    client.writer.write_eof()
    assert (await client.reply()).status == 100
    text(exchange, 200, b"hello")
    assert (await client.reply()).body == b"hello"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(GET, id="a whole request"),
        pytest.param(GET + GET, id="with another behind it"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", id="HTTP/1.0, which knows no interim reply"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell", id="half a body"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
            id="half a chunk",
        ),
    ],
)
async def test_a_client_that_has_gone_is_told_of(held, sent):
    client, exchange = await held(sent)
    await client.close()
    async with asyncio.timeout(20):
        assert await held.gone.get() is exchange
    assert held.gone.empty()


async def test_a_client_of_1_0_that_ends_its_sending_has_gone(held):
    client, exchange = await held(b"GET / HTTP/1.0\r\n\r\n")
    client.writer.write_eof()
    async with asyncio.timeout(20):
        assert await held.gone.get() is exchange
    assert await client.rest() == b""


async def test_so_has_one_that_ends_it_under_a_streamed_reply(listen, connect):
    cancelled = asyncio.Event()

    async def work(exchange):
        exchange.start(200, [])
        await exchange.write(b"x")
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    client = await connect(await listen(lambda exchange: exchange.spawn(work(exchange))))
    await client.send(GET)
    await client.head()
    client.writer.write_eof()
    async with asyncio.timeout(20):
        await cancelled.wait()


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_client_that_goes_is_told_of_though_it_is_not_read(held, how):
    """So many requests wait behind the first that the socket is left alone."""
    client, exchange = await held(GET * 5_000)
    connection = exchange._connection
    while not connection._paused:
        await asyncio.sleep(0)
    if how == "reset":
        client.break_off()
    else:
        await client.close()
    async with asyncio.timeout(20):
        assert await held.gone.get() is exchange


async def test_a_client_that_waits_while_it_is_not_read_is_left_alone(held, text):
    client, exchange = await held(GET * 5_000)
    connection = exchange._connection
    while not connection._paused:
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    assert held.gone.empty()
    text(exchange, 200, b"x")
    assert (await final(client)).body == b"x"
    client.reset()


async def test_it_is_looked_after_only_while_it_is_not_read(dial):
    go = asyncio.Event()

    async def work(exchange):
        exchanges.append(exchange)
        await go.wait()
        total = 0
        async for part in exchange.chunks():
            total += len(part)
        exchange.respond(200, [], b"%d" % total)

    exchanges = []
    client = await dial(lambda exchange: exchange.spawn(work(exchange)))
    client.writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n")
    client.writer.write(bytes(200_000))
    while not exchanges or not exchanges[0]._connection._paused:
        await asyncio.sleep(0)
    connection = exchanges[0]._connection
    assert connection._watch is not None
    go.set()
    assert (await client.reply()).body == b"200000"
    assert connection._watch is None


async def test_a_large_body_that_ends_with_the_sending_is_read_whole(dial):
    go = asyncio.Event()

    async def work(exchange):
        await go.wait()
        total = 0
        async for part in exchange.chunks():
            total += len(part)
        exchange.respond(200, [], b"%d" % total)

    exchanges = []

    def handler(exchange):
        exchanges.append(exchange)
        exchange.spawn(work(exchange))

    client = await dial(handler)
    client.writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 600000\r\n\r\n")
    client.writer.write(bytes(600_000))
    client.writer.write_eof()
    while not exchanges or not exchanges[0]._connection._paused:
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)  # it has been looked after by now
    go.set()
    assert (await final(client)).body == b"600000"


async def test_over_tls_the_end_of_sending_is_the_end(listen, connect, tls_files):
    waiting, gone = asyncio.Queue(), asyncio.Event()

    def handler(exchange):
        exchange.on_gone(gone.set)
        waiting.put_nowait(exchange)

    listener = await listen(handler, tls=tls_files.server)
    client = await connect(listener, ssl=tls_files.trusting)
    await client.send(GET)
    await waiting.get()
    await client.close()
    async with asyncio.timeout(20):
        await gone.wait()
