"""Subscriptions: a response for each event, one at a time, until the stream ends."""

import asyncio
import json

import pytest

from gateway.call import Code
from gateway.fronts.graphql.document import Documents
from gateway.fronts.graphql.engine import Engine
from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from tests.fronts.graphql.execute import orders
from tests.fronts.graphql.execute.orders import new
from tests.fronts.graphql.execute.upstreams import CALLER, WIDE, Backend, codes, failure, ticks

QUERY = "subscription($id: String) { watchOrders(id: $id) { id coupon { title } } }"
WATCH = f"{orders.API}/WatchOrders"
PRODUCTS = f"{orders.API}/BatchGetProducts"


class Stream:
    """The backend's side of a stream."""

    def __init__(self, *messages, end=None):
        self.messages = messages
        self.end = end
        self.sent = 0
        self.request = None
        self.cancelled = False

    async def __call__(self, call):
        self.request = await call.receive()
        assert await call.receive() is None
        await call.start(())
        try:
            for message in self.messages:
                await call.send(
                    message if isinstance(message, bytes) else message.SerializeToString()
                )
                self.sent += 1
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.end is not None:
            raise self.end


def products(request):
    return new("Products", products=[new("Product", id=i, title=f"T{i}") for i in request.ids])


def engine(stream, *, answer=products, at_once=True):
    backend = Backend(orders.registry(), {PRODUCTS: answer}, at_once, streams={WATCH: stream})
    schema = orders.graph().schema
    return Engine(schema, backend.methods(), Documents(schema, WIDE)), backend


def prepared(found, variables=None, query=QUERY):
    return found.prepare(GraphqlRequest(query, None, variables), CALLER)


async def responses_of(found, variables=None, query=QUERY):
    seen = []

    async def emit(response):
        seen.append(json.loads(response))

    await found.subscribe(prepared(found, variables, query), emit)
    return seen


def order(id_, coupon=""):
    return new("Order", id=id_, coupon_id=coupon)


async def test_each_event_is_a_response_with_its_own_joins():
    stream = Stream(order("1", "a"), order("2", "a"), order("3", "b"))
    found, backend = engine(stream)
    seen = await responses_of(found, {"id": "x"})
    events = [each["data"]["watchOrders"] for each in seen]
    assert [(each["id"], each["coupon"]["title"]) for each in events] == [
        ("1", "Ta"), ("2", "Ta"), ("3", "Tb"),
    ]  # fmt: skip
    # Nothing of one event is kept for the next.
    assert [list(each.request.ids) for each in backend.asked] == [["a"], ["a"], ["b"]]
    assert stream.request == new("Id", id="x").SerializeToString()


async def test_a_stream_without_events_is_no_response():
    assert await responses_of(engine(Stream())[0]) == []


async def test_the_next_event_is_taken_when_the_response_has_been():
    stream = Stream(order("1"), order("2"), order("3"))
    found, _ = engine(stream)
    seen, go_on = [], asyncio.Semaphore(0)

    async def emit(response):
        seen.append(response)
        await go_on.acquire()

    task = asyncio.create_task(found.subscribe(prepared(found), emit))
    for index in range(3):
        await ticks(20)
        assert (len(seen), stream.sent) == (index + 1, index)
        go_on.release()
    await task
    assert stream.sent == 3


async def test_a_stream_that_fails_ends_with_its_error():
    found, _ = engine(Stream(order("1"), end=failure(Code.PERMISSION_DENIED, "No.")))
    seen = []

    async def emit(response):
        seen.append(response)

    with pytest.raises(RequestError) as refused:
        await found.subscribe(prepared(found), emit)
    assert len(seen) == 1
    (error,) = refused.value.errors
    assert (error.message, error.extensions["code"]) == ("No.", "PERMISSION_DENIED")


async def test_a_join_that_fails_is_an_error_of_its_event():
    found, _ = engine(
        Stream(order("1", "a"), order("2")), answer=lambda _: failure(Code.UNAVAILABLE)
    )
    first, second = await responses_of(found)
    assert codes(first) == [("watchOrders/coupon", "UNAVAILABLE")]
    assert first["data"] == {"watchOrders": {"id": "1", "coupon": None}}
    assert codes(second) == [("watchOrders/coupon", "UNAVAILABLE")]


async def test_an_event_that_can_not_be_written_is_null_and_the_stream_goes_on():
    stream = Stream(new("Order", score=float("nan")), new("Order", score=1))
    found, _ = engine(stream)
    first, second = await responses_of(found, query="subscription { watchOrders { score } }")
    assert first["data"] == {"watchOrders": None}
    assert [path for path, _ in codes(first)] == ["watchOrders/score"]
    assert second == {"data": {"watchOrders": {"score": 1.0}}}


async def test_an_event_that_is_no_message_ends_the_stream():
    with pytest.raises(RequestError) as refused:
        await responses_of(engine(Stream(b"\xff"))[0])
    assert refused.value.errors[0].extensions["reason"] == "INVALID_UPSTREAM_MESSAGE"


async def test_a_wrong_argument_refuses_the_subscription():
    stream = Stream()
    with pytest.raises(RequestError) as refused:
        await responses_of(engine(stream)[0], {"id": "\ud800"})
    assert refused.value.errors[0].extensions["code"] == "BAD_USER_INPUT"
    assert stream.request is None


async def test_cancelling_ends_the_stream_and_the_calls_of_its_event():
    stream = Stream(order("1", "a"))
    found, backend = engine(stream, at_once=False)

    async def emit(_response):
        pytest.fail("there is nothing to emit")

    task = asyncio.create_task(found.subscribe(prepared(found), emit))
    await ticks(20)
    assert len(backend.held) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.cancelled
    assert backend.asked[0].cancelled


async def test_a_bug_in_an_event_is_masked(monkeypatch, caplog):
    def explode(*_arguments):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("gateway.fronts.graphql.execute.loading.Loader.want", explode)
    found, _ = engine(Stream(order("1", "a")))
    (only,) = await responses_of(found)
    assert only["data"] is None
    assert [code for _, code in codes(only)] == ["INTERNAL"]
    assert "secret" not in json.dumps(only)
