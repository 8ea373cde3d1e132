"""WebSocket frames byte by byte (RFC 6455 section 5), and handshakes (section 4)."""

import asyncio
import struct

import pytest

from tests.listener.wire import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame, sent

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 section 1.3


def echo(**accept):
    def handler(exchange):
        socket = exchange.websocket(**accept)
        if socket is not None:
            socket.listen(
                lambda message: (
                    socket.send_text(message)
                    if isinstance(message, str)
                    else socket.send_binary(message)
                ),
                lambda code, reason: None,
            )

    return handler


@pytest.fixture
def opened(dial, upgrade):
    async def one(**accept):
        client = await dial(echo(**accept))
        await upgrade(client)
        return client

    return one


@pytest.mark.parametrize(
    ("frames", "answer"),
    [
        pytest.param([frame(TEXT, b"hi")], sent(TEXT, b"hi"), id="5.6 text"),
        pytest.param([frame(BINARY, b"\xff")], sent(BINARY, b"\xff"), id="5.6 binary"),
        pytest.param([frame(TEXT)], sent(TEXT), id="5.2 an empty payload"),
        pytest.param([frame(TEXT, b"x" * 126)], sent(TEXT, b"x" * 126), id="5.2 a 16-bit length"),
        pytest.param(
            [frame(BINARY, b"x" * 65_536)], sent(BINARY, b"x" * 65_536), id="5.2 a 64-bit length"
        ),
        pytest.param([frame(PING, b"p")], sent(PONG, b"p"), id="5.5.3 a pong has the ping's data"),
        pytest.param([frame(PING, b"p" * 125)], sent(PONG, b"p" * 125), id="5.5 125 bytes"),
        pytest.param([frame(PONG, b"p"), frame(TEXT, b"x")], sent(TEXT, b"x"), id="5.5.3 a pong"),
        pytest.param(
            [frame(TEXT, b"a", fin=False), frame(CONT, b"b", fin=False), frame(CONT, b"c")],
            sent(TEXT, b"abc"),
            id="5.4 fragments",
        ),
        pytest.param(
            [frame(TEXT, b"a", fin=False), frame(PING, b"p"), frame(CONT, b"b")],
            sent(PONG, b"p") + sent(TEXT, b"ab"),
            id="5.4 a ping between fragments",
        ),
        pytest.param(
            [frame(TEXT, fin=False), frame(CONT, fin=False), frame(CONT)],
            sent(TEXT),
            id="5.4 empty fragments",
        ),
        pytest.param(
            [frame(TEXT, b"\xe2\x82", fin=False), frame(CONT, b"\xac")],
            sent(TEXT, b"\xe2\x82\xac"),
            id="5.6 a character over two fragments",
        ),
    ],
)
@pytest.mark.parametrize("cut", ["at once", "frame by frame", "byte by byte"])
async def test_frames(opened, frames, answer, cut):
    client = await opened()
    wire = b"".join(frames)
    if cut == "byte by byte" and len(wire) < 1000:
        for byte in wire:
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
    elif cut == "frame by frame":
        for part in frames:
            await client.send(part)
            await asyncio.sleep(0)
    else:
        await client.send(wire)
    async with asyncio.timeout(20):
        assert await client.reader.readexactly(len(answer)) == answer
    await client.send(frame(CLOSE, b"\x03\xe8"))
    assert await client.rest() == sent(CLOSE, b"\x03\xe8")


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        pytest.param([frame(TEXT, b"x", mask=b"")], 1002, id="5.1 not masked"),
        pytest.param([frame(TEXT, b"x", rsv=4)], 1002, id="5.2 RSV1 without an extension"),
        pytest.param([frame(TEXT, b"x", rsv=2)], 1002, id="5.2 RSV2"),
        pytest.param([frame(TEXT, b"x", rsv=1)], 1002, id="5.2 RSV3"),
        pytest.param([frame(3, b"x")], 1002, id="5.2 a reserved data opcode"),
        pytest.param([frame(11, b"x")], 1002, id="5.2 a reserved control opcode"),
        pytest.param([frame(PING, b"x" * 126)], 1002, id="5.5 a control frame too long"),
        pytest.param([frame(PING, b"x", fin=False)], 1002, id="5.5 a fragmented control frame"),
        pytest.param([frame(CONT, b"x")], 1002, id="5.4 a continuation of nothing"),
        pytest.param(
            [frame(TEXT, b"x", fin=False), frame(TEXT, b"y")], 1002, id="5.4 text among fragments"
        ),
        pytest.param([frame(CLOSE, b"\x03")], 1002, id="5.5.1 half a close code"),
        pytest.param([frame(CLOSE, b"\x03\xe7")], 1002, id="7.4 close code 999"),
        pytest.param([frame(CLOSE, b"\x03\xed")], 1002, id="7.4.1 close code 1005"),
        pytest.param([frame(CLOSE, b"\x03\xee")], 1002, id="7.4.1 close code 1006"),
        pytest.param([frame(CLOSE, b"\x03\xe8\xff")], 1007, id="5.5.1 a reason that is not UTF-8"),
        pytest.param([frame(TEXT, b"\xff")], 1007, id="8.1 not UTF-8"),
        pytest.param([frame(TEXT, b"\xed\xa0\x80")], 1007, id="8.1 a surrogate"),
        pytest.param([frame(TEXT, b"\xf4\x90\x80\x80")], 1007, id="8.1 beyond Unicode"),
        pytest.param([frame(TEXT, b"\xe2\x82")], 1007, id="8.1 a character cut short"),
        pytest.param(
            [frame(TEXT, b"\xe2", fin=False), frame(CONT, b"x")], 1007, id="8.1 over fragments"
        ),
        pytest.param([frame(TEXT, b"x" * 1001)], 1009, id="7.4.1 too large"),
        pytest.param(
            [frame(TEXT, b"x" * 600, fin=False), frame(CONT, b"x" * 401)],
            1009,
            id="7.4.1 too large in fragments",
        ),
        pytest.param(
            [b"\x82\xff\x7f" + b"\xff" * 7], 1009, id="5.2 a length that nobody has memory for"
        ),
    ],
)
async def test_what_fails_the_connection(opened, frames, code):
    client = await opened(message_size=1000)
    await client.send(b"".join(frames) + frame(TEXT, b"not answered"))
    answer = await client.rest()
    assert (answer[0], struct.unpack("!H", answer[2:4])[0]) == (0x88, code)
    assert len(answer) == answer[1] + 2


