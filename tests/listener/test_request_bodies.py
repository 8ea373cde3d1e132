"""Request bodies through real sockets: read whole, and read as they come."""

import asyncio
import gzip
import json
import socket

import pytest

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"


def sized(length, *fields):
    return (
        POST
        + b"Content-Length: %d\r\n" % length
        + b"".join(field + b"\r\n" for field in fields)
        + b"\r\n"
    )


def whole(limit):
    """Answers with what `collect` gave."""

    def handler(exchange):
        exchange.collect(
            limit,
            lambda body: exchange.respond(200, [], body),
            lambda error: exchange.respond(400, [], f"{error.fault.name} {error.limit}".encode()),
        )

    return handler


def echoing(exchange):
    """Streams back what comes; a fault ends the reply in its own words."""

    async def work():
        exchange.start(200, [])
        try:
            async for part in exchange.chunks():
                assert part
                await exchange.write(part)
        except Exception as error:  # noqa: BLE001  whatever it is, the test sees it
            await exchange.write(f" {error.fault.name} {error.limit}".encode())
        await exchange.finish()

    exchange.spawn(work())


@pytest.mark.parametrize("handler", [whole(100), echoing], ids=["collect", "chunks"])
@pytest.mark.parametrize(
    ("sent", "body"),
    [
        pytest.param(POST + b"\r\n", b"", id="none"),
        pytest.param(sized(0), b"", id="length 0"),
        pytest.param(sized(5) + b"hello", b"hello", id="length"),
        pytest.param(CHUNKED + b"\r\n0\r\n\r\n", b"", id="no chunks"),
        pytest.param(
            CHUNKED + b"\r\n5;x\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n", b"hello!", id="chunks"
        ),
    ],
)
async def test_a_body_that_came_with_its_head(dial, handler, sent, body):
    client = await dial(handler)
    for _ in range(2):
        await client.send(sent)
        assert (await client.reply()).body == body


@pytest.mark.parametrize("handler", [whole(100), echoing], ids=["collect", "chunks"])
@pytest.mark.parametrize("head", [sized(5), CHUNKED + b"\r\n"], ids=["sized", "chunked"])
async def test_a_body_that_comes_later(dial, handler, head):
    client = await dial(handler)
    await client.send(head)
    body = b"hello" if head == sized(5) else b"5\r\nhello\r\n0\r\n\r\n"
    for at in range(len(body)):
        await asyncio.sleep(0.001)
        await client.send(body[at : at + 1])
    assert (await client.reply()).body == b"hello"
    assert (await client.get()).status == 200


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param(sized(11), b"TOO_LARGE 10", id="by Content-Length, before a byte of it"),
        pytest.param(sized(11) + b"x" * 11, b"TOO_LARGE 10", id="by Content-Length, all there"),
        pytest.param(
            CHUNKED + b"\r\nb\r\n" + b"x" * 11, b"TOO_LARGE 10", id="in chunks, before their end"
        ),
        pytest.param(
            CHUNKED + b"\r\nb\r\n" + b"x" * 11 + b"\r\n0\r\n\r\n",
            b"TOO_LARGE 10",
            id="in chunks, all there",
        ),
        pytest.param(CHUNKED + b"\r\nxyz\r\n", b"INCOMPLETE None", id="a bad chunk size"),
        pytest.param(
            CHUNKED + b"\r\n1\r\nabc\r\n0\r\n\r\n", b"INCOMPLETE None", id="a chunk without an end"
        ),
        pytest.param(sized(3, b"Content-Encoding: gzip") + b"abc", b"ENCODING None", id="gzip"),
        pytest.param(
            sized(3, b"Content-Encoding: x") + b"abc", b"ENCODING None", id="an unknown coding"
        ),
        pytest.param(
            sized(3, b"Content-Encoding: identity, GZIP") + b"abc",
            b"ENCODING None",
            id="a list of codings",
        ),
    ],
)
async def test_bodies_that_cannot_be_had(dial, sent, told):
    client = await dial(whole(10))
    await client.send(sent)
    assert (await client.reply()).body == told


