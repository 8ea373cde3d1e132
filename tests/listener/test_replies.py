"""Replies through real sockets: whole ones, streamed ones, and what becomes of bugs."""

import asyncio
import gc
import logging
import weakref

import pytest


@pytest.fixture
def bugs(caplog):
    """What the listener logged, which must be looked at."""
    caplog.set_level(logging.ERROR, "gateway.listener")

    def take():
        found = [record.getMessage() for record in caplog.records]
        assert all(record.name == "gateway.listener" for record in caplog.records)
        return found

    return take


async def test_a_whole_reply(dial, text):
    client = await dial(lambda exchange: text(exchange, 201, b"hello"))
    reply = await client.get()
    assert (reply.status, reply.body, reply.version) == (201, b"hello", "HTTP/1.1")
    assert dict(reply.headers).keys() == {"server", "content-type", "content-length", "date"}
    assert reply.header("server") == "gateway"


async def test_an_answer_may_come_later_and_from_anywhere(dial, text):
    def handler(exchange):
        asyncio.get_running_loop().call_soon(text, exchange, 200, b"later")

    client = await dial(handler)
    assert (await client.get()).body == b"later"
    assert (await client.get()).body == b"later"


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_a_body(dial, text, status):
    client = await dial(lambda exchange: text(exchange, status, b""))
    for _ in range(2):
        reply = await client.get()
        assert reply.status == status
        assert reply.header("transfer-encoding") is None
        assert reply.header("content-length") is None


async def test_head_has_the_headers_of_get_and_no_body(dial, text):
    client = await dial(lambda exchange: text(exchange, 200, b"hello"))
    for _ in range(2):
        await client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        reply = await client.reply("HEAD")
        assert reply.header("content-length") == "5"


async def test_the_listener_s_headers_are_its_own(dial):
    headers = [
        ("Content-Length", "999"),
        ("Transfer-Encoding", "gzip"),
        ("Connection", "upgrade"),
        ("Server", "other"),
        ("X-A", "1"),
        ("X-A", "2"),
    ]
    client = await dial(lambda exchange: exchange.respond(200, headers, b"hello"))
    reply = await client.get()
    assert reply.body == b"hello"
    assert reply.header("connection") is None
    assert reply.header("server") == "gateway"
    assert [value for name, value in reply.headers if name == "x-a"] == ["1", "2"]


async def test_bytes_beyond_ascii_in_a_header(listen, connect):
    latin = "grün".encode().decode("latin-1")
    client = await connect(
        await listen(lambda exchange: exchange.respond(200, [("X-A", latin)], b""))
    )
    assert (await client.get()).header("x-a") == latin


def streamed(*parts, status=200):
    async def work(exchange):
        exchange.start(status, [("Content-Type", "text/plain")])
        for part in parts:
            await exchange.write(part)
        await exchange.finish()

    return lambda exchange: exchange.spawn(work(exchange))


async def test_a_streamed_reply_is_chunked(dial):
    client = await dial(streamed(b"one", b"", b"two"))
    for _ in range(2):
        reply = await client.get()
        assert reply.header("transfer-encoding") == "chunked"
        assert (reply.body, reply.complete) == (b"onetwo", True)


async def test_a_streamed_reply_without_a_part(dial):
    client = await dial(streamed())
    for _ in range(2):
        reply = await client.get()
        assert (reply.body, reply.complete) == (b"", True)


async def test_a_streamed_reply_ends_with_the_connection_on_1_0(dial):
    client = await dial(streamed(b"one", b"two"))
    await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    reply = await client.reply()
    assert reply.header("transfer-encoding") is None
    assert (reply.body, reply.complete) == (b"onetwo", True)


@pytest.mark.parametrize("status", [204, 304])
async def test_a_streamed_reply_of_a_status_without_a_body(dial, status):
    client = await dial(streamed(b"no", status=status))
    for _ in range(2):
        assert (await client.get()).header("transfer-encoding") is None


async def test_a_streamed_reply_to_head(dial):
    client = await dial(streamed(b"one"))
    for _ in range(2):
        await client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.reply("HEAD")).status == 200


async def test_head_and_parts_leave_at_once(dial):
    go = asyncio.Event()

    async def work(exchange):
        exchange.start(200, [])
        for part in (b"one", b"two"):
            await go.wait()
            go.clear()
            await exchange.write(part)
        await exchange.finish()

    client = await dial(lambda exchange: exchange.spawn(work(exchange)))
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.head()
    go.set()
    assert await client.reader.readexactly(8) == b"3\r\none\r\n"
    go.set()
    assert await client.reader.readexactly(8 + 5) == b"3\r\ntwo\r\n0\r\n\r\n"


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_an_aborted_reply_does_not_pass_for_whole(dial, version):
    async def work(exchange):
        exchange.start(200, [])
        await exchange.write(b"half")
        await asked.wait()
        exchange.abort()

    asked = asyncio.Event()
    client = await dial(lambda exchange: exchange.spawn(work(exchange)))
    await client.send(b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n")
    await client.head()
    asked.set()
    if version == b"1.0":
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
    else:
        assert not (await client.rest()).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("where", ["handler", "collected", "later task"])
async def test_a_bug_is_500_and_logged(dial, bugs, where):
    def fails(*_):
        raise LookupError("a secret")

    async def work():
        fails()

    def handler(exchange):
        if exchange.request.path == "/fine":
            exchange.respond(200, [], b"")
        elif where == "handler":
            fails()
        elif where == "collected":
            exchange.collect(100, fails, fails)
        else:
            exchange.spawn(work())

    client = await dial(handler)
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
    await asyncio.sleep(0.01)
    await client.send(b"x")
    reply = await client.reply()
    assert (reply.status, reply.reason) == (500, "INTERNAL")
    assert b"secret" not in reply.body
    assert len(bugs()) == 1


async def test_a_task_that_ends_without_an_answer_is_500_and_logged(dial, bugs):
    async def work():
        return

    client = await dial(lambda exchange: exchange.spawn(work()))
    assert (await client.get()).reason == "INTERNAL"
    assert bugs() == ["a request's task ended without an answer"]
    assert (await client.get()).status == 500  # the connection lives on


@pytest.mark.parametrize("raises", [True, False])
async def test_a_task_that_stops_half_way_aborts(dial, bugs, raises):
    async def work(exchange):
        exchange.start(200, [])
        await exchange.write(b"half")
        if raises:
            raise LookupError

    client = await dial(lambda exchange: exchange.spawn(work(exchange)))
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert not (await client.rest()).endswith(b"0\r\n\r\n")
    assert len(bugs()) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("X-A", "a\r\nb"), ("X-A", "\0"), ("X A", "a"), ("", "a"), ("X", "€")]
)
async def test_a_header_that_cannot_be_sent_is_a_bug(dial, bugs, name, value):
    def handler(exchange):
        asyncio.get_running_loop().call_soon(exchange.respond, 200, [(name, value)], b"")

    client = await dial(handler)
    assert (await client.get()).reason == "INTERNAL"
    assert len(bugs()) == 1


