"""Packed replies through real sockets: whole, kept, beside the loop, and as they come."""

import asyncio
import threading
import time
import zlib

import brotli
import pytest

from gateway.kept import KeptBody
from gateway.listener import codings
from gateway.telemetry.records import Records

JSON = [("Content-Type", "application/json")]
BODY = b'{"name": "Lamp", "price": 12},' * 100
LARGE = BODY * 100
GZIP = "Accept-Encoding: gzip"


def unpack(reply):
    match reply.header("content-encoding"):
        case "gzip":
            return zlib.decompress(reply.body, wbits=31)
        case "br":
            return brotli.decompress(reply.body)
        case None:
            return reply.body


@pytest.fixture
def packing(listen, connect):
    """Opens a listener that packs, and returns a connection to it."""

    async def open_both(handler, *, offered=("br", "gzip"), **limits):
        listener = await listen(handler, **limits)
        listener.offer(offered, None)
        client = await connect(listener)
        client.listener = listener
        return client

    return open_both


def whole(body=BODY, headers=JSON, status=200, kept=None):
    return lambda exchange: exchange.respond(status, headers, body, kept)


class Forms(dict):
    keep = dict.__setitem__


@pytest.mark.parametrize("body", [BODY, LARGE], ids=["in-the-loop", "beside-it"])
@pytest.mark.parametrize("accepted", ["gzip", "br", "gzip, deflate, br"])
async def test_a_whole_reply(packing, accepted, body):
    client = await packing(whole(body))
    for _ in range(2):
        reply = await client.get("/", f"Accept-Encoding: {accepted}")
        assert reply.header("content-encoding") == accepted.rpartition(" ")[2]
        assert int(reply.header("content-length")) == len(reply.body) < len(body) / 4
        assert reply.header("vary") == "accept-encoding"
        assert unpack(reply) == body


async def test_who_does_not_ask_gets_it_plain(packing):
    client = await packing(whole())
    reply = await client.get()
    assert reply.body == BODY
    assert reply.header("vary") == "accept-encoding"
    client.listener.offer((), None)
    reply = await client.get("/", GZIP)
    assert (reply.body, reply.header("vary")) == (BODY, None)


async def test_what_does_not_get_smaller_is_sent_as_it_is(packing):
    noise = bytes((n * n * 2654435761 >> 13) % 256 for n in range(2000))
    client = await packing(whole(noise, [("content-type", "text/plain"), ("etag", '"1"')]))
    reply = await client.get("/", GZIP)
    assert (reply.body, reply.header("etag")) == (noise, '"1"')
    assert reply.header("content-encoding") is None


@pytest.mark.parametrize("body", [BODY, LARGE], ids=["small", "large"])
async def test_head_tells_what_get_would(packing, body):
    client = await packing(whole(body, [*JSON, ("etag", '"1"')]))
    got = await client.get("/", GZIP)
    await client.send(f"HEAD / HTTP/1.1\r\nHost: a\r\n{GZIP}\r\n\r\n".encode())
    head = await client.reply("HEAD")
    left = {"content-length", "date"}
    assert {k: v for k, v in head.headers if k not in left} == {
        k: v for k, v in got.headers if k not in left
    }
    assert head.header("content-length") is None, "nobody packs what is not sent"
    assert unpack(await client.get("/", GZIP)) == body


async def test_a_tag_comes_back(packing):
    seen = []

    def handler(exchange):
        seen.append(exchange.request.headers.get("if-none-match"))
        if seen[-1] == '"1"':
            exchange.respond(304, [("etag", '"1"')], b"")
        else:
            exchange.respond(200, [*JSON, ("etag", '"1"')], BODY)

    client = await packing(handler)
    tag = (await client.get("/", GZIP)).header("etag")
    assert tag == '"1;gzip"'
    again = await client.get("/", GZIP, f"If-None-Match: {tag}")
    assert (again.status, again.header("etag"), again.header("vary")) == (
        304,
        tag,
        "accept-encoding",
    )
    assert seen == [None, '"1"']


async def test_a_kept_reply_is_packed_once(packing, monkeypatch):
    packed = []
    real = codings._to_gzip
    monkeypatch.setitem(
        codings._PACKS, "gzip", lambda: lambda body: packed.append(body) or real(body)
    )
    forms = Forms()
    client = await packing(whole(kept=KeptBody(forms, "json")))
    replies = [await client.get("/", GZIP) for _ in range(3)]
    assert [unpack(reply) for reply in replies] == [BODY] * 3
    assert packed == [BODY]
    assert list(forms) == [("gzip", "json")]
    await client.send(f"HEAD / HTTP/1.1\r\nHost: a\r\n{GZIP}\r\n\r\n".encode())
    head = await client.reply("HEAD")
    assert head.header("content-length") == replies[0].header("content-length")


