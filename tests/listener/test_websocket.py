"""WebSockets as a common client sees them: messages either way, pings, closing, backpressure."""

import asyncio

import pytest
from websockets.asyncio.client import connect as ws_connect
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.http import SocketClosed
from gateway.http.websocket import Messages, asks_for_websocket, offered_subprotocols


class Front:
    """Accepts every WebSocket, echoes, and notes what it is told."""

    def __init__(self, **accept):
        self.accept = accept
        self.opened = asyncio.Queue()
        self.closed = asyncio.Queue()
        self.draining = None

    def __call__(self, exchange):
        socket = exchange.websocket(**self.accept)
        if socket is None:
            return
        socket.listen(
            lambda message: self.take(socket, message),
            lambda code, reason: self.closed.put_nowait((code, reason)),
            self.draining and (lambda: self.draining(socket)),
        )
        self.opened.put_nowait(socket)

    def take(self, socket, message):
        if isinstance(message, str):
            socket.send_text(message)
        else:
            socket.send_binary(message)


@pytest.fixture
def front():
    return Front()


@pytest.fixture
async def open_socket():
    """Opens WebSockets to a listener's first address."""
    opened = []

    async def one(listener, path="/", **kwargs):
        url = listener.urls[0].replace("http", "ws") + path
        kwargs = {"compression": None, "proxy": None, "close_timeout": 1, **kwargs}
        opened.append(await ws_connect(url, **kwargs))
        return opened[-1]

    yield one
    for client in opened:
        await client.close()


async def closed(queue):
    async with asyncio.timeout(20):
        return await queue.get()


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


async def test_a_client_that_does_not_answer_a_close_is_cut(dial, upgrade, front, monkeypatch):
    monkeypatch.setattr("gateway.listener.websocket.CLOSE_SECONDS", 0.05)
    client = await dial(front)
    await upgrade(client)
    (await front.opened.get()).close(1000)
    assert await client.rest() == b"\x88\x02\x03\xe8"
    assert await closed(front.closed) == (1006, "")


@pytest.mark.parametrize("how", ["end", "reset"])
async def test_a_client_that_goes_is_told_of(dial, upgrade, front, how):
    client = await dial(front)
    await upgrade(client)
    socket = await front.opened.get()
    if how == "reset":
        client.reset()
    else:
        await client.close()
    assert await closed(front.closed) == (1006, "")
    assert not socket.is_open
    with pytest.raises(SocketClosed):
        await socket.send("nobody hears this")
    assert front.closed.empty()


async def test_a_client_that_goes_is_told_of_though_it_is_not_read(dial, upgrade, front):
    client = await dial(front)
    await upgrade(client)
    socket = await front.opened.get()
    socket.pause()
    client.writer.write((b"\x82\xfe\x03\xe8\0\0\0\0" + bytes(1000)) * 100)
    connection = socket._connection
    while not connection._paused:
        await asyncio.sleep(0)
    client.break_off()
    assert await closed(front.closed) == (1006, "")


async def test_what_came_before_a_close_is_passed_on(dial, upgrade, front):
    took = []
    front.take = lambda socket, message: (took.append(message), socket.pause())
    client = await dial(front)
    await upgrade(client)
    await client.send(b"\x81\x81\0\0\0\0a\x81\x81\0\0\0\0b\x88\x82\0\0\0\0\x03\xe8")
    assert await closed(front.closed) == (1000, "")
    assert took == ["a", "b"]


async def test_what_was_held_back_is_passed_on_though_the_client_has_left(dial, upgrade, front):
    took = []
    front.take = lambda socket, message: took.append(len(message))
    client = await dial(front)
    await upgrade(client)
    socket = await front.opened.get()
    socket.pause()
    message = b"\x82\xfe\x03\xe8\0\0\0\0" + bytes(1000)
    client.writer.write(message * 100 + b"\x88\x82\0\0\0\0\x03\xe8")
    while not socket._connection._paused:
        await asyncio.sleep(0)
    client.writer.write_eof()
    await asyncio.sleep(0.1)  # it has been looked after by now
    socket.resume()
    assert await closed(front.closed) == (1000, "")
    assert took == [1000] * 100


async def test_abort_cuts(listen, open_socket, front):
    client = await open_socket(await listen(front))
    (await front.opened.get()).abort()
    with pytest.raises(ConnectionClosed) as end:
        await client.recv()
    assert end.value.rcvd is None
    assert await closed(front.closed) == (1006, "")


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


async def test_messages_wait_until_somebody_listens(listen, open_socket):
    accepted = asyncio.Queue()
    client = await open_socket(
        await listen(lambda exchange: accepted.put_nowait(exchange.websocket()))
    )
    await client.send("early")
    socket = await accepted.get()
    for _ in range(10):
        await asyncio.sleep(0)
    messages = Messages(socket)
    assert await messages.receive() == "early"


