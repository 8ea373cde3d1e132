"""The chain: gates, observers and arounds around an upstream."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.call import (
    NO_METADATA,
    OK,
    Call,
    Code,
    Metadata,
    Outcome,
    Reply,
    RpcError,
    Status,
    StreamCall,
)
from gateway.chain import Method, compose_stream, compose_unary
from gateway.schema.method import Kind, MethodDescriptor

DESCRIPTOR = MethodDescriptor("shop.v1.Catalog/GetProduct", Kind.UNARY, "a.In", "a.Out")


class Upstream:
    """Answers when told to."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.done = None
        self.cancelled = 0

    def start(self, call, done):
        self.calls.append(call)
        self.done = done

        def cancel():
            self.cancelled += 1

        return cancel

    def answer(self, result):
        self.done(result)


def answering(result):
    def start(call, done):
        done(result)
        return lambda: None

    return start


class Refuse:
    def __init__(self, code=Code.PERMISSION_DENIED):
        self.code = code

    def admit(self, call):
        raise RpcError(Status(self.code, "no"))


class Admit:
    def __init__(self):
        self.seen = 0

    def admit(self, call):
        self.seen += 1


class Note:
    def __init__(self, log, name):
        self.log, self.name = log, name

    def ended(self, call, outcome):
        self.log.append((self.name, outcome.status.code))


class Permit(Note):
    """A gate and an observer: takes a permit, gives it back."""

    def __init__(self, log):
        super().__init__(log, "permit")
        self.taken = 0

    def admit(self, call):
        self.taken += 1

    def ended(self, call, outcome):
        self.taken -= 1
        super().ended(call, outcome)


class Buggy:
    def admit(self, call):
        raise ZeroDivisionError("a bug")


def run(start, call=None):
    results = []
    cancel = start(call or Call("m"), results.append)
    return results, cancel


def test_without_policies_the_chain_is_the_upstream_itself():
    upstream = Upstream()
    start = upstream.start
    assert compose_unary((), start) is start


def test_a_gate_admits_at_once():
    gate, reply = Admit(), Reply(b"x")
    results, _ = run(compose_unary([gate], answering(reply)))
    assert results == [reply]
    assert gate.seen == 1


def test_the_first_refusal_ends_the_call_and_the_upstream_is_not_asked():
    upstream, later = Upstream(), Admit()
    results, cancel = run(compose_unary([Refuse(), later], upstream.start))
    assert [r.status.code for r in results] == [Code.PERMISSION_DENIED]
    assert upstream.calls == []
    assert later.seen == 0
    cancel()
    assert len(results) == 1


def test_observers_hear_once_in_reverse_order():
    log = []
    upstream = Upstream()
    results, cancel = run(compose_unary([Note(log, "a"), Note(log, "b")], upstream.start))
    assert log == []
    upstream.answer(Reply(b""))
    assert log == [("b", Code.OK), ("a", Code.OK)]
    cancel()
    assert log == [("b", Code.OK), ("a", Code.OK)]
    assert len(results) == 1


def test_observers_hear_of_a_refusal_only_where_the_call_had_come():
    log = []
    before, permit = Note(log, "before"), Permit(log)
    run(compose_unary([before, Refuse(), permit], Upstream().start))
    assert log == [("before", Code.PERMISSION_DENIED)]
    assert permit.taken == 0


def test_a_permit_is_given_back_at_the_end_and_on_cancel():
    log = []
    permit, upstream = Permit(log), Upstream()
    start = compose_unary([permit], upstream.start)
    run(start)
    assert permit.taken == 1
    upstream.answer(RpcError(Status(Code.UNAVAILABLE)))
    assert permit.taken == 0
    _, cancel = run(start)
    cancel()
    cancel()
    assert permit.taken == 0
    assert upstream.cancelled == 1
    assert log[-1] == ("permit", Code.CANCELLED)


def test_a_bug_in_a_gate_is_logged_and_internal(caplog):
    with caplog.at_level(logging.ERROR):
        results, _ = run(compose_unary([Buggy()], Upstream().start))
    assert results[0].status.code is Code.INTERNAL
    assert "bug" not in results[0].status.message
    assert "ZeroDivisionError" in caplog.text


