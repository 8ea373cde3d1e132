"""The driver: what is written, delays, faults and streams, on a clock of the test's own."""

from __future__ import annotations

import asyncio

import pytest

from gateway.call import Call, Code, Deadline, Reply, RpcError, Status, StreamCall
from gateway.mock.answers import Answers
from gateway.mock.dice import Dice
from gateway.mock.shape import shape_of
from gateway.mock.upstream import Mocked, MockUpstream, Pace
from gateway.mock.written import Delay, Entry, Faults, Fields
from tests.mock.types import ROOT, maker_of, registry_of

REGISTRY = registry_of(ROOT / "protos")
METHODS = {
    each.name: each
    for service in REGISTRY.services()
    if service.startswith("shop")
    for each in REGISTRY.methods(service)
}
GET = "shop.catalog.v1.CatalogService/GetProduct"
IMPORT = "shop.catalog.v1.CatalogService/ImportProducts"
WATCH = "shop.inventory.v1.InventoryService/WatchStock"
JOIN = "shop.chat.v1.ChatService/Join"
FAST = Pace(Delay(), 0.0, Faults())


def new(method, **values):
    return maker_of(REGISTRY).new(REGISTRY.message(METHODS[method].input)).__class__(**values)


def upstream(pace=FAST, written=(), clock=lambda: 0.0):
    methods = {}
    for name in (GET, IMPORT, WATCH, JOIN):
        each = METHODS[name]
        takes, gives = REGISTRY.message(each.input), REGISTRY.message(each.output)
        maker, dice = maker_of(REGISTRY, each.output), Dice(b"0")
        shape = shape_of(name.partition("/")[2], takes, gives)
        answers = Answers(maker, name, shape, gives, dice)
        methods[name] = Mocked(each.kind, new_of(takes), answers, written)
    return MockUpstream(methods, pace, Dice(b"0"), clock)


def new_of(of):
    return lambda: maker_of(REGISTRY).new(of)


def ask(of, *, deadline=None, **values):
    """Starts a call; returns what it ended with so far, and what cancels it."""
    ended = []
    call = Call(GET, request=new(GET, **values).SerializeToString(), deadline=deadline)
    return ended, of.taking(None).start(call, ended.append)


class Talk(StreamCall):
    """A stream whose client says these messages."""

    def __init__(self, method, *messages, **more):
        super().__init__(method, **more)
        self.left, self.sent, self.started = list(messages), [], 0

    async def receive(self):
        return self.left.pop(0).SerializeToString() if self.left else None

    async def start(self, initial):
        assert not list(initial)
        self.started += 1

    async def send(self, message):
        assert self.started == 1
        self.sent.append(message)


def test_a_unary_call_is_answered_at_once():
    (answer,), _ = ask(upstream(), id="p1")
    assert isinstance(answer, Reply)
    assert answer == ask(upstream(), id="p1")[0][0]


def test_a_request_that_is_no_message_is_refused():
    ended = []
    upstream().start(Call(GET, request=b"\xff"), ended.append)
    assert ended[0].status.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(("count", "code"), [(5000, None), (5001, Code.INVALID_ARGUMENT)])
def test_a_request_of_too_many_messages_is_refused(tmp_path, count, code):
    (tmp_path / "a.proto").write_text(
        'syntax = "proto3"; message Node { repeated Node nodes = 1; map<string, Node> more = 2; }'
        "service S { rpc Keep(Node) returns (Node); }"
    )
    registry = registry_of(tmp_path)
    node = registry.message("Node")
    answers = Answers(maker_of(registry), "S/Keep", shape_of("Keep", node, node), node, Dice(b"0"))
    mocked = Mocked(METHODS[GET].kind, new_of(node), answers, ())
    request = new_of(node)()
    for number in range(count - 1):
        (request.nodes[0] if number % 2 else request).nodes.add()
    request.nodes.add().more["kept"].nodes.add()
    ended = []
    call = Call("S/Keep", request=request.SerializeToString(deterministic=True))
    MockUpstream({"S/Keep": mocked}, FAST, Dice(b"0"), lambda: 0.0).start(call, ended.append)
    if code is None:
        assert ended == [Reply(call.request)]
    else:
        assert ended[0].status.code is code


