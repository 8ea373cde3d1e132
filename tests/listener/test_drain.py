"""An orderly end: nothing is lost in time, nothing hangs after it."""

import asyncio

import pytest

from gateway.http.exchange import DRAINING

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
async def held(listen):
    """A listener whose requests wait in a queue."""
    waiting = asyncio.Queue()
    listener = await listen(waiting.put_nowait)
    return listener, waiting


async def test_idle_connections_are_closed(listen, connect, echo):
    listener = await listen(echo)
    used, fresh = await connect(listener), await connect(listener)
    assert (await used.get()).status == 200
    assert await listener.drain(20) == 0
    assert await used.rest() == b""
    assert await fresh.rest() == b""


async def test_nobody_new_is_let_in(listen, connect, echo):
    listener = await listen(echo)
    await listener.drain(1)
    with pytest.raises(ConnectionRefusedError):
        await connect(listener)


async def test_a_running_request_is_answered_and_told_to_close(held, connect, text):
    listener, waiting = held
    client = await connect(listener)
    await client.send(GET + GET)
    exchange = await waiting.get()
    draining = asyncio.create_task(listener.drain(20))
    await asyncio.sleep(0)
    text(exchange, 200, b"done")
    reply = await client.reply()
    assert (reply.body, reply.header("connection")) == (b"done", "close")
    # The pipelined one is not begun.
    assert await client.rest() == b""
    assert waiting.empty()
    assert await draining == 0


async def test_a_request_whose_head_is_on_its_way_is_answered(listen, connect, echo):
    listener = await listen(echo)
    client = await connect(listener)
    await client.send(GET[:10])
    (connection,) = listener._service.connections
    while not connection._received:
        await asyncio.sleep(0)
    draining = asyncio.create_task(listener.drain(20))
    await asyncio.sleep(0)
    await client.send(GET[10:])
    assert (await client.reply()).status == 200
    assert await draining == 0


async def test_a_running_stream_ends_by_itself_in_time(listen, connect):
    go, begun = asyncio.Event(), asyncio.Event()

    async def work(exchange):
        exchange.start(200, [])
        begun.set()
        await go.wait()
        await exchange.write(b"all")
        await exchange.finish()

    listener = await listen(lambda exchange: exchange.spawn(work(exchange)))
    client = await connect(listener)
    await client.send(GET)
    await begun.wait()
    draining = asyncio.create_task(listener.drain(20))
    await asyncio.sleep(0)
    go.set()
    reply = await client.reply()
    assert (reply.body, reply.complete) == (b"all", True)
    assert await client.rest() == b""
    assert await draining == 0


async def test_a_stream_that_goes_on_is_cancelled_and_may_say_so(listen, connect):
    told = asyncio.Queue()

    async def work(exchange):
        exchange.start(200, [])
        told.put_nowait("begun")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            told.put_nowait(error.args[0])
            await exchange.write(b"going away")
            await exchange.finish()

    listener = await listen(lambda exchange: exchange.spawn(work(exchange)))
    client = await connect(listener)
    await client.send(GET)
    await told.get()
    assert await listener.drain(0.05) == 1
    assert await told.get() == DRAINING
    reply = await client.reply()
    assert (reply.body, reply.complete) == (b"going away", True)


async def test_what_does_not_end_is_told_to_and_answered_503(held, connect):
    listener, waiting = held
    clients = [await connect(listener) for _ in range(2)]
    gone = []
    for client in clients:
        await client.send(GET)
        (await waiting.get()).on_gone(lambda: gone.append(True))
    assert await listener.drain(0.05) == 2
    assert gone == [True, True]
    assert listener.connections == 0
    for client in clients:
        reply = await client.reply()
        assert reply.status == 503
        assert b"DRAINING" in reply.body


async def test_a_task_without_a_head_answers_503(listen, connect):
    async def work():
        await asyncio.Event().wait()

    listener = await listen(lambda exchange: exchange.spawn(work()))
    client = await connect(listener)
    await client.send(GET)
    while not listener._service.tasks:
        await asyncio.sleep(0)
    assert await listener.drain(0.05) == 1
    assert (await client.reply()).reason == "DRAINING"


async def test_a_task_that_ignores_it_is_named(listen, connect, caplog):
    release, begun = asyncio.Event(), asyncio.Event()

    async def deaf():
        begun.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    listener = await listen(lambda exchange: exchange.spawn(deaf()))
    client = await connect(listener)
    await client.send(GET)
    await begun.wait()
    assert await listener.drain(0) == 1
    assert "does not end when it is cancelled" in caplog.text
    release.set()


async def test_a_client_that_reads_nothing_does_not_hold_it_up(listen, connect):
    listener = await listen(lambda exchange: exchange.respond(200, [], bytes(50_000_000)))
    client = await connect(listener, limit=1024)
    await client.send(GET)
    await client.head()
    assert await listener.drain(0.05) == 1
    assert listener.connections == 0


async def test_a_client_that_sends_half_a_head_does_not_hold_it_up(listen, connect, echo):
    listener = await listen(echo)
    client = await connect(listener)
    await client.send(GET[:10])
    while not listener.connections:
        await asyncio.sleep(0)
    await listener.drain(0.05)
    assert listener.connections == 0


async def test_draining_twice_is_harmless(listen, echo):
    listener = await listen(echo)
    assert await listener.drain(1) == 0
    assert await listener.drain(1) == 0


async def test_who_is_sent_elsewhere_may_come_back_and_is_served(listen, connect, echo):
    listener = await listen(echo)
    idle = await connect(listener)
    assert (await idle.get()).status == 200
    listener.retire()
    assert await idle.rest() == b""
    late = await connect(listener)
    assert (await late.get()).header("connection") == "close"
    listener.take_again()
    stays = await connect(listener)
    assert (await stays.get()).header("connection") is None
    assert (await stays.get()).status == 200
    await listener.drain(20)