async def test_what_follows_a_close_counts_for_nothing(opened):
    client = await opened()
    await client.send(frame(CLOSE, b"\x03\xe8bye") + frame(TEXT, b"x") + frame(PING))
    assert await client.rest() == sent(CLOSE, b"\x03\xe8bye")


async def test_frames_may_come_with_the_handshake(dial):
    client = await dial(echo())
    await client.send(handshake() + frame(TEXT, b"early"))
    assert (await client.head()).status == 101
    assert await client.reader.readexactly(7) == sent(TEXT, b"early")


def handshake(line=b"GET /chat HTTP/1.1", **changed):
    fields = {
        "Host": b"a",
        "Connection": b"keep-alive, Upgrade",
        "Upgrade": b"websocket",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": b"13",
    }
    fields |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: ".encode() + value for name, value in fields.items() if value is not None]
    return b"\r\n".join([line, *lines, b"", b""])


async def test_a_handshake(dial):
    client = await dial(echo())
    await client.send(handshake())
    reply = await client.head()
    assert reply.status == 101
    assert reply.header("sec-websocket-accept") == ACCEPT
    assert (reply.header("upgrade"), reply.header("connection")) == ("websocket", "Upgrade")
    assert reply.header("sec-websocket-protocol") is None
    assert reply.header("sec-websocket-extensions") is None


@pytest.mark.parametrize(
    ("sent", "status", "field"),
    [
        pytest.param(handshake(b"POST / HTTP/1.1"), 405, ("allow", "GET"), id="4.1 not GET"),
        pytest.param(handshake(b"GET / HTTP/1.0"), 505, None, id="4.1 HTTP/1.0"),
        pytest.param(handshake(Upgrade=None), 426, ("upgrade", "websocket"), id="4.2.1 no Upgrade"),
        pytest.param(handshake(Upgrade=b"h2c"), 426, ("upgrade", "websocket"), id="4.2.1 another"),
        pytest.param(
            handshake(Connection=b"close"), 426, ("upgrade", "websocket"), id="4.2.1 no Connection"
        ),
        pytest.param(handshake(Sec_WebSocket_Key=None), 400, None, id="4.2.1 no key"),
        pytest.param(handshake(Sec_WebSocket_Key=b"eA=="), 400, None, id="4.2.1 a short key"),
        pytest.param(handshake(Sec_WebSocket_Key=b"%%%"), 400, None, id="4.2.1 a key not base64"),
        pytest.param(
            handshake(Sec_WebSocket_Version=b"8"),
            426,
            ("sec-websocket-version", "13"),
            id="4.2.2 another version",
        ),
        pytest.param(handshake(Sec_WebSocket_Version=None), 400, None, id="4.2.1 no version"),
        pytest.param(handshake(Content_Length=b"2") + b"hi", 400, None, id="a body"),
    ],
)
async def test_handshakes_that_are_refused(dial, sent, status, field):
    client = await dial(echo())
    await client.send(sent)
    reply = await client.reply()
    assert reply.status == status
    assert reply.reason
    assert reply.header("x-request-id")
    if field is not None:
        assert field in reply.headers
    assert await client.rest() == b""
