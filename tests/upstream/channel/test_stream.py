"""Streaming calls: order, ends, cancellation and backpressure, whichever side streams."""

import asyncio
import re

import pytest

from gateway.call import Code, Deadline, Detail, Metadata, RpcError, Status
from gateway.errors import error
from gateway.upstream.channel import State
from tests.upstream.clients import Client, opened, stream_failure
from tests.upstream.servers import GRPC, backend, data, headers, message, scripted

STREAM = "stream_stream"

OURS = re.compile(
    r"GrpcioChannel|NativeChannel.stream|Requests|StreamRun|_UnaryRun|StreamStreamCall|UnaryUnaryCall"
)


async def chat(requests, context):
    async for request in requests:
        yield b"re: " + request


async def endless(requests, context):
    while True:
        await asyncio.Event().wait()
        yield b""


async def running_tasks():
    """Returns the tasks of channels and calls, once those that are ending have ended."""
    for _ in range(5):
        await asyncio.sleep(0)
    return {task for task in asyncio.all_tasks() if OURS.search(repr(task.get_coro()))}


async def count_to_three(request, context):
    for number in range(3):
        yield request + b"%d" % number


async def join(requests, context):
    return b"+".join([request async for request in requests])


@pytest.mark.parametrize(
    ("kind", "handler", "requests", "replies"),
    [
        ("unary_stream", count_to_three, [b"n"], [b"n0", b"n1", b"n2"]),
        ("stream_unary", join, [b"a", b"", b"b"], [b"a++b"]),
        ("stream_unary", join, [], [b""]),
        (STREAM, chat, [b"a", b"b"], [b"re: a", b"re: b"]),
        (STREAM, chat, [], []),
        (STREAM, chat, [b"x" * 1_000_000], [b"re: " + b"x" * 1_000_000]),
    ],
    ids=["server streams", "client streams", "client streams nothing", "both", "nothing", "large"],
)
async def test_every_kind_of_method_is_a_stream(make, kind, handler, requests, replies):
    client = Client("test.Echo/Method", requests)
    async with backend(Method=(kind, handler)) as endpoint, opened(make, endpoint) as channel:
        before = await running_tasks()
        await channel.stream(client)
        assert channel.pending == 0
        assert await running_tasks() == before
    assert client.replies == replies
    assert len(client.started) == 1


async def test_messages_pass_while_the_client_still_sends(make):
    client = Client("test.Echo/Chat")
    client.requests = iter([b"one", client.reply, b"two"])
    async with (
        backend(Chat=(STREAM, chat)) as endpoint,
        opened(make, endpoint) as channel,
    ):
        await channel.stream(client)
    assert client.replies == [b"re: one", b"re: two"]


async def test_metadata_passes_both_ways(make):
    async def tell(requests, context):
        await context.send_initial_metadata((("y-one", "1"), ("y-bin", b"\xff")))
        yield dict(context.invocation_metadata())["x-bin"]
        context.set_trailing_metadata((("z-one", "2"), ("z-bin", b"\x01")))

    client = Client("test.Echo/Tell", metadata=Metadata([("x-bin", b"\x00\xff")]))
    async with backend(Tell=(STREAM, tell)) as endpoint, opened(make, endpoint) as channel:
        trailers = await channel.stream(client)
    assert client.replies == [b"\x00\xff"]
    assert client.started == [Metadata([("y-one", "1"), ("y-bin", b"\xff")])]
    assert trailers == Metadata([("z-one", "2"), ("z-bin", b"\x01")])


async def test_the_initial_metadata_does_not_wait_for_a_message(make):
    started = asyncio.Event()

    class Early(Client):
        async def start(self, initial):
            await super().start(initial)
            started.set()

    async def late(requests, context):
        await context.send_initial_metadata((("y", "1"),))
        async for request in requests:
            yield request

    client = Early("test.Echo/Late", [started, b"now"])
    async with backend(Late=(STREAM, late)) as endpoint, opened(make, endpoint) as channel:
        await channel.stream(client)
    assert client.replies == [b"now"]


