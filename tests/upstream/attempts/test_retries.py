"""Unary calls that failed are made again: gRFC A6, and what policy adds to it."""

import pytest

from gateway.call import Call, Code, Deadline, Metadata, Reply
from gateway.errors import error
from gateway.upstream.channel import AnsweredError, RefusedError
from gateway.upstream.manner import Manner
from gateway.upstream.node import Cause
from gateway.upstream.spec import RetrySpec
from tests.upstream.attempts.stage import (
    IDEMPOTENT,
    NEVER,
    RETRIES,
    SAFE,
    Stage,
    answered,
    broken,
    busy,
    late,
    refused,
    unsent,
)

OK = Reply(b"ok")


def stage(*scripts, **spec):
    made = Stage(max(len(scripts), 1), **{"retries": RETRIES} | spec)
    for endpoint, script in zip(made.endpoints, scripts, strict=False):
        endpoint.script = list(script)
    return made


# Whether.


@pytest.mark.parametrize("failure", [busy(), broken()], ids=["its-own-status", "a-broken-one"])
@pytest.mark.parametrize(("manner", "again"), [(SAFE, True), (IDEMPOTENT, True), (NEVER, False)])
async def test_only_what_may_be_repeated_is_made_again(manner, again, failure):
    made = stage([failure], [OK])
    caller = made.call(manner)
    made.clock.advance(0.1)
    assert caller.result == (OK if again else failure)
    made.assert_nothing_is_left()


@pytest.mark.parametrize("manner", [SAFE, IDEMPOTENT, NEVER])
async def test_without_retries_nothing_is_made_again_that_was_seen(manner):
    failure = busy()
    made = stage([failure], [OK], retries=None)
    assert made.call(manner).result is failure
    assert made.who() == "a"


async def test_another_status_is_final():
    failure = busy(Code.INTERNAL)
    made = stage([failure], [OK])
    assert made.call().result is failure


async def test_after_the_response_headers_a_call_is_committed():
    failure = answered(busy())
    made = stage([failure], [OK])
    assert made.call().result is failure


async def test_attempts_are_bounded_and_the_last_failure_is_told():
    failures = [busy(), busy(), busy()]
    made = stage(*([each] for each in failures))
    caller = made.call()
    made.clock.advance(1)
    assert caller.result is failures[-1]
    assert (made.counts.attempts, made.counts.retries) == (3, 2)
    made.assert_nothing_is_left()


# When.


async def test_waits_grow_and_nothing_happens_before():
    made = stage([busy(), busy(), OK], retries=RetrySpec(attempts=4, base=0.1, most=1.0))
    caller = made.call()
    (endpoint,) = made.endpoints
    for seconds, attempts in [(0.09, 1), (0.01, 2), (0.19, 2), (0.01, 3)]:
        made.clock.advance(seconds)
        assert len(endpoint.asked) == attempts
    assert caller.result == OK


async def test_a_pushback_is_waited_for_exactly_and_the_waits_begin_anew():
    made = stage(
        [busy(), busy(pushback="700"), busy(), OK], retries=RetrySpec(attempts=9, base=0.1)
    )
    (endpoint,) = made.endpoints
    caller = made.call()
    made.clock.advance(0.1)
    assert len(endpoint.asked) == 2
    made.clock.advance(0.69)
    assert len(endpoint.asked) == 2
    made.clock.advance(0.01)
    assert len(endpoint.asked) == 3
    made.clock.advance(0.1)
    assert caller.result == OK


@pytest.mark.parametrize("said", ["-1", "soon"])
async def test_a_pushback_may_say_never(said):
    failure = busy(pushback=said)
    made = stage([failure], [OK])
    assert made.call().result is failure


async def test_a_pushback_is_no_further_attempt():
    failure = busy(pushback="0")
    made = stage([busy(pushback="0"), failure], retries=RetrySpec(attempts=2))
    caller = made.call()
    made.clock.advance(0.01)
    assert caller.result is failure