async def test_one_that_is_cancelled_is_never_answered():
    ended, cancel = ask(upstream(Pace(Delay(0.001, 0.001), 0, Faults())), id="p1")
    cancel()
    other, _ = ask(upstream(Pace(Delay(0.001, 0.001), 0, Faults())), id="p1")
    while not other:
        await asyncio.sleep(0.001)
    assert not ended


async def test_one_whose_deadline_is_before_its_answer_ends_with_the_deadline():
    ended, _ = ask(upstream(Pace(Delay(60, 60), 0, Faults())), id="p1", deadline=Deadline(0.001))
    while not ended:
        await asyncio.sleep(0.001)
    assert ended[0].reason == "DEADLINE_EXCEEDED"


def test_faults_come_as_often_as_asked_and_in_the_same_order_each_run():
    def run():
        of = upstream(Pace(Delay(), 0, Faults(30, Code.ABORTED)))
        return [isinstance(ask(of, id="p1")[0][0], RpcError) for _ in range(100)]

    failed = run()
    assert failed == run()
    assert 15 <= sum(failed) <= 45


def fields(**values):
    return Fields(tuple((name,) for name in values), new(GET, **values))


def test_the_first_entry_that_fits_is_taken():
    written = [
        Entry(fields=fields(id="a"), error=Status(Code.NOT_FOUND, "no")),
        Entry(condition=lambda call, data: b"b" in data and call.method == GET, replies=(b"",)),
        Entry(fields=fields(id="c"), faults=Faults(100, Code.DATA_LOSS)),
        Entry(fields=fields(id="a"), replies=(b"never",)),
    ]
    of = upstream(written=written)
    assert ask(of, id="a")[0][0].status == Status(Code.NOT_FOUND, "no")
    assert ask(of, id="b")[0][0] == Reply(b"")
    failure = ask(of, id="c")[0][0]
    assert (failure.status.code, failure.reason) == (Code.DATA_LOSS, "FAULT_INJECTED")
    assert ask(of, id="d")[0][0] == ask(upstream(), id="d")[0][0]


async def test_a_server_stream_sends_as_many_as_asked_or_a_few():
    few = Talk(WATCH, new(WATCH))
    await upstream().stream(few)
    assert 3 <= len(few.sent) <= 5
    many = Talk(WATCH, new(WATCH, count=9))
    await upstream().stream(many)
    assert len(many.sent) == 9


async def test_a_client_stream_is_answered_once_with_its_count():
    call = Talk(IMPORT, *[new(IMPORT)] * 3)
    await upstream().stream(call)
    (sent,) = call.sent
    assert sent.startswith(b"\x08\x03")  # created_count


async def test_a_dialogue_answers_each_message_and_none_where_there_is_none():
    call = Talk(JOIN, new(JOIN, room="a"), new(JOIN, room="b"))
    await upstream().stream(call)
    assert [b"\x0a\x01" + each in sent for each, sent in zip((b"a", b"b"), call.sent, strict=True)]
    silent = Talk(JOIN)
    await upstream().stream(silent)
    assert not silent.sent


async def test_what_is_written_of_a_stream_is_sent_and_its_error_ends_it():
    written = [Entry(replies=(b"1", b"2"), error=Status(Code.ABORTED))]
    call = Talk(WATCH, new(WATCH))
    with pytest.raises(RpcError) as end:
        await upstream(written=written).stream(call)
    assert call.sent == [b"1", b"2"]
    assert end.value.status.code is Code.ABORTED


async def test_a_stream_ends_at_its_deadline():
    call = Talk(WATCH, new(WATCH), deadline=Deadline(0.001))
    with pytest.raises(RpcError) as end:
        await upstream(Pace(Delay(), 60, Faults())).stream(call)
    assert end.value.reason == "DEADLINE_EXCEEDED"
    assert len(call.sent) <= 1