async def test_a_body_of_just_the_limit_is_had(dial):
    client = await dial(whole(10))
    await client.send(sized(10) + b"x" * 10)
    assert (await client.reply()).status == 200
    await client.send(sized(3, b"Content-Encoding: Identity") + b"abc")
    assert (await client.reply()).body == b"abc"


async def test_a_coding_without_a_body_is_nothing(dial):
    client = await dial(whole(10))
    assert (await client.get("/", "Content-Encoding: gzip")).status == 200


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param(sized(101), b" TOO_LARGE 100", id="by Content-Length"),
        pytest.param(
            CHUNKED + b"\r\n5\r\nhello\r\nz\r\n", b"INCOMPLETE None", id="a bad chunk size"
        ),
        pytest.param(sized(3, b"Content-Encoding: br") + b"abc", b" ENCODING None", id="a coding"),
    ],
)
async def test_streams_that_cannot_be_had(dial, sent, told):
    client = await dial(echoing, stream_size=100)
    await client.send(sent)
    reply = await client.reply()
    assert reply.body.endswith(told)
    assert reply.complete


async def test_a_stream_may_be_too_large_in_the_end(dial):
    client = await dial(echoing, stream_size=100)
    await client.send(CHUNKED + b"\r\n32\r\n" + b"x" * 50 + b"\r\n")
    await client.head()
    await client.send(b"33\r\n" + b"x" * 51 + b"\r\n")
    assert b" TOO_LARGE 100" in await client.rest()


async def test_a_bomb_is_not_unpacked(dial):
    bomb = gzip.compress(bytes(50_000_000))
    client = await dial(whole(1_000_000))
    await client.send(sized(len(bomb), b"Content-Encoding: gzip") + bomb)
    assert (await client.reply()).body == b"ENCODING None"


async def test_a_wait_for_the_next_byte_times_out(dial):
    client = await dial(whole(100), body_timeout=0.05)
    await client.send(sized(5) + b"hel")
    assert (await client.reply()).body == b"TIMEOUT 0.05"
    assert await client.rest() == b""


async def test_continue_is_sent_when_the_body_is_asked_for(dial):
    asked = asyncio.Event()

    async def work(exchange):
        await asked.wait()
        parts = [part async for part in exchange.chunks()]
        exchange.respond(200, [], b"".join(parts))

    client = await dial(lambda exchange: exchange.spawn(work(exchange)))
    await client.send(sized(5, b"Expect: 100-continue"))
    await asyncio.sleep(0.01)
    assert not client.reader._buffer
    asked.set()
    assert (await client.reply()).status == 100
    await client.send(b"hello")
    assert (await client.reply()).body == b"hello"


async def test_continue_is_sent_for_a_body_read_whole(dial):
    client = await dial(whole(10))
    await client.send(sized(5, b"Expect: 100-continue"))
    assert (await client.reply()).status == 100
    await client.send(b"hello")
    assert (await client.reply()).body == b"hello"


async def test_continue_is_not_sent_for_a_body_that_is_there(dial):
    client = await dial(whole(10))
    await client.send(sized(5, b"Expect: 100-continue") + b"hello")
    assert (await client.reply()).status == 200


async def test_continue_is_not_sent_for_a_body_that_is_refused(dial):
    client = await dial(whole(10))
    await client.send(sized(11, b"Expect: 100-continue"))
    reply = await client.reply()
    assert (reply.status, reply.header("connection")) == (400, "close")
    assert await client.rest() == b""


