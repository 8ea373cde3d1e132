"""What is noted of calls on their way: when they began, how they ended, once each."""

import asyncio
import gc
import weakref

import pytest

from gateway.call import OK, Call, Code, Principal, Reply, RpcError, Status
from gateway.chain import Method
from gateway.chain.recorded import recorded_stream, recorded_unary
from gateway.record import MOST_CALLS, RequestRecord
from gateway.telemetry.records import Records
from tests.upstream.fakes import Clock

METHOD = "shop.v1.Shop/Get"
KNOWN = Principal("ann", "customers")
LOST = RpcError(Status(Code.NOT_FOUND, "There is none."), reason="ROUTE_NOT_FOUND")


class Kept:
    """Keeps what it is told, as plain values."""

    def __init__(self):
        self.calls, self.requests = [], []

    def called(self, call):
        self.calls.append((call.method, call.code, call.reason, call.ended - call.began))

    def asked(self, request):
        self.requests.append((request.kind, request.status, request.gone, request.made))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def records(kept, clock):
    return Records([kept], clock=clock)


def call_of(record, request=b"four"):
    return Call(METHOD, request, record=record.call(METHOD))


def test_a_call_that_is_given_up_is_told_of_once_however_many_there_are(records, kept):
    record = records.begin(head=None)
    start = recorded_unary(lambda call, done: lambda: None)
    cancels = [start(call_of(record), lambda result: None) for _ in range(MOST_CALLS + 3)]
    for cancel in cancels:
        cancel()
        cancel()
    record.left()
    assert len(kept.calls) == MOST_CALLS + 3
    assert {code for _, code, _, _ in kept.calls} == {None}


def test_a_unary_call_that_went_well(records, kept, clock):
    record = records.begin(head=None)
    call = call_of(record)
    ends = []

    def upstream(call, done):
        call.principal = KNOWN
        clock.now += 2
        done(Reply(b"answer"))

    recorded_unary(upstream)(call, ends.append)
    assert [each.message for each in ends] == [b"answer"]
    assert kept.calls == [(METHOD, Code.OK, None, 2)]
    made = record.calls[0]
    assert (made.received_bytes, made.sent_bytes, made.principal) == (4, 6, KNOWN)


def test_a_unary_call_that_failed(records, kept):
    record = records.begin(head=None)
    recorded_unary(lambda _, done: done(LOST))(call_of(record), lambda _: None)
    assert kept.calls == [(METHOD, Code.NOT_FOUND, "ROUTE_NOT_FOUND", 0)]
    assert record.calls[0].message == "There is none."


def test_one_that_is_given_up_ends_with_its_request_and_has_no_code(records, kept, clock):
    record = records.begin(head=None)
    recorded_unary(lambda _call, _done: lambda: None)(call_of(record), lambda _: None)
    clock.now += 3
    record.left()
    assert kept.calls == [(METHOD, None, None, 3)]
    assert kept.requests == [("request", 499, True, 1)]


def test_who_made_one_is_known_whoever_ends_it(clock):
    seen = []

    class Callers:
        def called(self, call):
            seen.append((call.principal, call.caller))

        def asked(self, request):
            seen.append(request.principal)

    def upstream(call, _done):
        call.principal = KNOWN  # as a gate finds out on the way
        return lambda: None

    records = Records([Callers()], clock=clock)
    record = records.begin(head=None)
    recorded_unary(upstream)(call_of(record), lambda _: None)
    record.left()
    assert seen == [(KNOWN, None), KNOWN]


async def test_who_left_a_stream_is_known(clock):
    seen = []

    class Callers:
        def called(self, call):
            seen.append(call.principal)

        def asked(self, request):
            seen.append(request.principal)

    async def upstream(call):
        call.principal = KNOWN
        begun.set()
        await asyncio.Event().wait()

    begun = asyncio.Event()
    record = Records([Callers()], clock=clock).begin(head=None)
    task = asyncio.create_task(recorded_stream(upstream)(call_of(record)))
    await begun.wait()
    record.left()  # before its task hears of it
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [KNOWN, KNOWN]


