"""Unary calls: what goes out, what comes back, and when it ends."""

import asyncio
import logging

import pytest

from gateway.call import Call, Code, Deadline, Metadata, Reply
from gateway.upstream.channel import State
from tests.upstream.clients import failure, opened, unary
from tests.upstream.servers import backend, echo, scripted


@pytest.mark.parametrize("request_", [b"", b"\x00\xff", b"x" * 1_000_000], ids=len)
async def test_the_request_goes_out_and_the_reply_comes_back_as_they_are(make, request_):
    async def twice(request, context):
        return request + request

    async with backend(Twice=twice) as endpoint, opened(make, endpoint) as channel:
        reply = await unary(channel, Call("test.Echo/Twice", request_))
    assert reply.message == request_ * 2


async def test_the_method_is_the_path(make):
    async with backend(Method=echo) as endpoint, opened(make, endpoint) as channel:
        reply = await unary(channel, Call("test.v1.Echo/Method", b"x"))
        missing = await failure(channel, Call("test.v1.Echo/Missing"))
    assert reply.message == b"x"
    assert missing.status.code is Code.UNIMPLEMENTED


async def test_metadata_passes_both_ways_text_and_binary(make):
    async def tell(request, context):
        sent = [(key, value) for key, value in context.invocation_metadata() if key.startswith("x")]
        await context.send_initial_metadata((("y-one", "1"), ("y-bin", b"\x00\xff")))
        context.set_trailing_metadata((("z-one", "2"), ("z-one", "3"), ("z-bin", b"\x01")))
        return repr(sent).encode()

    given = Metadata([("x-one", "a b"), ("x-one", "b"), ("x-bin", b"\xff\x00"), ("x-empty", "")])
    async with backend(Tell=tell) as endpoint, opened(make, endpoint) as channel:
        reply = await unary(channel, Call("test.Echo/Tell", metadata=given))
    assert sorted(eval(reply.message)) == sorted(given)
    assert reply.initial == Metadata([("y-one", "1"), ("y-bin", b"\x00\xff")])
    assert reply.trailers == Metadata([("z-one", "2"), ("z-one", "3"), ("z-bin", b"\x01")])


async def test_the_backend_is_told_who_calls(make):
    async def agent(request, context):
        return dict(context.invocation_metadata())["user-agent"].encode()

    async with backend(Agent=agent) as endpoint, opened(make, endpoint) as channel:
        reply = await unary(channel, Call("test.Echo/Agent"))
    assert reply.message.startswith(b"grpc-api-gateway ")


async def test_the_backend_is_told_the_time_that_is_left(make):
    async def left(request, context):
        return repr(context.time_remaining()).encode()

    deadline = Deadline(asyncio.get_running_loop().time() + 100)
    async with backend(Left=left) as endpoint, opened(make, endpoint) as channel:
        with_one = await unary(channel, Call("test.Echo/Left", deadline=deadline))
        without = await unary(channel, Call("test.Echo/Left"))
    # grpcio rounds the `grpc-timeout` up.
    assert 50 < float(with_one.message) < 105
    assert without.message == b"None"


async def test_a_deadline_may_be_as_far_as_a_client_can_ask(make):
    async def answer(request, context):
        return b"in time"

    deadline = Deadline(asyncio.get_running_loop().time() + 99_999_999 * 3600)
    async with backend(Answer=answer) as endpoint, opened(make, endpoint) as channel:
        reply = await unary(channel, Call("test.Echo/Answer", deadline=deadline))
    assert reply.message == b"in time"


async def test_a_deadline_ends_the_call_here_and_at_the_backend(make):
    ended = asyncio.Event()

    async def hang(request, context):
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    deadline = Deadline(asyncio.get_running_loop().time() + 0.2)
    async with backend(Hang=hang) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Hang", deadline=deadline))
        await ended.wait()
    assert error.reason == "DEADLINE_EXCEEDED"
    assert error.status.message == "The call did not end before its deadline."


async def test_a_deadline_that_has_passed_is_not_sent(make):
    called = []

    async def note(request, context):
        called.append(request)
        return b""

    past = Deadline(asyncio.get_running_loop().time() - 1)
    async with backend(Note=note) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Note", b"late", deadline=past))
        await unary(channel, Call("test.Echo/Note", b"in time"))
    assert error.reason == "DEADLINE_EXCEEDED"
    assert called == [b"in time"]


async def test_cancel_reaches_the_backend_and_nobody_is_told(make):
    running, ended, answers = asyncio.Event(), asyncio.Event(), []

    async def hang(request, context):
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with backend(Hang=hang, Echo=echo) as endpoint, opened(make, endpoint) as channel:
        cancel = channel.start(Call("test.Echo/Hang"), answers.append)
        await running.wait()
        assert channel.pending == 1
        cancel()
        cancel()
        assert channel.pending == 0
        await ended.wait()
        await unary(channel, Call("test.Echo/Echo"))
    assert answers == []


async def test_cancel_at_once_sends_nothing_and_nobody_is_told(make):
    called, answers = [], []

    async def note(request, context):
        called.append(request)
        return b""

    async with backend(Note=note) as endpoint, opened(make, endpoint) as channel:
        await unary(channel, Call("test.Echo/Note", b"first"))
        channel.start(Call("test.Echo/Note", b"second"), answers.append)()
        await unary(channel, Call("test.Echo/Note", b"third"))
    assert called == [b"first", b"third"]
    assert answers == []