@pytest.mark.parametrize(
    "head", [sized(50_000_000), CHUNKED + b"\r\n2faf080\r\n"], ids=["sized", "chunked"]
)
async def test_an_early_answer_reaches_a_client_that_is_still_sending(dial, text, head):
    client = await dial(lambda exchange: text(exchange, 403, b"no"))
    await client.send(head)
    # Read only after all of this is sent: a reset would have thrown the reply away.
    await client.send(b"x" * 3_000_000)
    reply = await client.reply()
    assert (reply.status, reply.header("connection")) == (403, "close")
    assert await client.rest() == b""


async def test_who_sends_on_after_an_early_answer_is_cut(dial, text):
    client = await dial(lambda exchange: text(exchange, 403, b"no"))
    await client.send(sized(50_000_000))
    with pytest.raises(ConnectionError):
        for _ in range(100):
            await client.send(b"x" * 500_000)
            await asyncio.sleep(0)
        await client.rest()
        await client.send(b"x" * 500_000)
        await client.send(b"x" * 500_000)


async def test_an_answer_before_the_body_is_there_ends_the_reading(dial, text):
    told = []

    def handler(exchange):
        exchange.collect(100, told.append, told.append)
        asyncio.get_running_loop().call_later(0.01, text, exchange, 504, b"too late")

    client = await dial(handler)
    await client.send(sized(5) + b"hel")
    assert (await client.reply()).status == 504
    assert not told


async def test_a_client_that_goes_half_way_fails_the_reading(listen, connect):
    told, asked = asyncio.Queue(), asyncio.Event()

    def handler(exchange):
        exchange.collect(100, told.put_nowait, told.put_nowait)
        asked.set()

    client = await connect(await listen(handler))
    await client.send(sized(5) + b"hel")
    await asked.wait()
    await client.close()
    async with asyncio.timeout(20):
        assert (await told.get()).fault.name == "INCOMPLETE"
    assert told.empty()


async def test_what_is_not_asked_for_stays_with_the_client(listen, connect):
    """A front that does not read holds back the client, whose own buffers fill."""
    go = asyncio.Event()

    async def work(exchange):
        await go.wait()
        total = 0
        async for part in exchange.chunks():
            total += len(part)
        exchange.respond(200, [], json.dumps(total).encode())

    listener = await listen(lambda exchange: exchange.spawn(work(exchange)))
    client = await connect(listener)
    client.writer.write(sized(60_000_000) + bytes(60_000_000))
    (connection,) = listener._service.connections
    while not connection._paused:
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(connection._received) < 600_000
    assert client.writer.transport.get_write_buffer_size() > 30_000_000
    go.set()
    assert (await client.reply()).body == b"60000000"


@pytest.mark.parametrize("size", [10, 80_000, 400_000])
async def test_a_body_nobody_asked_for_does_not_become_the_next_request(dial, text, size):
    client = await dial(lambda exchange: text(exchange, 200, exchange.request.method.encode()))
    await client.send(sized(size) + b"\r\n" * (size // 2))
    reply = await client.reply()
    assert reply.body == b"POST"
    if reply.header("connection") == "close":
        assert await client.rest() == b""
    else:
        assert (await client.get()).body == b"GET"


async def test_a_large_body_takes_turns_with_others(listen):
    """However much of it is there: uvloop would read on, and each tiny chunk costs time."""
    begun, ended = asyncio.Event(), asyncio.Event()

    def handler(exchange):
        begun.set()
        exchange.collect(4_000_000, lambda _: ended.set(), pytest.fail)

    body = b"1\r\nx\r\n" * 500_000 + b"0\r\n\r\n"
    listener = await listen(handler)
    with socket.create_connection(
        ("127.0.0.1", int(listener.urls[0].rpartition(":")[2]))
    ) as client:
        sending = asyncio.create_task(asyncio.to_thread(client.sendall, CHUNKED + b"\r\n" + body))
        await begun.wait()
        turns = 0
        while not ended.is_set():
            await asyncio.sleep(0)
            turns += 1
        await sending
    assert turns >= len(body) // (256 * 1024)
