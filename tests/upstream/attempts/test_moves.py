"""Calls in flight to a node that is taken out are made elsewhere, where that changes nothing."""

import pytest

from gateway.call import Reply
from gateway.upstream.channel import State
from gateway.upstream.node import Cause
from gateway.upstream.spec import BreakerSpec, HedgingSpec, RetrySpec
from tests.upstream.attempts.stage import IDEMPOTENT, NEVER, Stage, busy

OK = Reply(b"ok")


def node(stage, number):
    return list(stage.upstream.nodes.values())[number]


@pytest.mark.parametrize("cause", [Cause.HEALTH, Cause.OUTLIER])
async def test_a_call_goes_elsewhere(cause):
    stage = Stage(2)
    caller = stage.call()
    node(stage, 0).take_out(cause, "it hangs")
    first, second = stage.asked()
    assert first.cancelled
    assert second.previous == "1"
    second.ends(OK)
    assert caller.result == OK
    assert stage.counts.moved == 1
    stage.assert_nothing_is_left()


async def test_one_that_drains_ends_its_calls():
    stage = Stage(2)
    caller = stage.call()
    node(stage, 0).take_out(Cause.LEAVING, "it is not listed any more")
    (asked,) = stage.asked()
    asked.ends(OK)
    assert caller.result == OK


@pytest.mark.parametrize("manner", [IDEMPOTENT, NEVER])
async def test_what_may_change_something_stays(manner):
    stage = Stage(2)
    caller = stage.call(manner)
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    (asked,) = stage.asked()
    asked.ends(OK)
    assert caller.result == OK


async def test_where_nobody_is_well_it_stays():
    stage = Stage(2)
    node(stage, 1).take_out(Cause.HEALTH, "it hangs")
    stage.call()
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    (asked,) = stage.asked()
    assert not asked.over
    assert stage.counts.moved == 0


async def test_in_panic_it_goes_to_one_that_is_well_before_one_that_was_ejected():
    stage = Stage(4)
    stage.call()
    node(stage, 1).take_out(Cause.OUTLIER, "it failed")
    node(stage, 2).take_out(Cause.OUTLIER, "it failed")
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    assert stage.who() == "ad"


async def test_in_panic_one_that_was_ejected_is_better_than_one_that_hangs():
    stage = Stage(3)
    stage.call()
    for number, cause in ((1, Cause.HEALTH), (2, Cause.OUTLIER)):
        node(stage, number).take_out(cause, "it does not do well")
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    assert stage.who() == "ac"


async def test_one_that_was_ejected_and_cannot_be_reached_is_no_better():
    stage = Stage(2)
    node(stage, 1).take_out(Cause.OUTLIER, "it failed")
    stage.endpoints[1].become(State.FAILING)
    stage.call()
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    assert stage.who() == "a"


async def test_a_call_is_moved_once():
    stage = Stage(3)
    caller = stage.call()
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    node(stage, 1).take_out(Cause.HEALTH, "it hangs")
    assert stage.who() == "ab"
    stage.asked()[1].ends(OK)
    assert caller.result == OK
    stage.assert_nothing_is_left()


async def test_a_call_whose_time_is_up_is_not_moved():
    stage = Stage(2)
    caller = stage.call(seconds=1)
    stage.clock.advance(1)
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    assert stage.who() == "a"
    assert stage.upstream.budget.taken == 0
    stage.asked()[0].expire()
    assert caller.result.reason == "DEADLINE_EXCEEDED"
    stage.assert_nothing_is_left()


async def test_moves_are_paid_from_the_budget():
    stage = Stage(2, retries=RetrySpec(ratio=0.1, minimum=0))
    for _ in range(100):
        stage.call()
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    assert stage.counts.moved == 10
    assert stage.upstream.breaker.retries == 10


async def test_moves_count_at_the_breaker():
    stage = Stage(2, breaker=BreakerSpec(retries=3))
    callers = [stage.call() for _ in range(10)]
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    assert stage.counts.moved == 3
    for caller in callers:
        caller.leave()
    stage.assert_nothing_is_left()


async def test_a_node_that_is_brought_back_gets_new_calls_only():
    stage = Stage(2)
    stage.call()
    node(stage, 0).take_out(Cause.HEALTH, "it hangs")
    node(stage, 0).bring_back(Cause.HEALTH)
    assert stage.who() == "ab"
    assert node(stage, 0).pending == 0


async def test_the_node_that_is_taken_out_for_a_failure_moves_the_rest():
    """As passive ejection does, in the middle of an attempt's end."""
    stage = Stage(2)
    callers = [stage.call(), stage.call(), stage.call()]

    class Record:
        def ended(self, blame, seconds):
            node(stage, 0).take_out(Cause.OUTLIER, "it fails")

    node(stage, 0).record = Record()
    failing, hanging = stage.endpoints[0].asked
    failing.ends(busy())
    assert hanging.cancelled
    for asked in stage.endpoints[1].asked:
        asked.ends(OK)
    assert sorted(caller.result == OK for caller in callers) == [False, True, True]
    stage.assert_nothing_is_left()


async def test_a_move_may_end_the_call_while_another_attempt_ends():
    stage = Stage(3, hedging=HedgingSpec(delay=0.05))
    caller = stage.call()
    stage.clock.advance(0.05)
    assert stage.who() == "ab"

    class Record:
        def ended(self, blame, seconds):
            node(stage, 1).take_out(Cause.OUTLIER, "others fail")

    node(stage, 0).record = Record()
    stage.endpoints[2].script = [OK]
    stage.asked()[0].ends(busy())
    assert caller.result == OK
    stage.assert_nothing_is_left()
