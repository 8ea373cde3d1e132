"""What is noted of the attempts of a call, and what that holds afterwards."""

import gc

import pytest

from gateway.call import Code, Reply
from gateway.http import Headers, Request
from gateway.telemetry.records import Records
from gateway.upstream.spec import HedgingSpec
from tests.upstream.attempts.stage import NEVER, RETRIES, SAFE, Stage, busy, unsent

OK = Reply(b"ok")


@pytest.fixture
def stage():
    return Stage(2, retries=RETRIES, hedging=HedgingSpec(delay=0.05, attempts=2))


def noted(stage):
    """A record of a call that its chain has begun."""
    request = Request("GET", "/", None, Headers())
    record = Records((), clock=lambda: stage.clock.now).begin(request).call("s/M")
    record.began = stage.clock.now
    return record


def codes(record):
    return [(each.endpoint, each.code) for each in record.attempts]


def reached(root):
    """All that something holds, but for classes and what they hold."""
    seen, ahead = {}, [root]
    while ahead:
        each = ahead.pop()
        if id(each) not in seen and not isinstance(each, type):
            seen[id(each)] = each
            ahead += gc.get_referents(each)
    return seen.values()


async def test_an_attempt_that_ends_the_call(stage):
    record = noted(stage)
    stage.call(NEVER, record=record)
    began = stage.clock.now
    stage.clock.advance(0.25)
    (asked,) = stage.asked()
    asked.ends(OK)
    (attempt,) = record.attempts
    assert (attempt.began, attempt.ended) == (began, began + 0.25)
    assert (attempt.code, attempt.reason, attempt.seen) == (Code.OK, None, True)
    assert (record.begun, record.given, record.where()) == (1, began, attempt.endpoint)


async def test_one_that_its_endpoint_did_not_see_and_the_next(stage):
    record = noted(stage)
    stage.endpoints[0].script = [unsent()]
    stage.endpoints[1].script = [OK]
    stage.call(NEVER, record=record)
    assert codes(record) == [("a", Code.UNAVAILABLE), ("b", Code.OK)]
    assert [each.seen for each in record.attempts] == [False, True]
    record.code = Code.OK  # as its chain says
    assert (record.begun, record.where()) == (2, "b")


async def test_of_hedges_one_answers_and_the_others_are_given_up(stage):
    record = noted(stage)
    stage.call(SAFE, record=record)
    began = stage.clock.now
    stage.clock.advance(0.05)
    first, second = stage.asked()
    second.ends(OK)
    assert first.cancelled
    assert codes(record) == [("b", Code.OK), ("a", None)]
    record.code = Code.OK
    assert (record.begun, record.given, record.where()) == (2, began, "b")


async def test_the_first_of_hedges_may_answer_too(stage):
    record = noted(stage)
    stage.call(SAFE, record=record)
    stage.clock.advance(0.05)
    stage.asked()[0].ends(OK)
    assert codes(record) == [("a", Code.OK), ("b", None)]
    record.code = Code.OK
    assert record.where() == "a"


async def test_a_call_that_is_given_up_was_with_who_had_it_last(stage):
    record = noted(stage)
    stage.endpoints[0].script = [unsent()]
    caller = stage.call(NEVER, record=record)
    caller.leave()
    assert codes(record) == [("a", Code.UNAVAILABLE), ("b", None)]
    assert (record.begun, record.where()) == (2, "b")


async def test_what_is_noted_holds_no_endpoint_and_no_call(stage):
    record = noted(stage)
    stage.endpoints[0].script = [busy()]
    caller = stage.call(SAFE, record=record)
    stage.clock.advance(1)
    stage.asked()[-1].ends(OK)
    assert caller.result == OK
    assert len(record.attempts) > 1
    held = reached(record.attempts)
    assert not [each for each in held if each is stage.upstream or each in stage.endpoints]
    assert not [each for each in held if each is caller]