async def test_messages_may_be_awaited(listen, open_socket):
    async def work(socket):
        messages = Messages(socket)
        try:
            while True:
                await socket.send(await messages.receive())
        except SocketClosed as end:
            ended.put_nowait((end.code, end.reason))

    def handler(exchange):
        socket = exchange.websocket()
        tasks.append(asyncio.get_running_loop().create_task(work(socket)))

    ended, tasks = asyncio.Queue(), []
    client = await open_socket(await listen(handler))
    for message in ("one", b"two", ""):
        await client.send(message)
        assert await client.recv() == message
    await client.close(1000, "done")
    assert await closed(ended) == (1000, "done")
    await asyncio.gather(*tasks)


async def test_a_front_that_takes_nothing_holds_the_client_back(listen, open_socket):
    go = asyncio.Event()
    count = 100

    async def work(socket):
        messages = Messages(socket, most=1000)
        await go.wait()
        for _ in range(count):
            total.append(len(await messages.receive()))  # noqa: PERF401  one at a time is meant
        socket.close()

    def handler(exchange):
        socket = exchange.websocket()
        socket.spawn(work(socket))

    total = []
    listener = await listen(handler)
    client = await open_socket(listener)

    async def fill():
        for _ in range(count):
            await client.send(bytes(500_000))

    filling = asyncio.create_task(fill())
    while not listener._service.connections:
        await asyncio.sleep(0)
    (connection,) = listener._service.connections
    while not connection._paused:
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(connection._received) < 1_000_000
    assert not filling.done()
    go.set()
    await filling
    with pytest.raises(ConnectionClosed):
        await client.recv()
    assert total == [500_000] * count


async def test_a_client_that_takes_nothing_holds_the_front_back(listen, open_socket, front):
    client = await open_socket(await listen(front), max_queue=1)
    socket = await front.opened.get()

    async def flood():
        while True:
            await socket.send(bytes(100_000))
            sent.append(100_000)

    sent = []
    socket.spawn(flood())
    while socket.writable:
        await asyncio.sleep(0)
    for _ in range(200):
        await asyncio.sleep(0)
    assert sum(sent) < 30_000_000
    held = len(sent)
    async with asyncio.timeout(20):
        while len(sent) == held:
            await client.recv()
    client.transport.abort()
    assert (await closed(front.closed))[0] == 1006


async def test_a_client_that_takes_nothing_for_too_long_is_cut(listen, open_socket, front):
    listener = await listen(front, stream_idle_timeout=0.1)
    client = await open_socket(listener, max_queue=1)
    socket = await front.opened.get()
    client.transport.pause_reading()
    while socket.writable:
        socket.send_binary(bytes(100_000))
    assert await closed(front.closed) == (1006, "")


async def test_a_silent_websocket_is_not_idle(listen, open_socket, front):
    limits = {"idle_timeout": 0.05, "header_timeout": 0.05, "stream_idle_timeout": 0.05}
    client = await open_socket(await listen(front, **limits))
    await asyncio.sleep(0.2)
    await client.send("still here")
    assert await client.recv() == "still here"


async def test_tasks_end_with_the_websocket(listen, open_socket, front):
    cancelled = asyncio.Queue()

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.put_nowait(asyncio.current_task().cancelling())

    listener = await listen(front)
    client = await open_socket(listener)
    socket = await front.opened.get()
    for _ in range(2):
        socket.spawn(work())
    await asyncio.sleep(0)
    await client.close()
    assert [await closed(cancelled) for _ in range(2)] == [1, 1]
    while listener._service.tasks:
        await asyncio.sleep(0)


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


async def test_a_drain_closes_with_1001(listen, open_socket, front):
    listener = await listen(front)
    client = await open_socket(listener)
    assert await listener.drain(20) == 0
    with pytest.raises(ConnectionClosed) as end:
        await client.recv()
    assert end.value.rcvd.code == 1001


async def test_a_front_may_say_goodbye_first(listen, open_socket, front):
    def goodbye(socket):
        socket.send_text("goodbye")
        socket.close(4000, "reconnect")

    front.draining = goodbye
    listener = await listen(front)
    client = await open_socket(listener)
    await front.opened.get()
    draining = asyncio.create_task(listener.drain(20))
    assert await client.recv() == "goodbye"
    with pytest.raises(ConnectionClosed) as end:
        await client.recv()
    assert end.value.rcvd.code == 4000
    assert await draining == 0


async def test_what_goes_on_after_a_drain_is_closed_and_cut(listen, open_socket, front):
    told = []
    front.draining = told.append
    listener = await listen(front)
    client = await open_socket(listener)
    await front.opened.get()
    assert await listener.drain(0.05) == 1
    assert len(told) == 1
    with pytest.raises(ConnectionClosed) as end:
        await client.recv()
    assert end.value.rcvd.code == 1001
    assert listener.connections == 0


async def test_over_tls(listen, open_socket, front, tls_files):
    listener = await listen(front, tls=tls_files.server)
    client = await open_socket(listener, ssl=tls_files.trusting)
    await client.send("x" * 100_000)
    assert await client.recv() == "x" * 100_000
    await client.close()
    assert (await closed(front.closed))[0] == 1000