def test_a_bug_in_an_observer_harms_no_call(caplog):
    class Bad:
        def ended(self, call, outcome):
            raise ZeroDivisionError

    log = []
    with caplog.at_level(logging.ERROR):
        results, _ = run(compose_unary([Note(log, "a"), Bad()], answering(Reply(b"x"))))
    assert results[0].message == b"x"
    assert log == [("a", Code.OK)]
    assert "ZeroDivisionError" in caplog.text


class Hold:
    """A gate that must wait: until it is told to let calls through, or to refuse them."""

    def __init__(self, log=None):
        self.told = asyncio.Event()
        self.refusal = None
        self.asked = 0
        self.log = log if log is not None else []

    async def _wait(self):
        await self.told.wait()
        self.log.append("waited")
        if self.refusal:
            raise self.refusal

    def admit(self, call):
        self.asked += 1
        return self._wait()


class Once(Hold):
    """A gate that must wait for its first call only."""

    def admit(self, call):
        return super().admit(call) if not self.asked else None


@pytest.mark.parametrize("observed", [False, True], ids=["alone", "observed"])
class TestAGateThatWaits:
    def chain(self, log, observed, *policies):
        return [Note(log, "before"), *policies, Note(log, "after")] if observed else policies

    async def test_holds_up_its_call_and_lets_it_go_on(self, observed):
        log, hold, later, upstream = [], Hold(), Admit(), Upstream()
        results, _ = run(compose_unary(self.chain(log, observed, hold, later), upstream.start))
        await asyncio.sleep(0)
        assert (results, later.seen, upstream.calls) == ([], 0, [])
        hold.told.set()
        while not upstream.calls:
            await asyncio.sleep(0)
        assert later.seen == 1
        upstream.answer(Reply(b"x"))
        assert results[0].message == b"x"
        assert log == ([("after", Code.OK), ("before", Code.OK)] if observed else [])

    async def test_may_be_followed_by_another_one(self, observed):
        log, first, second, upstream = [], Hold(), Hold(), Upstream()
        run(compose_unary(self.chain(log, observed, first, second), upstream.start))
        first.told.set()
        while not second.asked:
            await asyncio.sleep(0)
        assert upstream.calls == []
        second.told.set()
        while not upstream.calls:
            await asyncio.sleep(0)

    async def test_refuses_later(self, observed):
        log, hold, upstream = [], Hold(), Upstream()
        hold.refusal = RpcError(Status(Code.UNAUTHENTICATED, "no"))
        results, _ = run(compose_unary(self.chain(log, observed, hold), upstream.start))
        hold.told.set()
        while not results:
            await asyncio.sleep(0)
        assert results[0].status.code is Code.UNAUTHENTICATED
        assert upstream.calls == []
        assert log == ([("before", Code.UNAUTHENTICATED)] if observed else [])

    async def test_has_its_bugs_logged(self, observed, caplog):
        hold = Hold()
        hold.refusal = ZeroDivisionError("a bug")
        hold.told.set()
        results, _ = run(compose_unary(self.chain([], observed, hold), Upstream().start))
        while not results:
            await asyncio.sleep(0)
        assert results[0].status.code is Code.INTERNAL
        assert "ZeroDivisionError" in caplog.text

    @pytest.mark.parametrize("turns", [0, 3], ids=["before it began to wait", "while it waits"])
    async def test_is_left_when_the_call_is_cancelled(self, observed, turns):
        log, hold, upstream = [], Hold(), Upstream()
        results, cancel = run(compose_unary(self.chain(log, observed, hold), upstream.start))
        for _ in range(turns):
            await asyncio.sleep(0)
        cancel()
        hold.told.set()
        for _ in range(3):
            await asyncio.sleep(0)
        assert (results, upstream.calls, hold.log) == ([], [], [])
        assert log == ([("before", Code.CANCELLED)] if observed else [])

    async def test_is_behind_the_call_that_is_cancelled_later(self, observed):
        log, hold, upstream = [], Hold(), Upstream()
        hold.told.set()
        results, cancel = run(compose_unary(self.chain(log, observed, hold), upstream.start))
        while not upstream.calls:
            await asyncio.sleep(0)
        cancel()
        assert upstream.cancelled == 1
        assert results == []
        expected = [("after", Code.CANCELLED), ("before", Code.CANCELLED)]
        assert log == (expected if observed else [])

    async def test_need_not_wait_for_every_call(self, observed):
        hold = Once()
        start = compose_unary(self.chain([], observed, hold), answering(Reply(b"x")))
        first, _ = run(start)
        second, _ = run(start)
        assert first == []
        assert second[0].message == b"x"
        hold.told.set()
        while not first:
            await asyncio.sleep(0)