@pytest.mark.parametrize("status", [0, 99, 100, 101, 199, 600])
@pytest.mark.parametrize("form", ["whole", "streamed"])
async def test_a_status_that_cannot_be_sent_is_a_bug(dial, bugs, status, form):
    def handler(exchange):
        getattr(exchange, "respond" if form == "whole" else "start")(
            status, [], *([b""] if form == "whole" else [])
        )

    client = await dial(handler)
    assert (await client.get()).reason == "INTERNAL"
    assert len(bugs()) == 1


async def test_two_answers_are_a_bug(dial, text, bugs):
    def handler(exchange):
        text(exchange, 200, b"first")
        text(exchange, 200, b"second")

    client = await dial(handler)
    assert (await client.get()).body == b"first"
    assert bugs() == ["a handler failed"]


async def test_a_client_that_goes_is_told_of_once(listen, connect, text):
    got, gone = asyncio.Queue(), []

    def handler(exchange):
        exchange.on_gone(lambda: gone.append("first"))
        exchange.on_gone(lambda: gone.append("second"))
        got.put_nowait(exchange)

    listener = await listen(handler)
    client = await connect(listener)
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    exchange = await got.get()
    await client.close()
    while listener.connections:
        await asyncio.sleep(0)
    assert gone == ["first", "second"]
    text(exchange, 200, b"nobody hears this")
    exchange.on_gone(lambda: gone.append("late"))
    assert gone[-1] == "late"


async def test_nothing_is_kept_of_a_client_that_went(listen, connect):
    got = asyncio.Queue()
    listener = await listen(got.put_nowait)
    client = await connect(listener)
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    exchange = weakref.ref(await got.get())
    (connection,) = map(weakref.ref, listener._service.connections)
    client.reset()
    async with asyncio.timeout(20):
        # No timer may hold them; the loop lets go of a transport some turns after its end.
        while connection() is not None or exchange() is not None:
            gc.collect()
            await asyncio.sleep(0)


async def test_a_client_that_goes_as_its_reply_begins_is_no_bug(dial, bugs, text):
    def handler(exchange):
        exchange.abort()
        text(exchange, 200, b"nobody hears this")

    client = await dial(handler)
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert await client.rest() == b""
    assert bugs() == []


async def test_a_client_that_goes_after_its_answer_is_not_told_of(listen, connect, text):
    gone = []

    def handler(exchange):
        exchange.on_gone(lambda: gone.append(exchange))
        text(exchange, 200, b"")

    listener = await listen(handler)
    client = await connect(listener)
    await client.get()
    await client.close()
    while listener.connections:
        await asyncio.sleep(0)
    assert not gone


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("doing", ["waiting", "reading", "writing"])
async def test_a_client_that_goes_cancels_the_task(listen, connect, bugs, how, doing):
    begun, ended = asyncio.Event(), asyncio.Queue()

    async def work(exchange):
        try:
            if doing == "reading":
                async for _ in exchange.chunks():
                    begun.set()
            exchange.start(200, [])
            await exchange.write(b"x")
            begun.set()
            while doing == "writing":
                await exchange.write(b"x" * 100_000)
            await asyncio.Event().wait()
        finally:
            ended.put_nowait(asyncio.current_task().cancelling())

    listener = await listen(lambda exchange: exchange.spawn(work(exchange)))
    client = await connect(listener)
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
    await begun.wait()
    if how == "reset":
        client.reset()
    else:
        client.writer.close()
    async with asyncio.timeout(20):
        await ended.get()
        while listener._service.tasks:
            await asyncio.sleep(0)
    assert not bugs()


async def test_a_slow_reader_slows_the_writer(listen, connect):
    written, waiting = 0, asyncio.Event()
    part = b"x" * 65_536

    async def work(exchange):
        nonlocal written
        exchange.start(200, [])
        loop = asyncio.get_running_loop()
        while written < 100_000_000:
            stuck = loop.call_later(0.2, waiting.set)
            await exchange.write(part)
            stuck.cancel()
            written += len(part)
        await exchange.finish()

    client = await connect(
        await listen(lambda exchange: exchange.spawn(work(exchange))), limit=1024
    )
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.head()
    await waiting.wait()
    # What the two kernels' buffers take, and our own of 64 KiB.
    assert written < 20_000_000
    held = written
    async with asyncio.timeout(20):
        while written == held:
            await client.reader.read(65_536)