async def test_a_retry_that_would_outlive_the_deadline_is_not_waited_for():
    failure = busy()
    made = stage([failure], [OK])
    assert made.call(seconds=0.1).result is failure
    assert made.counts.retries == 0


async def test_a_call_whose_time_is_gone_is_not_sent():
    made = stage([OK])
    caller = made.call(seconds=0.0)
    assert caller.result.reason == "DEADLINE_EXCEEDED"
    assert made.who() == ""
    made.assert_nothing_is_left()


async def test_a_retry_that_comes_too_late_is_not_sent():
    made = stage([busy()], [OK])
    caller = made.call(seconds=0.15)
    made.clock.now += 0.2  # the loop was busy
    made.clock.advance(0)
    assert caller.result.reason == "DEADLINE_EXCEEDED"
    assert made.who() == "a"
    made.assert_nothing_is_left()


# Where.


async def test_a_retry_prefers_another_endpoint():
    made = stage([busy()], [busy()], [OK])
    caller = made.call()
    made.clock.advance(1)
    assert caller.result == OK
    assert made.who() == "abc"


async def test_the_only_endpoint_is_asked_again():
    made = stage([busy(), OK])
    caller = made.call()
    made.clock.advance(1)
    assert caller.result == OK


async def test_one_that_is_well_is_asked_again_rather_than_one_that_is_not():
    made = stage([busy(), OK], [OK])
    ill = list(made.upstream.nodes.values())[1]
    ill.take_out(Cause.HEALTH, "it hangs")
    caller = made.call()
    made.clock.advance(1)
    assert caller.result == OK
    assert made.who() == "aa"


# What is sent.


async def test_backends_are_told_how_often_it_was_made_before():
    made = stage([busy()], [busy()], [OK])
    made.call(metadata=Metadata([("x-a", "b")]))
    made.clock.advance(1)
    assert [each.previous for each in made.asked()] == [None, "1", "2"]
    assert all(each.call.metadata.get("x-a") == "b" for each in made.asked())


async def test_attempts_that_nobody_saw_are_not_told():
    made = stage([unsent()], [busy()], [OK])
    made.call()
    made.clock.advance(1)
    assert [each.previous for each in made.asked()] == [None, None, "1"]


# Calls that no backend saw.


@pytest.mark.parametrize("manner", [SAFE, IDEMPOTENT, NEVER])
async def test_what_nobody_saw_is_at_once_another_node_s_whatever_the_method(manner):
    made = stage([unsent()], [unsent()], [OK], retries=RetrySpec(ratio=0, minimum=0))
    assert made.call(manner).result == OK
    assert made.counts.unsent == 2


@pytest.mark.parametrize("manner", [SAFE, NEVER])
async def test_what_nobody_at_all_saw_is_tried_again_after_a_wait(manner):
    made = stage([unsent()], [unsent()])
    caller = made.call(manner)
    assert not caller.heard
    made.endpoints[0].script, made.endpoints[1].script = [unsent()], [OK]
    made.clock.advance(0.1)
    assert caller.result == OK


async def test_what_one_backend_saw_is_not_taken_for_unseen():
    failure = busy()
    made = stage([unsent()], [failure])
    assert made.call(NEVER).result is failure


async def test_a_gateway_s_own_refusal_is_not_tried_again():
    failure = error("INVALID_METADATA", "no")
    made = stage([failure], [OK], retries=RetrySpec(on=frozenset(Code)))
    assert made.call().result is failure


# How much.


async def test_the_budget_bounds_all_calls_together():
    made = Stage(2, retries=RetrySpec(base=0.01, ratio=0.2, minimum=0.5))
    for endpoint in made.endpoints:
        endpoint.always = busy()
    callers = [made.call() for _ in range(100)]
    made.clock.advance(1)
    assert all(caller.heard for caller in callers)
    assert made.counts.attempts <= 120
    assert made.counts.retries == made.counts.attempts - 100 > 15
    assert made.counts.exhausted > 0
    made.assert_nothing_is_left()


