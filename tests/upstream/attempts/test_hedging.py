"""Slow calls are sent a second time: gRFC A6, "Hedging Policy", within the budget of retries."""

import pytest

from gateway.call import Code, Reply
from gateway.upstream.channel import State
from gateway.upstream.node import Cause
from gateway.upstream.spec import BreakerSpec, HedgingSpec, RetrySpec
from tests.upstream.attempts.stage import (
    IDEMPOTENT,
    NEVER,
    SAFE,
    Stage,
    busy,
    unsent,
)

OK = Reply(b"ok")
HEDGING = HedgingSpec(delay=0.05, attempts=3)


def hedged(endpoints=3, **spec):
    return Stage(endpoints, **{"hedging": HEDGING} | spec)


def of(stage, name):
    """The one call that an endpoint was given."""
    (asked,) = stage.endpoints["abcdefgh".index(name)].asked
    return asked


@pytest.mark.parametrize(("manner", "sent"), [(SAFE, "ab"), (IDEMPOTENT, "a"), (NEVER, "a")])
async def test_only_what_changes_nothing_is_hedged(manner, sent):
    stage = hedged()
    caller = stage.call(manner)
    stage.clock.advance(0.05)
    assert stage.who() == sent
    caller.leave()
    stage.assert_nothing_is_left()


async def test_a_call_that_is_answered_in_time_is_made_once():
    stage = hedged()
    caller = stage.call()
    stage.clock.advance(0.049)
    of(stage, "a").ends(OK)
    stage.clock.advance(1)
    assert caller.result == OK
    assert stage.who() == "a"
    stage.assert_nothing_is_left()


async def test_each_delay_brings_another_node_up_to_the_bound():
    stage = hedged(5)
    stage.call()
    for count in (1, 2, 3, 3, 3):
        assert len(stage.asked()) == count
        stage.clock.advance(0.05)
    assert stage.who() == "abc"
    assert stage.counts.hedges == 2
    assert [each.previous for each in stage.asked()] == [None, "1", "2"]


@pytest.mark.parametrize("winner", "abc")
async def test_the_first_answer_wins_and_the_others_are_cancelled(winner):
    stage = hedged()
    caller = stage.call()
    stage.clock.advance(0.1)
    of(stage, winner).ends(OK)
    assert caller.result == OK
    assert {each: of(stage, each).cancelled for each in "abc"} == {
        each: each != winner for each in "abc"
    }
    stage.assert_nothing_is_left()


async def test_there_are_never_two_on_one_node():
    stage = hedged(2)
    stage.call()
    stage.clock.advance(1)
    assert stage.who() == "ab"


@pytest.mark.parametrize("ill", ["out", "failing"])
async def test_a_node_that_is_not_well_gets_none(ill):
    stage = hedged(2)
    stage.call()
    if ill == "out":
        list(stage.upstream.nodes.values())[1].take_out(Cause.OUTLIER, "it fails")
    else:
        stage.endpoints[1].become(State.FAILING)
    stage.clock.advance(1)
    assert stage.who() == "a"


async def test_in_panic_one_that_is_well_gets_it():
    stage = hedged(5)
    stage.call()
    for each in list(stage.upstream.nodes.values())[1:4]:
        each.take_out(Cause.OUTLIER, "it fails")
    stage.clock.advance(0.05)
    assert stage.who() == "ae"


async def test_a_failure_starts_the_next_at_once_and_the_delay_anew():
    stage = hedged()
    caller = stage.call()
    stage.clock.advance(0.03)
    of(stage, "a").ends(busy())
    assert stage.who() == "ab"
    stage.clock.advance(0.049)
    assert stage.who() == "ab"
    stage.clock.advance(0.001)
    assert stage.who() == "abc"
    of(stage, "c").ends(OK)
    assert caller.result == OK
    stage.assert_nothing_is_left()


async def test_a_failure_waits_for_the_others():
    stage = hedged(2)
    caller = stage.call()
    stage.clock.advance(0.05)
    of(stage, "b").ends(busy())
    assert not caller.heard
    of(stage, "a").ends(OK)
    assert caller.result == OK


async def test_the_last_failure_is_told():
    stage = hedged(2)
    caller = stage.call()
    stage.clock.advance(0.05)
    of(stage, "b").ends(busy())
    failure = busy()
    of(stage, "a").ends(failure)
    assert caller.result is failure
    stage.assert_nothing_is_left()


async def test_a_final_failure_wins_as_an_answer_does():
    stage = hedged()
    caller = stage.call()
    stage.clock.advance(0.05)
    failure = busy(Code.NOT_FOUND)
    of(stage, "b").ends(failure)
    assert caller.result is failure
    assert of(stage, "a").cancelled
    stage.assert_nothing_is_left()


async def test_what_a_hedge_was_not_seen_by_goes_to_the_next():
    stage = hedged()
    stage.endpoints[1].script = [unsent()]
    stage.call()
    stage.clock.advance(0.05)
    assert stage.who() == "abc"
    assert (stage.counts.hedges, stage.counts.unsent) == (1, 1)
    assert of(stage, "c").previous == "1"


