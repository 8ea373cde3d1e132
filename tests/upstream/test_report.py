"""What operators are told of an upstream."""

import json

from gateway.call import Call, Reply
from gateway.errors import error
from gateway.upstream.channel import State
from gateway.upstream.node import Cause
from gateway.upstream.report import report
from tests.upstream.clients import failure, unary
from tests.upstream.fakes import Clock, FakeChannel, upstream_of


def told(upstream):
    return report(upstream)["endpoints"]


async def test_an_endpoint_that_was_not_called_yet():
    clock = Clock()
    upstream = upstream_of(FakeChannel("a"), clock=clock)
    clock.now += 3
    assert told(upstream) == [
        {
            "address": "h:1",
            "weight": 1.0,
            "zone": None,
            "priority": 0,
            "state": "ready",
            "unreached": None,
            "takes_calls": True,
            "out": [],
            "panic": False,
            "seconds": 3.0,
            "pending": 0,
            "calls": 0,
            "failures": 0,
            "latency": None,
            "ejections": 0,
        }
    ]


async def test_why_it_cannot_be_reached():
    channel = FakeChannel("a", state=State.FAILING)
    upstream = upstream_of(channel)
    channel.unreached = "Connection refused"
    (found,) = told(upstream)
    assert (found["state"], found["unreached"]) == ("failing", "Connection refused")


async def test_why_it_is_out_and_for_how_long():
    clock = Clock()
    upstream = upstream_of(FakeChannel("a"), clock=clock)
    (node,) = upstream.nodes.values()
    clock.now += 10
    node.take_out(Cause.OUTLIER, "5 calls failed in a row")
    clock.now += 2
    node.take_out(Cause.HEALTH, "it says NOT_SERVING")
    clock.now += 2
    (found,) = told(upstream)
    assert not found["takes_calls"]
    assert found["seconds"] == 4
    assert found["out"] == [
        {"cause": "unhealthy", "why": "it says NOT_SERVING"},
        {"cause": "ejected", "why": "5 calls failed in a row"},
    ]
    node.bring_back(Cause.OUTLIER)
    node.bring_back(Cause.HEALTH)
    clock.now += 1
    assert (told(upstream)[0]["takes_calls"], told(upstream)[0]["seconds"]) == (True, 1)


async def test_in_panic_it_is_told_who_is_used_though_it_is_out():
    upstream = upstream_of(*(FakeChannel(name) for name in "abcd"))
    first, second, third, _ = upstream.nodes.values()
    for node in (first, second):
        node.take_out(Cause.HEALTH, "it says NOT_SERVING")
    assert not any(each["panic"] for each in told(upstream)), "half of them are enough"
    third.take_out(Cause.OUTLIER, "5 calls failed in a row")
    second.channel.become(State.FAILING)
    assert [each["panic"] for each in told(upstream)] == [True, False, True, False]
    assert [each["takes_calls"] for each in told(upstream)] == [False, False, False, True]
    first.bring_back(Cause.HEALTH)
    assert not any(each["panic"] for each in told(upstream)), "as soon as it is over"


async def test_calls_and_failures_are_counted():
    channel = FakeChannel("a")
    upstream = upstream_of(channel)
    await unary(upstream, Call("m"))
    channel.result = error("UPSTREAM_RESET", "The backend broke off.")
    await failure(upstream, Call("m"))
    channel.result, channel.waits = Reply(b""), True
    upstream.start(Call("m"), lambda _: None)
    channel.become(State.FAILING)
    (found,) = told(upstream)
    assert (found["calls"], found["failures"], found["pending"]) == (3, 1, 1)
    assert found["state"] == "failing"


async def test_json_can_say_it():
    found = report(upstream_of(FakeChannel("a"), FakeChannel("b")))
    assert json.loads(json.dumps(found)) == found
    assert (found["name"], found["policy"], found["waiting"]) == ("test", "least_request", 0)


async def test_what_became_of_all_calls():
    upstream = upstream_of(FakeChannel("a"))
    await unary(upstream, Call("m"))
    counts = report(upstream)["counts"]
    assert (counts["calls"], counts["attempts"], counts["retries"]) == (1, 1, 0)