@pytest.mark.parametrize("manner", [SAFE, IDEMPOTENT])
async def test_an_outage_at_a_thousand_calls_a_second_is_one_and_a_fifth_of_it(manner):
    made = Stage(5, retries=RetrySpec())
    for endpoint in made.endpoints:
        endpoint.always = busy()
    for _ in range(20_000):
        made.call(manner, seconds=5)
        made.clock.advance(0.001)
    made.clock.advance(5)
    assert made.counts.attempts <= 1.2 * 20_000
    assert made.counts.attempts > 1.15 * 20_000
    made.assert_nothing_is_left()


async def test_without_any_connection_calls_fail_and_the_budget_holds():
    made = Stage(5, retries=RetrySpec(ratio=0.2, minimum=1))
    for endpoint in made.endpoints:
        endpoint.always = unsent()
    callers = [made.call(NEVER) for _ in range(100)]
    made.clock.advance(1)
    assert {caller.result.reason for caller in callers} == {"UPSTREAM_UNAVAILABLE"}
    assert made.counts.retries <= 20


# Per-try timeouts.


PER_TRY = RetrySpec(base=0.1, per_try_timeout=1.0)


async def test_each_attempt_has_its_own_time_and_the_call_s_at_most():
    made = Stage(2, retries=PER_TRY)
    start = made.clock.now
    caller = made.call(seconds=1.5)
    (first,) = made.asked()
    assert first.call.deadline == Deadline(start + 1.0)
    made.clock.advance(1.0)
    first.ends(late())
    made.clock.advance(0.1)
    (second,) = made.endpoints[1].asked
    assert second.call.deadline == Deadline(start + 1.5)
    second.ends(OK)
    assert caller.result == OK


async def test_an_attempt_whose_time_is_up_is_made_again_though_its_status_is_not_listed():
    made = Stage(2, retries=PER_TRY)
    made.call()
    made.clock.advance(1.0)
    made.asked()[0].ends(late())
    made.clock.advance(0.1)
    assert made.who() == "ab"


async def test_what_is_not_made_again_is_not_cut_short():
    made = Stage(2, retries=PER_TRY)
    made.call(NEVER)
    assert made.asked()[0].call.deadline is None


async def test_a_call_whose_last_attempt_is_late_says_what_time_that_had():
    made = Stage(2, retries=RetrySpec(base=0.1, attempts=2, per_try_timeout=0.3))
    caller = made.call(seconds=3)
    for asked in (0, 1):
        made.clock.advance(0.3)
        made.asked()[asked].ends(late())
        made.clock.advance(0.1)
    assert caller.result.reason == "DEADLINE_EXCEEDED"
    assert caller.result.status.message == (
        "The call's last attempt did not end within 0.3 s, the time of an attempt."
    )
    made.assert_nothing_is_left()


async def test_a_late_attempt_that_had_begun_to_answer_says_so_too_and_is_the_last():
    made = Stage(2, retries=PER_TRY)
    caller = made.call(seconds=3)
    made.clock.advance(1)
    made.asked()[0].ends(answered(late()))
    assert isinstance(caller.result, AnsweredError)
    assert "within 1 s, the time of an attempt" in caller.result.status.message
    assert made.who() == "a"


async def test_a_call_whose_time_is_up_is_over():
    made = Stage(2, retries=PER_TRY)
    caller = made.call(seconds=0.5)
    made.clock.advance(0.5)
    failure = late()
    made.asked()[0].ends(failure)
    assert caller.result is failure
    made.assert_nothing_is_left()


# Its end.


async def test_a_call_that_is_cancelled_while_it_waits_is_made_no_more():
    made = stage([busy()], [OK])
    caller = made.call()
    caller.leave()
    made.assert_nothing_is_left()
    made.clock.advance(1)
    assert made.who() == "a"