async def test_a_refused_call_does_not_start(make):
    async def refuse(requests, context):
        context.set_trailing_metadata((("z", "1"),))
        await context.abort(grpc_code("PERMISSION_DENIED"), "not you")
        yield b""

    client = Client("test.Echo/Refuse")
    async with backend(Refuse=(STREAM, refuse)) as endpoint, opened(make, endpoint) as channel:
        refused = await stream_failure(channel, client)
    assert refused.status == Status(Code.PERMISSION_DENIED, "not you")
    assert refused.metadata.get("z") == "1"
    assert client.started == []


async def test_an_error_after_messages_comes_after_them(make):
    async def fail(requests, context):
        await context.send_initial_metadata((("y", "1"),))
        for _ in range(100):
            yield b"message"
        context.set_trailing_metadata((("z", "2"),))
        await context.abort(grpc_code("DATA_LOSS"), "lost the rest")

    client = Client("test.Echo/Fail")
    async with backend(Fail=(STREAM, fail)) as endpoint, opened(make, endpoint) as channel:
        failed = await stream_failure(channel, client)
    assert client.replies == [b"message"] * 100
    assert failed.status == Status(Code.DATA_LOSS, "lost the rest")
    assert failed.metadata == Metadata([("y", "1"), ("z", "2")])


async def test_cancelling_the_task_reaches_the_backend(make):
    running, ended = asyncio.Event(), asyncio.Event()

    async def hang(requests, context):
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        yield b""

    client = Client("test.Echo/Hang", [asyncio.Event()])
    async with backend(Hang=(STREAM, hang)) as endpoint, opened(make, endpoint) as channel:
        before = await running_tasks()
        task = asyncio.ensure_future(channel.stream(client))
        await running.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await ended.wait()
        assert channel.pending == 0
        assert await running_tasks() == before


async def test_cancelling_at_once_leaves_nothing(make):
    async with backend(Chat=(STREAM, chat)) as endpoint, opened(make, endpoint) as channel:
        await channel.stream(Client("test.Echo/Chat"))
        before = await running_tasks()
        for turns in range(10):
            task = asyncio.ensure_future(channel.stream(Client("test.Echo/Chat", [b"x"])))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert channel.pending == 0
        assert await running_tasks() == before


@pytest.mark.parametrize(
    "raised",
    [error("INVALID_JSON", "line 3 is not JSON"), ZeroDivisionError()],
    ids=["error", "bug"],
)
async def test_what_receive_raises_wins_and_cancels_the_call(make, raised):
    ended = asyncio.Event()

    async def listen(requests, context):
        try:
            async for request in requests:
                yield request
        finally:
            ended.set()

    client = Client("test.Echo/Listen")
    client.requests = iter([b"one", client.reply, raised])
    async with backend(Listen=(STREAM, listen)) as endpoint, opened(make, endpoint) as channel:
        with pytest.raises(type(raised)) as caught:
            await channel.stream(client)
        await ended.wait()
    assert caught.value is raised
    assert client.replies == [b"one"]


@pytest.mark.parametrize("method", ["start", "send"])
async def test_what_the_client_side_raises_cancels_the_call(make, method):
    ended = asyncio.Event()

    async def talk(requests, context):
        try:
            while True:
                yield b"word"
        finally:
            ended.set()

    class Gone(Client):
        pass

    async def gone(self, _):
        raise ConnectionResetError

    setattr(Gone, method, gone)
    async with backend(Talk=(STREAM, talk)) as endpoint, opened(make, endpoint) as channel:
        before = await running_tasks()
        with pytest.raises(ConnectionResetError):
            await channel.stream(Gone("test.Echo/Talk"))
        await ended.wait()
        assert await running_tasks() == before


async def test_a_backend_that_ends_early_ends_the_request_stream(make):
    async def refuse(requests, context):
        await anext(aiter(requests))
        await context.abort(grpc_code("RESOURCE_EXHAUSTED"), "enough")
        yield b""

    client = Client("test.Echo/Refuse", [b"one", asyncio.Event()])
    async with backend(Refuse=(STREAM, refuse)) as endpoint, opened(make, endpoint) as channel:
        before = await running_tasks()
        refused = await stream_failure(channel, client)
        assert await running_tasks() == before
    assert refused.status == Status(Code.RESOURCE_EXHAUSTED, "enough")


