"""WebSockets as a common client sees them: messages either way, pings, closing, errors."""

import asyncio

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.http.websocket import asks_for_websocket, offered_subprotocols
from tests.listener.sockets import Front, closed


async def test_messages_come_back_as_they_were_sent(listen, open_socket, front):
    client = await open_socket(await listen(front))
    for message in ("", "hello", "grün €", b"", b"\x00\xff", "x" * 70_000, b"y" * 200_000):
        await client.send(message)
        assert await client.recv() == message


async def test_a_fragmented_message_comes_as_one(listen, open_socket, front):
    client = await open_socket(await listen(front))
    await client.send(["one ", "two ", "three"])
    assert await client.recv() == "one two three"


async def test_many_at_once_are_answered_in_order(listen, open_socket, front):
    client = await open_socket(await listen(front))
    for n in range(300):
        await client.send(f"{n}")
    assert [await client.recv() for _ in range(300)] == [f"{n}" for n in range(300)]


async def test_over_a_unix_socket(listen, tmp_path, front):
    await listen(front, addresses=[f"unix:{tmp_path}/s"])
    async with unix_connect(f"{tmp_path}/s", compression=None) as client:
        await client.send("hello")
        assert await client.recv() == "hello"
    assert (await closed(front.closed))[0] == 1000


async def test_the_subprotocol_and_headers_are_the_front_s(listen, open_socket):
    front = Front(subprotocol="b", headers=[("X-A", "1")])
    client = await open_socket(await listen(front), subprotocols=["a", "b"])
    assert client.subprotocol == "b"
    assert client.response.headers["x-a"] == "1"
    assert client.response.headers["server"] == "gateway"
    assert (await front.opened.get()).subprotocol == "b"


async def test_a_subprotocol_that_was_not_offered_is_a_bug(listen, open_socket, caplog):
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(await listen(Front(subprotocol="c")), subprotocols=["a"])
    assert refused.value.response.status_code == 500
    assert "did not offer" in caplog.text


async def test_what_was_offered_is_known_beforehand(listen, open_socket, front):
    seen = []

    def handler(exchange):
        request = exchange.request
        seen.append((asks_for_websocket(request), offered_subprotocols(request)))
        front(exchange)

    listener = await listen(handler)
    await open_socket(listener, subprotocols=["a", "b"])
    assert seen == [(True, ["a", "b"])]


async def test_the_client_closes(listen, open_socket, front):
    client = await open_socket(await listen(front))
    await client.close(4321, "bye")
    assert await closed(front.closed) == (4321, "bye")


async def test_the_client_closes_without_a_code(dial, upgrade, front):
    client = await dial(front)
    await upgrade(client)
    await client.send(b"\x88\x80\0\0\0\0")
    assert await client.rest() == b"\x88\x00"
    assert await closed(front.closed) == (1005, "")


async def test_the_front_closes(listen, open_socket, front):
    client = await open_socket(await listen(front))
    socket = await front.opened.get()
    socket.close(4200, "ü" * 100)
    assert not socket.is_open
    socket.send_text("too late")
    with pytest.raises(ConnectionClosed) as end:
        await client.recv()
    assert (end.value.rcvd.code, end.value.rcvd.reason) == (4200, "ü" * 61)
    assert (await closed(front.closed))[0] == 4200


async def test_a_code_that_may_not_be_sent_is_an_error(listen, open_socket, front):
    await open_socket(await listen(front))
    socket = await front.opened.get()
    with pytest.raises(ValueError, match="1006"):
        socket.close(1006)
    assert socket.is_open


async def test_a_ping_of_the_client_is_answered(listen, open_socket, front):
    client = await open_socket(await listen(front))
    assert await asyncio.wait_for(await client.ping(b"x"), 20) >= 0


async def test_a_ping_of_ours_tells_its_time(listen, open_socket, front):
    await open_socket(await listen(front))
    socket = await front.opened.get()
    times = asyncio.Queue()
    for _ in range(3):
        socket.ping(times.put_nowait)
    async with asyncio.timeout(20):
        assert all([0 <= await times.get() < 20 for _ in range(3)])


