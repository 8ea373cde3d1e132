"""How much an upstream is asked at a time."""

from google.rpc.error_details_pb2 import ErrorInfo

from gateway.call import Code, Reply
from gateway.upstream.attempts.breaker import Breaker
from gateway.upstream.channel import NotSentError
from gateway.upstream.channel.queue import Queue
from gateway.upstream.spec import BreakerSpec
from tests.upstream.attempts.stage import RETRIES, SAFE, Stage, broken, busy
from tests.upstream.clients import Client, stream_failure


def info(failure):
    found = ErrorInfo.FromString(failure.status.details[0].value)
    return found.reason, dict(found.metadata)


def test_without_a_bound_it_is_never_full():
    breaker = Breaker("shop", BreakerSpec())
    breaker.requests = breaker.retries = 10**9
    assert not breaker.full
    assert not breaker.retries_full


async def test_a_call_above_the_bound_fails_at_once_and_says_which():
    stage = Stage(breaker=BreakerSpec(requests=2))
    first, second = stage.call(), stage.call()
    third = stage.call()
    assert third.result.status.code is Code.UNAVAILABLE
    assert info(third.result) == ("CIRCUIT_OPEN", {"upstream": "test", "bound": "requests"})
    assert "upstream test" in third.result.status.message
    assert "circuit_breaker.requests" in third.result.status.message
    assert (stage.counts.calls, stage.counts.refused, stage.counts.attempts) == (3, 1, 2)
    third.cancel()  # without effect
    first.leave()
    assert not stage.call().heard
    second.leave()


async def test_a_stream_above_the_bound_fails_at_once():
    stage = Stage(breaker=BreakerSpec(requests=1))
    waiting = stage.call()
    failure = await stream_failure(stage.upstream, Client("m"))
    assert failure.reason == "CIRCUIT_OPEN"
    assert stage.counts.refused == 1
    waiting.leave()
    stage.assert_nothing_is_left()


async def test_a_call_counts_once_however_often_it_is_made():
    stage = Stage(retries=RETRIES, breaker=BreakerSpec(requests=2))
    stage.endpoints[0].script = [busy()]
    caller = stage.call()
    stage.clock.advance(0.1)
    assert stage.who() == "ab"
    assert stage.upstream.breaker.requests == 1
    caller.leave()
    stage.assert_nothing_is_left()


async def test_above_the_bound_of_retries_a_call_ends_as_it_failed():
    stage = Stage(retries=RETRIES, breaker=BreakerSpec(retries=1))
    callers = [stage.call() for _ in range(3)]
    failure = broken()
    for asked in stage.asked():
        asked.ends(failure)
    assert [len(caller.heard) for caller in callers] == [0, 1, 1]
    assert callers[1].result is failure
    assert (stage.upstream.breaker.retries, stage.counts.held) == (1, 2)
    stage.clock.advance(0.1)
    assert stage.upstream.breaker.retries == 1
    next(each for each in stage.asked() if not each.over).ends(Reply(b"x"))
    assert callers[0].result == Reply(b"x")
    stage.assert_nothing_is_left()


async def test_a_reload_changes_the_bounds():
    stage = Stage()
    waiting = [stage.call(SAFE) for _ in range(3)]
    breaker = stage.upstream.breaker
    breaker.configure(BreakerSpec(requests=2))
    assert stage.call().result.reason == "CIRCUIT_OPEN"
    waiting.pop().leave()
    waiting.pop().leave()
    assert not breaker.full
    waiting.pop().leave()


async def test_calls_that_find_no_place_to_wait_are_counted_and_not_made_again():
    stage = Stage(1, retries=RETRIES)
    failure = NotSentError.of(Queue(1, "test").fault().error())
    stage.endpoints[0].always = failure
    assert stage.call().result is failure
    assert info(failure) == ("CIRCUIT_OPEN", {"upstream": "test", "bound": "pending"})
    assert (stage.counts.refused, stage.counts.retries) == (1, 0)
    stage.assert_nothing_is_left()