@pytest.mark.parametrize("attempt", range(5))
async def test_an_early_status_is_not_hidden_by_writes_that_fail_on_it(make, attempt):
    async def refuse(requests, context):
        await anext(aiter(requests))
        await context.abort(grpc_code("FAILED_PRECONDITION"), "closed")
        yield b""

    client = Client("test.Echo/Refuse", (b"x" * 100_000 for _ in range(100_000)))
    async with backend(Refuse=(STREAM, refuse)) as endpoint, opened(make, endpoint) as channel:
        refused = await stream_failure(channel, client)
    assert refused.status == Status(Code.FAILED_PRECONDITION, "closed")


@pytest.mark.parametrize("attempt", range(5))
async def test_an_early_answer_is_not_lost_by_writes_that_fail_on_it(make, attempt):
    async def enough(requests, context):
        await anext(aiter(requests))
        return b"enough"

    client = Client("test.Echo/Enough", (b"x" * 100_000 for _ in range(100_000)))
    async with (
        backend(Enough=("stream_unary", enough)) as endpoint,
        opened(make, endpoint) as channel,
    ):
        await channel.stream(client)
    assert client.replies == [b"enough"]


async def test_a_deadline_ends_the_stream_here_and_at_the_backend(make):
    ended = asyncio.Event()

    async def talk(requests, context):
        try:
            yield b"word"
            await asyncio.Event().wait()
        finally:
            ended.set()

    deadline = Deadline(asyncio.get_running_loop().time() + 0.3)
    client = Client("test.Echo/Talk", [asyncio.Event()], deadline=deadline)
    async with backend(Talk=(STREAM, talk)) as endpoint, opened(make, endpoint) as channel:
        late = await stream_failure(channel, client)
        await ended.wait()
    assert late.reason == "DEADLINE_EXCEEDED"
    assert client.replies == [b"word"]


async def test_a_deadline_that_has_passed_is_not_sent(make):
    past = Deadline(asyncio.get_running_loop().time() - 1)
    client = Client("test.Echo/Chat", [b"x"], deadline=past)
    async with backend(Chat=(STREAM, chat)) as endpoint, opened(make, endpoint) as channel:
        late = await stream_failure(channel, client)
    assert late.reason == "DEADLINE_EXCEEDED"
    assert client.taken == 0


async def test_a_slow_client_stops_the_backend(make):
    """What a backend can send ahead is bounded by HTTP/2's windows, whatever it would send."""
    sent, size, stalled = 0, 65_536, asyncio.Event()

    async def flood(requests, context):
        nonlocal sent
        payload = b"x" * size
        while True:
            stalled.clear()
            write = asyncio.ensure_future(context.write(payload))
            _, waiting = await asyncio.wait({write}, timeout=0.3)
            if waiting:
                stalled.set()
            await write
            sent += 1

    client = Client("test.Echo/Flood")
    async with backend(Flood=(STREAM, flood)) as endpoint, opened(make, endpoint) as channel:
        task = asyncio.ensure_future(channel.stream(client))
        await client.reply.wait()
        client.ready.clear()
        await asyncio.wait_for(stalled.wait(), 30)
        ahead = sent - len(client.replies)
        assert ahead * size < 32 * 1024 * 1024
        client.reply = asyncio.Event()
        client.ready.set()
        await client.reply.wait()
        task.cancel()
        await asyncio.wait({task})


async def test_a_slow_backend_stops_the_client(make):
    """What is taken from the client is bounded by HTTP/2's windows, whatever it would send."""
    gate, size = asyncio.Event(), 65_536

    async def idle(requests, context):
        await gate.wait()
        return b"%d" % len([None async for _ in requests])

    client = Client("test.Echo/Idle", (b"x" * size for _ in range(4_000)))
    async with backend(Idle=("stream_unary", idle)) as endpoint, opened(make, endpoint) as channel:
        task = asyncio.ensure_future(channel.stream(client))
        taken = -1
        while taken != client.taken or not taken:
            taken = client.taken
            await asyncio.sleep(0.3)
        assert taken * size < 32 * 1024 * 1024
        gate.set()
        await task
    assert client.replies == [b"4000"]


