"""WebSockets under pressure and at their end: who waits for whom, and who is told what."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosed

from gateway.http import SocketClosed
from gateway.http.websocket import Messages
from gateway.listener import Limits
from gateway.listener.connection import Connection
from gateway.listener.forwarded import proxies
from gateway.listener.service import Service
from tests.listener.fakes import Transport
from tests.listener.sockets import Front, closed
from tests.listener.wire import BINARY, CLOSE, PING, PONG, TEXT, frame, read_frame, sent

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


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


async def test_what_comes_after_a_close_of_ours_is_not_passed_on(dial, upgrade, front):
    took = []
    front.take = lambda socket, message: took.append(message)
    client = await dial(front)
    await upgrade(client)
    (await front.opened.get()).close(1000)
    await client.send(b"\x81\x81\0\0\0\0a\x88\x82\0\0\0\0\x03\xe8")
    assert await closed(front.closed) == (1000, "")
    assert took == []


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


async def test_what_is_sent_in_one_loop_iteration_leaves_in_one_write():
    transport = Transport()
    connection = Connection(Service(lambda: front, Limits(), proxies(())))
    front = Front()
    connection.connection_made(transport)
    connection.data_received(HANDSHAKE)
    socket = front.opened.get_nowait()
    await asyncio.sleep(0)
    transport.writes.clear()
    socket.send_text("one")
    socket.send_binary(b"two")
    socket.ping()
    assert transport.writes == []
    await asyncio.sleep(0)
    assert transport.writes == [sent(TEXT, b"one") + sent(BINARY, b"two") + sent(PING, b"1")]
    transport.writes.clear()
    connection.data_received(frame(TEXT, b"a") + frame(PING, b"b") + frame(BINARY, b"c"))
    assert transport.writes == [sent(TEXT, b"a") + sent(PONG, b"b") + sent(BINARY, b"c")]
    connection.connection_lost(None)


@pytest.fixture
def full(dial, upgrade, front):
    """Opens a WebSocket whose client reads nothing, and fills it."""

    async def one(**limits):
        client = await dial(front, **limits)
        await upgrade(client)
        client.writer.transport.pause_reading()
        socket = await front.opened.get()
        while socket.writable:
            socket.send_binary(bytes(100_000))
        return client, socket

    return one


async def test_a_front_is_told_of_a_client_that_takes_nothing(full, front):
    told = asyncio.Queue()
    client, socket = await full()
    socket.when_stalled(0.02, lambda: told.put_nowait(socket.writable))
    socket.send_binary(b"more")  # is no sign of the client's
    assert [await closed(told), await closed(told)] == [False, False]
    assert socket.is_open
    assert front.closed.empty()
    client.reset()
    assert await closed(front.closed) == (1006, "")


async def test_a_front_may_close_on_a_client_that_takes_nothing(full, front, monkeypatch):
    monkeypatch.setattr("gateway.listener.websocket.CLOSE_SECONDS", 0.05)
    _, socket = await full()
    socket.when_stalled(0.02, lambda: socket.close(4001, "the client takes nothing"))
    with pytest.raises(SocketClosed) as end:
        await asyncio.wait_for(socket.drained(), 20)
    assert end.value.code in {4001, 1006}
    assert await closed(front.closed) == (1006, "")


async def test_a_client_that_takes_a_little_has_not_stalled(full, front):
    told = []
    client, socket = await full()
    socket.when_stalled(0.2, lambda: told.append(1))
    client.writer.transport.resume_reading()
    reading = asyncio.create_task(client.rest())
    await asyncio.wait_for(socket.drained(), 20)
    assert socket.writable
    assert not told
    socket.abort()
    await reading


async def test_a_close_of_ours_to_a_client_that_takes_nothing_ends_in_a_cut(
    full, front, monkeypatch
):
    monkeypatch.setattr("gateway.listener.websocket.CLOSE_SECONDS", 0.05)
    _, socket = await full()
    waiting = asyncio.create_task(socket.drained())
    await asyncio.sleep(0)
    socket.close(4001)
    assert await closed(front.closed) == (1006, "")
    with pytest.raises(SocketClosed):
        await waiting


async def test_pings_and_pongs_pass_what_is_held_back(dial, upgrade, front):
    took, times = [], asyncio.Queue()
    front.take = lambda socket, message: took.append(message)
    client = await dial(front)
    await upgrade(client)
    socket = await front.opened.get()
    socket.pause()
    socket.ping(times.put_nowait)
    assert await read_frame(client.reader) == (PING, b"1")
    begun = frame(TEXT, b"two")
    await client.send(frame(TEXT, b"one") + frame(PONG, b"1") + frame(PING, b"x") + begun[:4])
    assert await read_frame(client.reader) == (PONG, b"x")
    assert await closed(times) >= 0
    await client.send(begun[4:] + frame(PING, b"y"))
    assert await read_frame(client.reader) == (PONG, b"y")
    assert took == []
    socket.resume()
    await client.send(frame(PING, b"z"))
    assert await read_frame(client.reader) == (PONG, b"z")
    assert took == ["one", "two"]


@pytest.mark.parametrize(
    ("last", "code"),
    [
        pytest.param(frame(CLOSE, b"\x0f\xa0"), 4000, id="a close"),
        pytest.param(frame(PING, bytes(126)), 1002, id="a ping that is too long"),
        pytest.param(frame(TEXT, b"", mask=b""), 1002, id="a frame without a mask"),
    ],
)
async def test_what_is_held_back_ends_with_the_client(dial, upgrade, front, last, code):
    """A front that pauses again and again is passed all of it, so it hears of the end."""
    took = []
    front.take = lambda socket, message: (took.append(message), socket.pause())
    client = await dial(front)
    await upgrade(client)
    (await front.opened.get()).pause()
    for n in range(3):
        await client.send(frame(TEXT, b"%d" % n))
    await client.send(last)
    assert (await closed(front.closed))[0] == code
    assert took == ["0", "1", "2"]


async def test_a_client_that_says_much_and_leaves_is_heard_to_the_end(dial, upgrade, front):
    took = []
    front.take = lambda socket, message: took.append(message)
    client = await dial(front)
    await upgrade(client)
    await front.opened.get()
    client.writer.write(frame(TEXT, b"x") * 3000 + frame(CLOSE, b"\x03\xe8"))
    client.writer.write_eof()
    assert await closed(front.closed) == (1000, "")
    assert took == ["x"] * 3000


async def test_one_that_leaves_without_a_close_is_heard_too(dial, upgrade, front):
    took = []
    front.take = lambda socket, message: took.append(message)
    client = await dial(front)
    await upgrade(client)
    await front.opened.get()
    client.writer.write(frame(TEXT, b"x") * 3000 + frame(TEXT, b"cut")[:5])
    client.writer.write_eof()
    assert await closed(front.closed) == (1006, "")
    assert took == ["x"] * 3000


async def test_many_messages_held_back_one_by_one_take_no_square_of_time(dial, upgrade, front):
    done = asyncio.Event()
    took = []

    def take(socket, message):
        took.append(message)
        socket.pause()
        asyncio.get_running_loop().call_soon(socket.resume)
        if len(took) == 9000:
            done.set()

    front.take = take
    client = await dial(front)
    await upgrade(client)
    await client.send(frame(TEXT, b"x") * 9000)
    await asyncio.wait_for(done.wait(), 5)
