"""What reaches the handler, and what is answered before it: through real sockets."""

import asyncio
import json

import pytest

HOST = b"Host: shop.example\r\n"


def shown(reply):
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


async def test_the_request_is_seen_as_it_was_sent(dial, echo):
    client = await dial(echo)
    await client.send(
        b"PATCH /v1/a%2Fb/%zz?x=%20&&y HTTP/1.1\r\nHoSt: shop.example:80\r\nX-A: 1\r\nx-a: \xe42\r\n\r\n"
    )
    assert shown(await client.reply()) == {
        "method": "PATCH",
        "path": "/v1/a%2Fb/%zz",
        "query": "x=%20&&y",
        "authority": "shop.example:80",
        "scheme": "http",
        "peer": "127.0.0.1",
        "headers": [["host", "shop.example:80"], ["x-a", "1"], ["x-a", "ä2"]],
        "body": "",
    }


async def test_an_absolute_target_names_the_host(dial, echo):
    client = await dial(echo)
    await client.send(b"GET http://other.example/a?b HTTP/1.1\r\n" + HOST + b"\r\n")
    seen = shown(await client.reply())
    assert (seen["authority"], seen["path"], seen["query"]) == ("other.example", "/a", "b")


async def test_options_asterisk(dial, echo):
    client = await dial(echo)
    await client.send(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n")
    assert shown(await client.reply())["path"] == "*"


async def test_a_trusted_proxy_s_word_is_taken(dial, echo):
    client = await dial(echo, trusted=["127.0.0.0/8"])
    seen = shown(await client.get("/", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https"))
    assert (seen["peer"], seen["scheme"]) == ("203.0.113.7", "https")


async def test_empty_lines_before_a_request_are_ignored(dial, echo):
    client = await dial(echo)
    await client.send(b"\r\n\r\nGET /1 HTTP/1.1\r\n" + HOST + b"\r\n\r\n")
    assert shown(await client.reply())["path"] == "/1"
    assert shown(await client.get("/2"))["path"] == "/2"


async def test_a_head_may_come_byte_by_byte(dial, echo):
    client = await dial(echo)
    for byte in b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\nhi":
        await client.send(bytes([byte]))
        await asyncio.sleep(0)
    assert shown(await client.reply())["body"] == "hi"


async def test_an_offer_to_upgrade_is_ignored(dial, echo):
    client = await dial(echo)
    fields = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    for path in ("/1", "/2"):
        assert shown(await client.get(path, *fields))["path"] == path
    assert shown(await client.get("/3"))["path"] == "/3"


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        pytest.param(b"GET /\r\n\r\n", 400, "BAD_REQUEST", id="HTTP/0.9"),
        pytest.param(
            b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505, "HTTP_VERSION_NOT_SUPPORTED", id="2.0"
        ),
        pytest.param(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP_VERSION_NOT_SUPPORTED", id="h2 preface"
        ),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, "BAD_REQUEST", id="no Host"),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + HOST * 2 + b"\r\n", 400, "BAD_REQUEST", id="two Hosts"
        ),
        pytest.param(b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400, "BAD_REQUEST", id="target"),
        pytest.param(
            b"FROB / HTTP/1.1\r\n" + HOST + b"\r\n", 400, "BAD_REQUEST", id="unknown method"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + HOST + b"a b\r\n\r\n", 400, "BAD_REQUEST", id="bad field"
        ),
        pytest.param(b"GET / HTTP/1.1\n" + HOST, 400, "BAD_REQUEST", id="bare LF, before the end"),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + HOST + b"a: \nb: c\r\n\r\n", 400, "BAD_REQUEST", id="bare LF"
        ),
        pytest.param(
            b"\x16\x03\x01\x02\x00\x01", 400, "BAD_REQUEST", id="TLS hello, before any line"
        ),
        pytest.param(b"{}", 400, "BAD_REQUEST", id="no token, before any line"),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + HOST + b"Expect: a cake\r\n\r\n",
            417,
            "BAD_REQUEST",
            id="expectation",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            400,
            "BAD_REQUEST",
            id="transfer coding",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + HOST + b"a: " + b"b" * 2000 + b"\r\n\r\n",
            431,
            "HEADERS_TOO_LARGE",
            id="a head that is too large",
        ),
        pytest.param(
            b"GET /" + b"a" * 2000, 431, "HEADERS_TOO_LARGE", id="too large without an end"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\n" + HOST + b"a:b\r\n" * 400,
            431,
            "HEADERS_TOO_LARGE",
            id="many fields",
        ),
    ],
)
async def test_errors_of_http_itself(dial, echo, sent, status, reason):
    client = await dial(echo, header_size=1000)
    await client.send(sent)
    reply = await client.reply()
    assert (reply.status, reply.reason) == (status, reason)
    assert reply.error["message"].endswith(".")
    assert reply.header("server") in {None, "gateway"}
    assert reply.header("connection") == "close" or reply.version == "HTTP/1.0"
    assert await client.rest() == b""