async def test_the_loop_goes_on_while_much_is_packed(packing, monkeypatch):
    go_on, names = threading.Event(), []

    def slow(body):
        names.append(threading.current_thread().name)
        assert go_on.wait(10)
        return b"packed"

    monkeypatch.setitem(codings._PACKS, "gzip", lambda: slow)
    client = await packing(
        lambda exchange: exchange.respond(
            200, JSON, LARGE if exchange.request.path == "/large" else b"{}"
        )
    )
    async with asyncio.timeout(10):
        first = asyncio.ensure_future(client.get("/large", GZIP))
        while not names:
            await asyncio.sleep(0.001)
        host, port = client.listener.urls[0].removeprefix("http://").rsplit(":", 1)
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"{}"), "others are answered"
        assert not first.done()
        go_on.set()
        assert (await first).body == b"packed"
        writer.close()
    assert names == ["gateway-offload_0"]


async def test_a_client_that_leaves_while_its_reply_is_packed(packing, monkeypatch, caplog):
    go_on, begun = threading.Event(), threading.Event()

    def slow(body):
        begun.set()
        assert go_on.wait(10)
        return b"packed"

    monkeypatch.setitem(codings._PACKS, "gzip", lambda: slow)
    client = await packing(whole(LARGE))
    await client.send(f"GET / HTTP/1.1\r\nHost: a\r\n{GZIP}\r\n\r\n".encode())
    await asyncio.to_thread(begun.wait, 10)
    client.break_off()
    async with asyncio.timeout(10):
        while client.listener.connections:
            await asyncio.sleep(0.001)
        go_on.set()
        while client.listener._service.offload._waiting:
            await asyncio.sleep(0.001)
    assert not caplog.records


async def test_pipelined_replies_keep_their_order(packing):
    client = await packing(
        lambda exchange: exchange.respond(
            200, JSON, LARGE if exchange.request.path == "/1" else BODY
        )
    )
    await client.send(
        b"".join(f"GET /{n} HTTP/1.1\r\nHost: a\r\n{GZIP}\r\n\r\n".encode() for n in range(3))
    )
    bodies = [unpack(await client.reply()) for _ in range(3)]
    assert bodies == [BODY, LARGE, BODY]


class Held:
    """A packer that waits until it may go on."""

    def __init__(self, monkeypatch):
        self.go_on, self.begun = threading.Event(), threading.Event()
        monkeypatch.setitem(codings._PACKS, "gzip", lambda: self._pack)

    def _pack(self, body):
        self.begun.set()
        assert self.go_on.wait(10)
        return b"packed"


@pytest.fixture
def held(monkeypatch):
    return Held(monkeypatch)


async def test_a_slow_reader_does_not_get_the_next_reply_before_the_one_that_is_packed(
    packing, held
):
    picture = b"i" * 40_000_000  # more than sockets hold
    replies = {
        "/picture": (picture, [("content-type", "image/png")]),
        "/large": (LARGE, JSON),
        "/small": (b"{}", JSON),
    }
    client = await packing(lambda exchange: whole(*replies[exchange.request.path])(exchange))
    paths = ("/small", "/picture", "/large", "/small")
    await client.send(
        b"".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n{GZIP}\r\n\r\n".encode() for path in paths)
    )
    await asyncio.to_thread(held.begun.wait, 10)
    assert (await client.reply()).body == b"{}"
    assert (await client.reply()).body == picture
    (connection,) = client.listener._service.connections
    async with asyncio.timeout(10):
        while connection.full:
            await asyncio.sleep(0.001)
    held.go_on.set()
    assert [(await client.reply()).body for _ in range(2)] == [b"packed", b"{}"]


async def test_a_reply_that_is_packed_as_the_listener_retires_says_that_it_is_the_last(
    packing, held
):
    client = await packing(whole(LARGE))
    await client.send(f"GET / HTTP/1.1\r\nHost: a\r\n{GZIP}\r\n\r\n".encode())
    await asyncio.to_thread(held.begun.wait, 10)
    client.listener.retire()
    held.go_on.set()
    reply = await client.reply()
    assert (reply.body, reply.header("connection")) == (b"packed", "close")
    assert await client.rest() == b""


@pytest.fixture
def noted():
    """Has a listener note requests, and returns the list of what it notes."""

    def observe(listener):
        made, records = [], Records([], clock=time.monotonic)
        listener.observe(lambda request: made.append(records.begin(request)) or made[-1])
        return made

    return observe