async def test_a_gate_that_waits_holds_up_a_stream():
    log, hold = [], Hold()
    chain = compose_stream([Note(log, "a"), hold, Note(log, "b")], stream_of())
    task = asyncio.ensure_future(chain(Client("m")))
    await asyncio.sleep(0)
    assert not task.done()
    hold.told.set()
    await task
    assert log == [("b", Code.OK), ("a", Code.OK)]


async def test_a_gate_that_waits_is_left_when_its_stream_is_cancelled():
    log, hold = [], Hold()
    chain = compose_stream([Note(log, "a"), hold, Note(log, "b")], stream_of())
    task = asyncio.ensure_future(chain(Client("m")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == [("a", Code.CANCELLED)]


class StreamsOnly(Admit):
    """A gate that stands around streams as well."""

    def __init__(self):
        super().__init__()
        self.streams = 0

    async def stream(self, call, proceed):
        self.streams += 1
        return await proceed(call)


async def test_what_stands_around_streams_only_is_at_most_a_gate_of_unary_calls():
    policy = StreamsOnly()
    results, _ = run(compose_unary([policy], answering(Reply(b"x"))))
    assert results[0].message == b"x"
    assert (policy.seen, policy.streams) == (1, 0)
    await compose_stream([policy], stream_of())(Client("m"))
    assert (policy.seen, policy.streams) == (1, 1)


class Wait:
    """An Around that waits for an event before the call goes on, and notes the way back."""

    def __init__(self, log=None):
        self.gate = asyncio.Event()
        self.log = log if log is not None else []

    async def unary(self, call, proceed):
        self.log.append("in")
        await self.gate.wait()
        try:
            return await proceed(call)
        finally:
            self.log.append("out")

    async def stream(self, call, proceed):
        self.log.append("in")
        await self.gate.wait()
        try:
            return await proceed(call)
        finally:
            self.log.append("out")


async def test_an_around_waits_and_the_reply_comes_back_through_it():
    around, done = Wait(), asyncio.Event()
    results = []
    start = compose_unary([Admit(), around, Admit()], answering(Reply(b"x")))
    start(Call("m"), lambda r: (results.append(r), done.set()))
    assert results == []
    around.gate.set()
    await done.wait()
    assert results[0].message == b"x"
    assert around.log == ["in", "out"]


async def test_cancel_while_an_around_waits_reaches_the_upstream_and_never_calls_done():
    around, upstream = Wait(), Upstream()
    around.gate.set()
    results, cancel = run(compose_unary([around], upstream.start))
    while not upstream.calls:
        await asyncio.sleep(0)
    cancel()
    while around.log != ["in", "out"]:
        await asyncio.sleep(0)
    assert upstream.cancelled == 1
    assert results == []


async def test_cancel_between_an_arounds_end_and_its_answer_never_calls_done():
    log, around = [], Wait()
    around.gate.set()
    results, cancel = run(compose_unary([Note(log, "a"), around], answering(Reply(b""))))
    await asyncio.sleep(0)
    assert around.log == ["in", "out"]
    assert results == []
    cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert results == []
    assert log == [("a", Code.CANCELLED)]


async def test_a_refusal_behind_an_around_passes_through_it():
    around, done = Wait(), asyncio.Event()
    around.gate.set()
    results = []
    start = compose_unary([around, Refuse()], answering(Reply(b"")))
    start(Call("m"), lambda r: (results.append(r), done.set()))
    await done.wait()
    assert results[0].status.code is Code.PERMISSION_DENIED


async def test_method_call_awaits_and_raises():
    method = Method(DESCRIPTOR, [], answering(Reply(b"x")), stream_of())
    assert (await method.call(Call("m"))).message == b"x"
    failing = answering(RpcError(Status(Code.NOT_FOUND, "gone")))
    with pytest.raises(RpcError, match="gone"):
        await Method(DESCRIPTOR, [], failing, stream_of()).call(Call("m"))


async def test_cancelling_the_waiter_cancels_the_call():
    upstream = Upstream()
    task = asyncio.ensure_future(
        Method(DESCRIPTOR, [], upstream.start, stream_of()).call(Call("m"))
    )
    while not upstream.calls:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert upstream.cancelled == 1
    upstream.answer(Reply(b"late"))


class Client(StreamCall):
    async def receive(self):
        return None

    async def start(self, initial):
        pass

    async def send(self, message):
        pass


def stream_of(*messages, error=None, trailers=NO_METADATA):
    async def run(call):
        await call.start(NO_METADATA)
        for message in messages:
            await call.send(message)
        if error:
            raise error
        return trailers

    return run


async def test_a_stream_without_policies_is_the_upstream_itself():
    upstream = stream_of()
    assert compose_stream((), upstream) is upstream


async def test_a_permit_is_held_until_the_stream_ends():
    log = []
    permit, going = Permit(log), asyncio.Event()

    async def upstream(call):
        assert permit.taken == 1
        await going.wait()
        return Metadata([("a", "1")])

    task = asyncio.ensure_future(compose_stream([permit], upstream)(Client("m")))
    await asyncio.sleep(0)
    assert permit.taken == 1
    going.set()
    assert (await task).get("a") == "1"
    assert permit.taken == 0
    assert log == [("permit", Code.OK)]


@pytest.mark.parametrize(
    ("failure", "code"),
    [(RpcError(Status(Code.ABORTED)), Code.ABORTED), (ZeroDivisionError("bug"), Code.INTERNAL)],
    ids=["status", "bug"],
)
async def test_a_failing_stream_tells_observers_its_status(failure, code):
    log = []
    with pytest.raises(RpcError) as caught:
        await compose_stream([Note(log, "a")], stream_of(error=failure))(Client("m"))
    assert caught.value.status.code is code
    assert log == [("a", code)]


async def test_cancelling_a_stream_tells_observers_cancelled():
    log = []

    async def forever(call):
        await asyncio.Event().wait()

    task = asyncio.ensure_future(compose_stream([Note(log, "a")], forever)(Client("m")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == [("a", Code.CANCELLED)]


async def test_a_refused_stream_reaches_no_upstream():
    async def never(call):
        raise AssertionError

    with pytest.raises(RpcError) as caught:
        await compose_stream([Refuse()], never)(Client("m"))
    assert caught.value.status.code is Code.PERMISSION_DENIED


async def test_an_around_stands_around_a_stream():
    around = Wait()
    around.gate.set()
    trailers = await compose_stream([around, Admit()], stream_of(trailers=Metadata([("t", "1")])))(
        Client("m")
    )
    assert trailers.get("t") == "1"
    assert around.log == ["in", "out"]


def test_outcome_of_a_reply_holds_it():
    seen = []

    class See:
        def ended(self, call, outcome):
            seen.append(outcome)

    reply = Reply(b"x")
    run(compose_unary([See()], answering(reply)))
    assert seen == [Outcome(OK, reply)]


async def test_what_a_gate_returned_and_nobody_awaited_is_closed():
    class Rest:
        closed = 0

        def __await__(self):
            raise AssertionError("its call was cancelled before")
            yield

        def close(self):
            self.closed += 1

    class Gate:
        def __init__(self):
            self.rest = Rest()

        def admit(self, call):
            return self.rest

    gate = Gate()
    start = compose_unary([gate], Upstream().start)
    start(Call("a.B/C"), lambda result: None)()
    await asyncio.sleep(0)
    assert gate.rest.closed == 1