async def test_an_error_reply_to_head_has_no_body(dial, echo):
    client = await dial(echo)
    await client.send(b"HEAD / HTTP/1.1\r\n\r\n")
    assert (await client.reply("HEAD")).status == 400
    assert await client.rest() == b""


async def test_a_head_of_just_the_size_allowed_passes(dial, echo):
    head = b"GET / HTTP/1.1\r\n" + HOST + b"a: "
    client = await dial(echo, header_size=1000)
    await client.send(head + b"b" * (1000 - len(head) - 4) + b"\r\n\r\n")
    assert shown(await client.reply())["path"] == "/"
    await client.send(head + b"b" * (1001 - len(head) - 4) + b"\r\n\r\n")
    assert (await client.reply()).status == 431


async def test_a_large_head_passes_where_it_is_allowed(dial, echo):
    client = await dial(echo, header_size=300_000)
    value = "v" * 100_000
    assert dict(shown(await client.get("/", f"a: {value}", f"b: {value}"))["headers"])["b"] == value


async def test_pipelined_requests_are_answered_in_order_one_at_a_time(dial, text):
    waiting = []
    client = await dial(waiting.append)
    await client.send(b"".join(b"GET /%d HTTP/1.1\r\n%b\r\n" % (n, HOST) for n in range(3)))
    for n in range(3):
        while not waiting:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        (exchange,) = waiting  # the next one does not come before this one is answered
        waiting.clear()
        text(exchange, 200, exchange.request.path.encode())
        assert (await client.reply()).body == b"/%d" % n


async def test_fourteen_thousand_pipelined_requests_are_read_as_they_are_answered(
    listen, connect, text
):
    waiting = []
    listener = await listen(waiting.append)
    client = await connect(listener)
    client.writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 14_000)
    while not waiting:
        await asyncio.sleep(0)
    (connection,) = listener._service.connections
    assert len(connection._received) < 600_000
    assert len(waiting) == 1
    listener._service.handler = lambda: lambda exchange: text(exchange, 200, b"")
    text(waiting[0], 200, b"")
    for _ in range(14_000):
        assert (await client.reply()).status == 200


async def test_a_body_is_not_the_next_request(dial, echo):
    client = await dial(echo)
    inner = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
    for framing, body in (
        (b"Content-Length: %d" % len(inner), inner),
        (b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(inner), inner)),
    ):
        await client.send(b"POST /a HTTP/1.1\r\n" + HOST + framing + b"\r\n\r\n" + body)
        seen = shown(await client.reply())
        assert (seen["path"], seen["body"]) == ("/a", inner.decode())
        # Trailers end here: they never become headers.
        assert "x" not in dict(seen["headers"])
        assert shown(await client.get("/b"))["path"] == "/b"


async def test_what_follows_the_last_request_is_not_answered(dial, echo):
    client = await dial(echo)
    last = b"GET /1 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    await client.send(last + b"GET /2 HTTP/1.1\r\n" + HOST + b"\r\n")
    assert shown(await client.reply())["path"] == "/1"
    assert await client.rest() == b""


@pytest.mark.parametrize(
    ("line", "field", "open_after"),
    [
        pytest.param(b"GET / HTTP/1.1", b"", True, id="1.1 stays"),
        pytest.param(b"GET / HTTP/1.1", b"Connection: Close\r\n", False, id="1.1 with close ends"),
        pytest.param(b"GET / HTTP/1.0", b"", False, id="1.0 ends"),
        pytest.param(
            b"GET / HTTP/1.0", b"Connection: keep-alive\r\n", True, id="1.0 with keep-alive stays"
        ),
    ],
)
async def test_keep_alive(dial, echo, line, field, open_after):
    client = await dial(echo)
    await client.send(line + b"\r\n" + HOST + field + b"\r\n")
    assert (await client.reply()).status == 200
    if open_after:
        assert (await client.get()).status == 200
    else:
        assert await client.rest() == b""


async def test_a_reload_changes_the_handler_of_the_next_request(listen, connect, text):
    listener = await listen(lambda exchange: text(exchange, 200, b"old"))
    client = await connect(listener)
    assert (await client.get()).body == b"old"
    listener._service.handler = lambda: lambda exchange: text(exchange, 200, b"new")
    assert (await client.get()).body == b"new"