async def test_who_leaves_while_a_reply_is_packed_is_noted_at_once(packing, held, noted):
    client = await packing(whole(LARGE))
    made = noted(client.listener)
    await client.send(f"GET / HTTP/1.1\r\nHost: a\r\n{GZIP}\r\n\r\n".encode())
    await asyncio.to_thread(held.begun.wait, 10)
    client.break_off()
    async with asyncio.timeout(10):
        while client.listener.connections:
            await asyncio.sleep(0.001)
    (record,) = made
    assert record.gone
    assert record.ended
    held.go_on.set()


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_bytes_that_are_noted_are_those_that_are_sent(packing, noted, streamed):
    def handler(exchange):
        async def work():
            exchange.start(200, JSON)
            await exchange.write(BODY)
            await exchange.finish()

        exchange.spawn(work()) if streamed else exchange.respond(200, JSON, BODY)

    client = await packing(handler)
    made = noted(client.listener)
    reply = await client.get("/", GZIP)
    assert len(reply.body) < len(BODY)
    assert [record.sent for record in made] == [len(reply.body)]


async def test_work_that_ends_while_its_reply_is_packed(packing, caplog):
    def handler(exchange):
        async def work():
            exchange.respond(200, JSON, LARGE)

        exchange.spawn(work())

    client = await packing(handler)
    assert unpack(await client.get("/", GZIP)) == LARGE
    assert not caplog.records


async def test_who_comes_when_too_much_waits_gets_it_plain(packing):
    client = await packing(whole(LARGE))
    client.listener._service.offload._waiting = 64
    assert (await client.get("/", GZIP)).body == LARGE
    client.listener._service.offload._waiting = 0


@pytest.mark.parametrize(
    ("body", "said"),
    [(BODY, "a reply could not be packed"), (LARGE, "a job beside the loop failed")],
    ids=["in-the-loop", "beside-it"],
)
async def test_a_failure_to_pack_costs_the_packing_only(packing, monkeypatch, caplog, body, said):
    def broken(body):
        raise MemoryError

    monkeypatch.setitem(codings._PACKS, "gzip", lambda: broken)
    client = await packing(whole(body))
    for _ in range(2):
        reply = await client.get("/", GZIP)
        assert (reply.status, reply.body, reply.header("content-encoding")) == (200, body, None)
    assert [record.getMessage() for record in caplog.records] == [said, said]


async def test_threads_end_with_the_listener(packing):
    client = await packing(whole(LARGE))
    await client.get("/", GZIP)
    before = [each for each in threading.enumerate() if each.name.startswith("gateway-offload")]
    assert before
    await client.close()
    await client.listener.drain(0)
    for thread in before:
        await asyncio.to_thread(thread.join, 10)
        assert not thread.is_alive()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_each_part_of_a_stream_arrives_when_it_is_written(packing, version):
    steps = [asyncio.Event() for _ in range(3)]
    parts = [b'{"n": 1}\n', b'{"n": 2}\n', LARGE]

    def handler(exchange):
        async def work():
            exchange.start(200, [("content-type", "application/x-ndjson"), ("etag", '"1"')])
            for step, part in zip(steps, parts, strict=True):
                await step.wait()
                await exchange.write(part)
            await exchange.finish()

        exchange.spawn(work())

    client = await packing(handler)
    await client.send(f"GET / HTTP/{version}\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n".encode())
    head = await client.head()
    assert head.header("content-encoding") == "gzip"
    assert head.header("etag") == '"1;gzip"'
    unpacker = zlib.decompressobj(wbits=31)

    async def more():
        if version == "1.0":
            return await client.reader.read(65536)
        size = int(await client.reader.readuntil(b"\r\n"), 16)
        return (await client.reader.readexactly(size + 2))[:-2]

    async with asyncio.timeout(10):
        for step, part in zip(steps, parts, strict=True):
            step.set()
            got = b""
            while len(got) < len(part):
                got += unpacker.decompress(await more())
            assert got == part
        while not unpacker.eof:
            assert unpacker.decompress(await more()) == b""


async def test_events_are_not_packed(packing):
    def handler(exchange):
        async def work():
            exchange.start(200, [("content-type", "text/event-stream")])
            await exchange.write(b"data: 1\n\n" * 200)
            await exchange.finish()

        exchange.spawn(work())

    reply = await (await packing(handler)).get("/", GZIP)
    assert reply.header("content-encoding") is None
    assert reply.body == b"data: 1\n\n" * 200


async def test_head_of_a_stream(packing):
    def handler(exchange):
        async def work():
            exchange.start(200, JSON)
            await exchange.write(BODY)
            await exchange.finish()

        exchange.spawn(work())

    client = await packing(handler)
    await client.send(f"HEAD / HTTP/1.1\r\nHost: a\r\n{GZIP}\r\n\r\n".encode())
    assert (await client.reply("HEAD")).header("content-encoding") == "gzip"
    assert unpack(await client.get("/", GZIP)) == BODY