def test_whom_a_front_found_is_who_asked_where_there_are_no_calls(records):
    record = records.begin(head=None)
    record.client = KNOWN
    assert record.principal is KNOWN


def test_one_that_never_began_is_none(records, kept):
    record = records.begin(head=None)
    call_of(record)
    record.answered(400, 10)
    assert kept.calls == []
    assert kept.requests == [("request", 400, False, 1)]


def test_a_call_without_a_record_is_let_through():
    ends = []
    recorded_unary(lambda _, done: done(Reply(b"")))(Call(METHOD), ends.append)
    assert len(ends) == 1


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (None, (Code.OK, None)),
        (LOST, (Code.NOT_FOUND, "ROUTE_NOT_FOUND")),
        (KeyError("a bug"), (Code.INTERNAL, "INTERNAL")),
        (asyncio.CancelledError(), (None, None)),
    ],
    ids=["well", "failed", "bug", "cancelled"],
)
async def test_a_stream(records, kept, failure, told):
    record = records.begin(head=None)
    call = call_of(record)

    async def upstream(_):
        if failure is not None:
            raise failure
        return ()

    try:
        await recorded_stream(upstream)(call)
    except (RpcError, asyncio.CancelledError) as raised:
        assert failure is not None
        assert isinstance(raised, RpcError) or raised is failure
    assert kept.calls == [(METHOD, *told, 0)]


def test_each_is_kept_once(records, kept):
    record = records.begin(head=None)
    call = call_of(record)
    recorded_unary(lambda _, done: done(Reply(b"")))(call, lambda _: None)
    record.answered(200, 5)
    record.left()
    record.end()
    assert len(kept.calls) == len(kept.requests) == 1


def test_a_request_notes_so_many_of_its_calls_and_counts_all(records, kept):
    record = records.begin(head=None)
    for _ in range(MOST_CALLS + 5):
        recorded_unary(lambda _, done: done(Reply(b"")))(call_of(record), lambda _: None)
    assert len(record.calls) == MOST_CALLS
    assert record.made == len(kept.calls) == MOST_CALLS + 5


def test_what_is_under_way_is_counted_by_its_kind(records):
    record = records.begin(head=None)
    assert records.active["request"] == 1
    record.upgraded()
    stream = record.on_socket("stream")
    assert records.active == {"request": 0, "socket": 1, "stream": 1, "operation": 0}
    stream.end()
    record.end()
    assert not any(records.active.values())


def test_nothing_of_a_request_waits_for_the_garbage_collector(records):
    class Head:
        pass

    head = Head()
    gone = weakref.ref(head)
    gc.disable()
    try:
        for end in (lambda each: each.left(), lambda each: each.answered(200, 1)):
            record: RequestRecord = records.begin(head)
            call = call_of(record)
            recorded_unary(lambda _, done: done(LOST))(call, lambda _: None)
            pending = call_of(record)
            recorded_unary(lambda _call, _done: lambda: None)(pending, lambda _: None)
            end(record)
            del record, call, pending
        del head
        assert gone() is None
    finally:
        gc.enable()


def test_a_keeper_that_fails_fails_nothing_and_is_told_of_once(clock, caplog, kept):
    class Broken:
        def called(self, call):
            raise KeyError(call.method)

        asked = called

    records = Records([Broken(), kept], clock=clock)
    for _ in range(2):
        record = records.begin(head=None)
        recorded_unary(lambda _, done: done(Reply(b"")))(call_of(record), lambda _: None)
        record.answered(200, 0)
    assert len(kept.calls) == len(kept.requests) == 2
    assert len(caplog.records) == 1


def test_a_method_notes_its_calls_where_it_is_asked_to(records, kept):
    class Descriptor:
        name = METHOD

    def upstream(_call, done):
        done(Reply(b""))
        return lambda: None

    async def stream(_):
        return ()

    for recorded in (True, False):
        method = Method(Descriptor(), (), upstream, stream, recorded=recorded)
        method.start(call_of(records.begin(head=None)), lambda _: None)
    assert len(kept.calls) == 1
    assert OK.code is Code.OK