async def test_a_call_that_is_cancelled_is_cancelled_where_it_is():
    made = stage([busy()], [])
    caller = made.call()
    made.clock.advance(0.1)
    caller.leave()
    caller.leave()
    assert [each.cancelled for each in made.asked()] == [False, True]
    made.assert_nothing_is_left()


async def test_calls_that_wait_end_when_the_upstream_closes():
    made = stage([busy(), busy()])
    callers = [made.call(), made.call()]
    await made.upstream.close(0)
    assert [caller.result.reason for caller in callers] == ["DRAINING"] * 2
    made.assert_nothing_is_left()


async def test_calls_with_a_key_go_elsewhere_when_they_failed():
    made = stage([busy()], [OK])
    caller = made.call(Manner(SAFE.repeats, lambda call: b"key"))
    made.clock.advance(1)
    assert caller.result == OK


# Calls that a server refused unread.


@pytest.mark.parametrize("manner", [SAFE, IDEMPOTENT, NEVER])
async def test_what_a_server_refused_is_another_s_once_for_nothing(manner):
    """gRFC A6, "Transparent Retries": one beyond which it is a retry like any other."""
    made = stage([refused()], [OK], retries=None)
    assert made.call(manner).result == OK
    assert made.who() == "ab"
    failures = [refused(), refused()]
    made = stage(failures[:1], failures[1:], [OK], retries=None)
    assert made.call(manner).result is failures[-1]
    assert made.who() == "ab"
    made.assert_nothing_is_left()


async def test_the_only_server_is_asked_again_once():
    made = stage([refused(), OK], retries=None)
    assert made.call(NEVER).result == OK
    made = stage([refused(), refused(), OK], retries=None)
    assert isinstance(made.call(NEVER).result, RefusedError)
    made.assert_nothing_is_left()


@pytest.mark.parametrize("manner", [SAFE, NEVER])
async def test_what_servers_refused_again_is_tried_again_after_a_wait(manner):
    made = stage([refused()], [refused()], [OK])
    caller = made.call(manner)
    assert not caller.heard
    assert made.counts.retries == 0
    made.clock.advance(0.1)
    assert caller.result == OK
    assert made.counts.retries == 1
    assert {each.previous for each in made.asked()} == {None}
    made.assert_nothing_is_left()


async def test_what_did_not_leave_after_that_is_still_the_next_node_s():
    made = stage([refused()], [unsent()], [OK], retries=None)
    assert made.call(NEVER).result == OK


@pytest.mark.parametrize("manner", [SAFE, NEVER])
async def test_servers_that_refuse_all_are_asked_twice_a_call_and_what_the_budget_has(manner):
    made = Stage(5, retries=RetrySpec())
    for endpoint in made.endpoints:
        endpoint.always = refused()
    for _ in range(5_000):
        made.call(manner)
        made.clock.advance(0.001)
    made.clock.advance(5)
    assert 2.1 * 5_000 < made.counts.attempts <= 2.2 * 5_000
    made.assert_nothing_is_left()


# Bugs.


@pytest.mark.parametrize("moment", ["the first attempt", "an attempt after it", "a retry"])
async def test_a_bug_ends_the_call_and_takes_no_place(moment, caplog):
    made = stage([unsent() if moment == "an attempt after it" else busy()], [OK])
    pick, picks = made.upstream.pick, []

    def failing(key, avoid):
        picks.append(avoid)
        if len(picks) > (moment != "the first attempt"):
            raise RecursionError("as the test says")
        return pick(key, avoid)

    made.upstream.pick = failing
    caller = made.call()
    made.clock.advance(1)
    assert caller.result.reason == "INTERNAL"
    assert "RecursionError" in caplog.text
    made.assert_nothing_is_left()


async def test_a_bug_of_who_waits_is_not_the_call_s():
    made = stage([])
    made.upstream.start(Call("m"), lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made.asked()[0].ends(OK)
    made.assert_nothing_is_left()