async def test_a_pushback_delays_the_next():
    stage = hedged()
    stage.call()
    stage.clock.advance(0.01)
    of(stage, "a").ends(busy(pushback="500"))
    stage.clock.advance(0.49)
    assert stage.who() == "a"
    stage.clock.advance(0.02)
    assert stage.who() == "ab"


async def test_a_pushback_that_says_never_leaves_those_under_way():
    stage = hedged()
    caller = stage.call()
    stage.clock.advance(0.05)
    of(stage, "a").ends(busy(pushback="-1"))
    stage.clock.advance(1)
    assert stage.who() == "ab"
    of(stage, "b").ends(OK)
    assert caller.result == OK
    stage.assert_nothing_is_left()


async def test_a_pushback_beyond_the_deadline_ends_the_call_at_once():
    stage = hedged()
    caller = stage.call(seconds=1)
    failure = busy(pushback="30000")
    of(stage, "a").ends(failure)
    assert caller.result is failure
    stage.assert_nothing_is_left()


async def test_a_pushback_beyond_the_deadline_leaves_those_under_way():
    stage = hedged()
    caller = stage.call(seconds=1)
    stage.clock.advance(0.05)
    of(stage, "a").ends(busy(pushback="30000"))
    stage.clock.advance(0.5)
    assert stage.who() == "ab"
    assert not caller.heard
    of(stage, "b").ends(OK)
    assert caller.result == OK
    stage.assert_nothing_is_left()


async def test_hedges_are_paid_from_the_budget():
    stage = hedged(3, retries=RetrySpec(ratio=0.2, minimum=0))
    for _ in range(100):
        stage.call()
    stage.clock.advance(1)
    assert stage.counts.hedges == 20
    assert stage.counts.exhausted > 0


async def test_hedges_count_at_the_breaker():
    stage = hedged(3, breaker=BreakerSpec(retries=1))
    callers = [stage.call(), stage.call()]
    stage.clock.advance(0.05)
    assert stage.counts.hedges == 1
    for caller in callers:
        caller.leave()
    stage.assert_nothing_is_left()


async def test_when_nothing_is_left_to_hedge_a_failure_is_retried_after_a_wait():
    stage = hedged(2, hedging=HedgingSpec(attempts=2), retries=RetrySpec(attempts=3, base=0.1))
    caller = stage.call()
    of(stage, "a").ends(busy())
    of(stage, "b").ends(busy())
    assert not caller.heard
    stage.clock.advance(0.1)
    assert (stage.counts.hedges, stage.counts.retries) == (1, 1)
    for asked in stage.asked():
        if not asked.over:
            asked.ends(OK)
    assert caller.result == OK
    stage.assert_nothing_is_left()


async def test_a_slow_retry_is_hedged_too():
    stage = hedged(3, hedging=HedgingSpec(delay=0.05, attempts=3), retries=RetrySpec(base=0.01))
    stage.endpoints[0].script = [busy(pushback="10")]
    stage.call()
    stage.clock.advance(0.02)
    assert stage.who() == "ab"
    stage.clock.advance(0.05)
    assert stage.who() == "abc"


async def test_one_timer_serves_all_calls():
    stage = hedged()
    callers = [stage.call() for _ in range(500)]
    assert len([each for each in stage.clock.timers if each.on]) == 1
    for caller in callers:
        caller.leave()
    stage.assert_nothing_is_left()


async def test_one_slow_of_five_is_not_noticed():
    """Four answer at once; the fifth never does, and has every fourth call (each hedge is a turn)."""
    stage = Stage(5, hedging=HedgingSpec(delay=0.05), retries=RetrySpec(ratio=0.3))
    slowest = 0.0
    for _ in range(2_000):
        began = stage.clock.now
        caller = stage.call()
        while not caller.heard:
            for endpoint in stage.endpoints[:4]:
                for asked in endpoint.waiting:
                    asked.ends(OK)
            if not caller.heard:
                stage.clock.advance(0.01)
        slowest = max(slowest, stage.clock.now - began)
        stage.clock.advance(0.001)
    assert slowest < 0.07
    assert stage.counts.hedges <= 0.3 * 2_000
    stage.assert_nothing_is_left()


async def test_one_that_was_outrun_is_known_to_be_slow():
    """Else a node that hangs, whose calls are all given up, would look as good as new."""
    stage = hedged(2)
    first, second = stage.upstream.nodes.values()
    for name in "ab":
        stage.call()
        stage.clock.advance(0.01)
        of(stage, name).ends(OK)
    stage.call()
    stage.clock.advance(0.05)
    stage.endpoints[1].waiting[0].ends(OK)
    assert first.latency.seconds == pytest.approx(0.05)
    assert second.latency.seconds < 0.011
    stage.assert_nothing_is_left()


async def test_one_whose_client_has_left_is_not():
    stage = hedged(1)
    (only,) = stage.upstream.nodes.values()
    stage.call()
    stage.clock.advance(0.01)
    of(stage, "a").ends(OK)
    caller = stage.call()
    stage.clock.advance(5)
    caller.leave()
    assert only.latency.seconds == pytest.approx(0.01)
