"""Requests and the very bytes of their replies (RFC 9112), but for the date."""

import asyncio
import re

import pytest

SERVER = b"Server: gateway\r\nDate: NOW\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + SERVER
HI = b"Content-Length: 2\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CLOSE = b"Connection: close\r\n"
DATE = re.compile(rb"Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT\r\n")
END = b"\r\n"


async def stream(exchange):
    exchange.start(200, [])
    await exchange.write(b"h")
    await exchange.write(b"i" * 16)
    await exchange.finish()


def handler(exchange):
    request = exchange.request
    if request.path == "/stream":
        exchange.spawn(stream(exchange))
    elif request.path.startswith("/status/"):
        exchange.respond(int(request.path[8:]), [("x-a", "1")], b"hi")
    else:
        exchange.collect(
            100,
            lambda body: exchange.respond(200, [], body or b"hi"),
            lambda error: exchange.respond(400, [], b"no"),
        )


def get(path=b"/", version=b"1.1", fields=b""):
    host = b"" if version == b"1.0" else b"Host: a\r\n"
    return b"GET %b HTTP/%b\r\n%b%b\r\n" % (path, version, host, fields)


CASES = {
    "6 a whole reply": (
        get() + get(fields=CLOSE),
        OK + HI + END + b"hi" + OK + HI + CLOSE + END + b"hi",
    ),
    "9.3 close": (get(fields=b"Connection: Close\r\n"), OK + HI + CLOSE + END + b"hi"),
    "9.3 close among other options": (
        get(fields=b"Connection: x, close\r\n") + get(),
        OK + HI + CLOSE + END + b"hi",
    ),
    "9.3 close in a second field": (
        get(fields=b"Connection: x\r\nConnection: close\r\n") + get(),
        OK + HI + CLOSE + END + b"hi",
    ),
    "9.3 1.0 closes": (get(version=b"1.0") + get(), OK + HI + CLOSE + END + b"hi"),
    "9.3 1.0 with keep-alive": (
        get(version=b"1.0", fields=b"Connection: Keep-Alive\r\n") + get(version=b"1.0"),
        OK + HI + b"Connection: keep-alive\r\n\r\nhi" + OK + HI + CLOSE + END + b"hi",
    ),
    "6.3 HEAD": (
        get().replace(b"GET", b"HEAD") + get(fields=CLOSE),
        OK + HI + END + OK + HI + CLOSE + END + b"hi",
    ),
    "6.3 204": (
        get(b"/status/204", fields=CLOSE),
        b"HTTP/1.1 204 No Content\r\n" + SERVER + b"x-a: 1\r\n" + CLOSE + END,
    ),
    "6.3 304": (
        get(b"/status/304", fields=CLOSE),
        b"HTTP/1.1 304 Not Modified\r\n" + SERVER + b"x-a: 1\r\n" + CLOSE + END,
    ),
    "4 a status without a name": (
        get(b"/status/599", fields=CLOSE),
        b"HTTP/1.1 599 \r\n" + SERVER + b"x-a: 1\r\n" + HI + CLOSE + END + b"hi",
    ),
    "7.1 chunks": (
        get(b"/stream", fields=CLOSE),
        OK + CLOSE + CHUNKED + END + b"1\r\nh\r\n10\r\n" + b"i" * 16 + b"\r\n0\r\n\r\n",
    ),
    "7.1 no chunks on 1.0": (
        get(b"/stream", b"1.0", b"Connection: keep-alive\r\n"),
        OK + CLOSE + END + b"h" + b"i" * 16,
    ),
    "7.1 no chunks to HEAD": (
        get(b"/stream", fields=CLOSE).replace(b"GET", b"HEAD"),
        OK + CLOSE + CHUNKED + END,
    ),
    "6.3 a body by its length": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + get(fields=CLOSE),
        OK + b"Content-Length: 5\r\n\r\nhello" + OK + HI + CLOSE + END + b"hi",
    ),
    "7.1 a body in chunks": (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n" + get(fields=CLOSE),
        OK + b"Content-Length: 5\r\n\r\nhello" + OK + HI + CLOSE + END + b"hi",
    ),
    "2.2 empty lines before a request": (
        b"\r\n\r\n" + get() + b"\r\n" + get(fields=CLOSE),
        OK + HI + END + b"hi" + OK + HI + CLOSE + END + b"hi",
    ),
    "3.2.2 an absolute target": (
        get(b"http://b/status/200", fields=CLOSE),
        OK + b"x-a: 1\r\n" + HI + CLOSE + END + b"hi",
    ),
    "10.1.1 an expectation whose body is there": (
        b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx"
        + get(fields=CLOSE),
        OK + b"Content-Length: 1\r\n\r\nx" + OK + HI + CLOSE + END + b"hi",
    ),
    "7.8 an upgrade that nobody wants": (
        get(fields=b"Connection: upgrade\r\nUpgrade: h2c\r\n") + get(fields=CLOSE),
        OK + HI + END + b"hi" + OK + HI + CLOSE + END + b"hi",
    ),
}


# Sent in parts, a body that is waited for is asked for, and what comes after the end meets a closed
# connection.
AT_ONCE = {
    name: CASES.pop(name)
    for name in (
        "9.3 close among other options",
        "9.3 close in a second field",
        "9.3 1.0 closes",
        "10.1.1 an expectation whose body is there",
    )
}


@pytest.mark.parametrize(("sent", "reply"), AT_ONCE.values(), ids=AT_ONCE.keys())
async def test_raw_at_once(dial, sent, reply):
    client = await dial(handler)
    await client.send(sent)
    assert DATE.sub(b"Date: NOW\r\n", await client.rest()) == reply


@pytest.mark.parametrize(("sent", "reply"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("cut", [0, 1, 7], ids=["at once", "byte by byte", "in sevens"])
async def test_raw(dial, sent, reply, cut):
    client = await dial(handler)
    for at in range(0, len(sent), cut or len(sent)):
        await client.send(sent[at : at + (cut or len(sent))])
        if cut:
            await asyncio.sleep(0)
    got = await client.rest()
    dates = DATE.findall(got)
    assert DATE.sub(b"Date: NOW\r\n", got) == reply
    assert len(dates) == got.count(b"HTTP/1.1 ")


async def test_continue_comes_before_the_reply(dial):
    client = await dial(handler)
    await client.send(
        b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n"
        b"Connection: close\r\n\r\n"
    )
    assert await client.reader.readexactly(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.send(b"x")
    assert (await client.reply()).body == b"x"