async def test_a_request_message_over_the_limit_is_an_error(make):
    ended = asyncio.Event()

    async def listen(requests, context):
        try:
            async for request in requests:
                yield request
        finally:
            ended.set()

    client = Client("test.Echo/Listen", [b"x" * 100, b"x" * 101])
    async with (
        backend(Listen=(STREAM, listen)) as endpoint,
        opened(make, endpoint, message_size=100) as channel,
    ):
        refused = await stream_failure(channel, client)
        await ended.wait()
    assert refused.reason == "MESSAGE_TOO_LARGE"
    assert "101" in refused.status.message


async def test_close_waits_for_streams(make):
    client = Client("test.Echo/Chat")
    gate = asyncio.Event()
    client.requests = iter([b"one", gate, b"two"])
    async with backend(Chat=(STREAM, chat)) as endpoint, opened(make, endpoint) as channel:
        task = asyncio.ensure_future(channel.stream(client))
        await client.reply.wait()
        closing = asyncio.ensure_future(channel.close(60))
        await asyncio.sleep(0)
        late = await stream_failure(channel, Client("test.Echo/Chat"))
        gate.set()
        await task
        await closing
    assert late.reason == "DRAINING"
    assert client.replies == [b"re: one", b"re: two"]


@pytest.mark.parametrize("where", ["waits for the backend", "waits for the client"])
async def test_close_ends_streams_that_outlast_the_grace(make, where):
    ended = asyncio.Event()

    async def talk(requests, context):
        try:
            yield b"word"
            if where == "waits for the client":
                while True:
                    yield b"word"
            await asyncio.Event().wait()
        finally:
            ended.set()

    client = Client("test.Echo/Talk", [asyncio.Event()])
    async with backend(Talk=(STREAM, talk)) as endpoint, opened(make, endpoint) as channel:
        task = asyncio.ensure_future(stream_failure(channel, client))
        await client.reply.wait()
        client.ready.clear()
        await channel.close(0)
        assert (await task).reason == "DRAINING"
        await ended.wait()
        assert channel.state is State.CLOSED


async def test_an_ok_with_initial_metadata_and_no_message_starts(make):
    def empty(stream):
        return headers(stream, [*GRPC, ("y", "1")]) + headers(
            stream, [("grpc-status", "0"), ("z", "2")], end=True
        )

    client = Client("test.Echo/Empty")
    async with scripted(empty) as endpoint, opened(make, endpoint) as channel:
        trailers = await channel.stream(client)
    assert client.started == [Metadata([("y", "1")])]
    assert client.replies == []
    assert trailers == Metadata([("z", "2")])


async def test_a_status_of_a_stream_has_details(make):
    from google.rpc import status_pb2

    rich = status_pb2.Status(code=5, message="gone")
    rich.details.add(type_url="type.googleapis.com/a.B", value=b"\x01")

    async def fail(requests, context):
        yield b"one"
        context.set_trailing_metadata((("grpc-status-details-bin", rich.SerializeToString()),))
        await context.abort(grpc_code("NOT_FOUND"), "gone")

    async with backend(Fail=(STREAM, fail)) as endpoint, opened(make, endpoint) as channel:
        failed = await stream_failure(channel, Client("test.Echo/Fail"))
    assert failed.status == Status(
        Code.NOT_FOUND, "gone", (Detail("type.googleapis.com/a.B", b"\x01"),)
    )
    assert failed.metadata == Metadata()


async def test_trailers_hide_no_message_before_them(make):
    """A whole answer in one packet: every message counts, and then the status."""

    def packet(stream):
        return (
            headers(stream, GRPC)
            + data(stream, message(b"one") + message(b"two"))
            + headers(stream, [("grpc-status", "5"), ("grpc-message", "no third")], end=True)
        )

    client = Client("test.Echo/Packet")
    async with scripted(packet) as endpoint, opened(make, endpoint) as channel:
        with pytest.raises(RpcError) as failed:
            await channel.stream(client)
    assert client.replies == [b"one", b"two"]
    assert failed.value.status == Status(Code.NOT_FOUND, "no third")


def grpc_code(name):
    import grpc

    return grpc.StatusCode[name]