async def test_cancel_after_the_end_has_no_effect(make):
    answers, done = [], asyncio.Event()

    def take(answer):
        answers.append(answer)
        done.set()

    async with backend(Echo=echo) as endpoint, opened(make, endpoint) as channel:
        cancel = channel.start(Call("test.Echo/Echo", b"x"), take)
        await done.wait()
        cancel()
    assert [answer.message for answer in answers] == [b"x"]


async def test_cancel_from_within_done_has_no_effect(make):
    answer = asyncio.get_running_loop().create_future()

    def take(result):
        cancel()
        answer.set_result(result)

    async with backend(Echo=echo) as endpoint, opened(make, endpoint) as channel:
        cancel = channel.start(Call("test.Echo/Echo", b"x"), take)
        assert isinstance(await answer, Reply)


async def test_what_done_raises_is_logged_and_harms_no_other_call(make, caplog):
    raised = asyncio.Event()

    def bad(_):
        raised.set()
        raise ZeroDivisionError

    async with backend(Echo=echo) as endpoint, opened(make, endpoint) as channel:
        channel.start(Call("test.Echo/Echo"), bad)
        await raised.wait()
        await unary(channel, Call("test.Echo/Echo"))
        channel.start(Call("test.Echo/Echo", metadata=Metadata([("A", "")])), bad)
    bugs = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.exc_info[0] for record in bugs] == [ZeroDivisionError] * 2


async def test_a_bug_on_the_way_is_logged_and_answered(make, caplog):
    async with backend(Echo=echo) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call(5))
        assert channel.pending == 0
    assert error.reason == "INTERNAL"
    assert error.status.message == "The gateway failed on this call."
    assert [record.exc_info[0] for record in caplog.records] == [TypeError]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("x-text", "café"),
        ("x-text", "two\nlines"),
        ("x-text", "nul\x00"),
        ("x-text", b"bytes"),
        ("x-text", 5),
        ("x-bin", "text"),
        ("X-Upper", "value"),
        (":path", "value"),
        ("", "value"),
        ("x y", "value"),
        ("x\n", "value"),
    ],
)
async def test_metadata_that_grpc_cannot_carry_is_an_error(make, key, value):
    async with backend(Echo=echo) as endpoint, opened(make, endpoint) as channel:
        error = await failure(channel, Call("test.Echo/Echo", metadata=Metadata([(key, value)])))
        await unary(channel, Call("test.Echo/Echo"))
    assert error.reason == "INVALID_METADATA"
    assert str(value) not in error.status.message.removeprefix("The value of")


async def test_metadata_of_the_backend_that_is_not_ascii_is_text(make):
    wire = [(":status", "200"), ("content-type", "application/grpc"), ("x", b"caf\xc3\xa9 \xff")]

    def odd(stream):
        from tests.upstream import servers

        return (
            servers.headers(stream, wire)
            + servers.data(stream, servers.message(b"hi"))
            + servers.headers(stream, [("grpc-status", "0"), ("y", b"\xfe")], end=True)
        )

    async with scripted(odd) as endpoint, opened(make, endpoint) as channel:
        reply = await unary(channel, Call("test.Echo/Echo"))
    assert isinstance(reply.initial.get("x"), str)
    assert isinstance(reply.trailers.get("y"), str)


async def test_calls_run_side_by_side_and_are_counted(make):
    gate = asyncio.Event()

    async def wait(request, context):
        await gate.wait()
        return request

    async with backend(Wait=wait) as endpoint, opened(make, endpoint) as channel:
        calls = [
            asyncio.ensure_future(unary(channel, Call("test.Echo/Wait", b"%d" % n)))
            for n in range(50)
        ]
        await asyncio.sleep(0)
        assert channel.pending == 50
        gate.set()
        replies = await asyncio.gather(*calls)
        assert channel.pending == 0
    assert [reply.message for reply in replies] == [b"%d" % n for n in range(50)]


async def test_close_waits_for_calls_in_flight_and_takes_no_more(make):
    running, gate = asyncio.Event(), asyncio.Event()

    async def wait(request, context):
        running.set()
        await gate.wait()
        return b"done"

    async with backend(Wait=wait) as endpoint, opened(make, endpoint) as channel:
        call = asyncio.ensure_future(unary(channel, Call("test.Echo/Wait")))
        await running.wait()
        closing = asyncio.ensure_future(channel.close(60))
        await asyncio.sleep(0)
        late = await failure(channel, Call("test.Echo/Wait"))
        gate.set()
        assert (await call).message == b"done"
        await closing
        assert channel.state is State.CLOSED
        later = await failure(channel, Call("test.Echo/Wait"))
    assert (late.reason, later.reason) == ("DRAINING", "DRAINING")


async def test_close_ends_what_outlasts_the_grace(make):
    running, ended = asyncio.Event(), asyncio.Event()

    async def hang(request, context):
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with backend(Hang=hang) as endpoint, opened(make, endpoint) as channel:
        call = asyncio.ensure_future(failure(channel, Call("test.Echo/Hang")))
        await running.wait()
        await channel.close(0.01)
        assert (await call).reason == "DRAINING"
        assert channel.pending == 0
        await ended.wait()
        await channel.close(0)