async def test_a_pong_nobody_asked_for_is_ignored(listen, open_socket, front):
    client = await open_socket(await listen(front))
    await client.pong(b"what")
    await client.send("on")
    assert await client.recv() == "on"


@pytest.mark.parametrize("where", ["message", "task"])
async def test_a_bug_closes_with_1011_and_is_logged(listen, open_socket, front, caplog, where):
    def fails(*_):
        raise LookupError("a secret")

    async def work():
        fails()

    front.take = fails
    client = await open_socket(await listen(front))
    if where == "message":
        await client.send("x")
    else:
        (await front.opened.get()).spawn(work())
    with pytest.raises(ConnectionClosed) as end:
        await client.recv()
    assert end.value.rcvd.code == 1011
    assert "secret" not in end.value.rcvd.reason
    assert "a secret" in caplog.text


async def test_compression_is_off_unless_the_front_takes_it(listen, open_socket):
    for compressed in (False, True):
        front = Front(compressed=compressed)
        client = await open_socket(await listen(front), compression="deflate")
        agreed = client.response.headers.get("sec-websocket-extensions", "")
        assert agreed.startswith("permessage-deflate") is compressed
        for message in ("hello" * 1000, b"", "x"):
            await client.send(message)
            assert await client.recv() == message


async def test_a_bomb_is_not_unpacked(listen, open_socket):
    front = Front(compressed=True, message_size=100_000)
    client = await open_socket(await listen(front), compression="deflate")
    await client.send(bytes(50_000_000))
    with pytest.raises(ConnectionClosed) as end:
        await client.recv()
    assert end.value.rcvd.code == 1009


async def test_a_message_of_just_the_size_passes(listen, open_socket):
    front = Front(message_size=1000)
    client = await open_socket(await listen(front))
    await client.send("x" * 1000)
    assert await client.recv() == "x" * 1000
    await client.send(["x" * 500, "x" * 501])
    with pytest.raises(ConnectionClosed) as end:
        await client.recv()
    assert end.value.rcvd.code == 1009
    assert (await closed(front.closed))[0] == 1009


@pytest.mark.parametrize("compressed", [True, False], ids=["compressed", "plain"])
@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(bytes(1001), id="whole"),
        pytest.param([bytes(500), bytes(501)], id="in fragments"),
        pytest.param(bytes(30_000), id="much too large"),
    ],
)
async def test_a_front_has_its_own_word_for_what_is_too_large(
    listen, open_socket, parts, compressed
):
    front = Front(
        message_size=1000, too_large=4413, too_large_reason="ü" * 61, compressed=compressed
    )
    client = await open_socket(await listen(front), compression="deflate" if compressed else None)
    await client.send(bytes(1000))
    assert await client.recv() == bytes(1000)
    await client.send(parts)
    with pytest.raises(ConnectionClosed) as end:
        await client.recv()
    assert (end.value.rcvd.code, end.value.rcvd.reason) == (4413, "ü" * 61)
    assert await closed(front.closed) == (4413, "ü" * 61)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(1006, "", id="a code that is never sent"),
        pytest.param(99, "", id="a code that is none"),
        pytest.param(4413, "ü" * 62, id="a reason of 124 bytes"),
    ],
)
async def test_a_word_for_what_is_too_large_that_no_frame_holds_is_a_bug(
    listen, open_socket, caplog, code, reason
):
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(await listen(Front(too_large=code, too_large_reason=reason)))
    assert refused.value.response.status_code == 500
    assert f"can't say {code}" in caplog.text


async def test_over_tls(listen, open_socket, front, tls_files):
    listener = await listen(front, tls=tls_files.server)
    client = await open_socket(listener, ssl=tls_files.trusting)
    await client.send("x" * 100_000)
    assert await client.recv() == "x" * 100_000
    await client.close()
    assert (await closed(front.closed))[0] == 1000
