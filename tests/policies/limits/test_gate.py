"""Calls that are within their limits, and calls that are not."""

from __future__ import annotations

import logging

import pytest
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, Principal, RpcError
from gateway.errors import error
from gateway.policies.limits.gate import RateLimits
from gateway.policies.limits.quotas import Calendar, Quota
from gateway.policies.limits.refusal import Notes
from tests.policies.limits.limiting import (
    ADA,
    BOB,
    Clock,
    Later,
    by_plan,
    call,
    limit,
    limiter,
    settle,
)

FREE = Principal("fay", "customers", plan="free")


class Gate:
    """A gate, its clock, and what it let through."""

    def __init__(self, *usual, clock=None, unknown=lambda _: None, legacy=False, **plans):
        self.clock = clock or Clock()
        self.limiter = limiter(self.clock)
        self.plans = by_plan(self.clock, *usual, unknown=unknown, legacy=legacy, **plans)
        self.gate = RateLimits(self.plans, self.limiter, Notes(self.clock), self.clock.sleep)

    def admitted(self, count=20, **given):
        """How many of so many calls it admits at once."""
        return sum(self.refusal(call(**given)) is None for _ in range(count))

    def refusal(self, asked):
        try:
            assert self.gate.admit(asked) is None
        except RpcError as failure:
            return failure
        return None


def info(failure, kind):
    message = kind()
    for detail in failure.status.details:
        if detail.type_url.endswith(message.DESCRIPTOR.full_name):
            message.ParseFromString(detail.value)
            return message
    raise AssertionError(kind)


def test_each_caller_has_its_own():
    gate = Gate(limit(rate=3))
    assert gate.admitted(principal=ADA) == 3
    assert gate.admitted(principal=BOB) == 3
    assert gate.admitted(principal=None) == 3
    assert gate.admitted(principal=None, peer="198.51.100.1") == 3


async def test_there_is_more_after_a_while():
    gate = Gate(limit(rate=3))
    gate.admitted()
    await gate.clock.advance(20)
    assert gate.admitted() == 1
    await gate.clock.advance(60)
    assert gate.admitted() == 3


@pytest.mark.parametrize("algorithm", ["token_bucket", "sliding_window", "fixed_window"])
def test_all_algorithms_limit(algorithm):
    assert Gate(limit(rate=3, algorithm=algorithm)).admitted() == 3


def test_none_is_charged_when_another_refuses():
    gate = Gate(limit("user", 3), limit("all", 5, key=("all",)))
    assert gate.admitted(principal=ADA) == 3
    # What was refused to Ada has not been taken of what all share.
    assert gate.admitted(principal=BOB) == 2


def test_a_flood_of_one_leaves_the_other_all_of_its_own():
    gate = Gate(limit(rate=3))
    gate.admitted(10_000, principal=ADA)
    assert gate.admitted(principal=BOB) == 3


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 5)), max_size=100))
def test_never_more_than_each_limit_allows(steps):
    gate = Gate(limit("user", 60), limit("all", 90, key=("all",)))
    admitted, spent = {}, 0.0
    for who, pause in steps:
        gate.clock.now += pause
        spent += pause
        principal = Principal(str(who), "customers")
        admitted[who] = admitted.get(who, 0) + gate.admitted(7, principal=principal)
    assert all(count <= 60 + spent + 1 for count in admitted.values())
    assert sum(admitted.values()) <= 90 + 1.5 * spent + 1


def test_a_refusal_names_the_limit_and_its_numbers():
    gate = Gate(limit(rate=3))
    gate.admitted()
    failure = gate.refusal(call())
    assert (failure.status.code, failure.reason) == (Code.RESOURCE_EXHAUSTED, "RATE_LIMITED")
    assert failure.status.message == 'The limit "user" of 3 calls a minute is used up.'
    assert info(failure, error_details_pb2.ErrorInfo).metadata == {"limit": "user", "rate": "3/m"}
    assert info(failure, error_details_pb2.RetryInfo).retry_delay.seconds in (19, 20)
    violations = info(failure, error_details_pb2.QuotaFailure).violations
    assert [(each.subject, each.description) for each in violations] == [("user", "3/m is used up")]


def test_the_limit_that_lasts_longest_is_told():
    gate = Gate(limit("burst", 1, 1.0), limit("day", 1, 86_400.0))
    gate.admitted()
    failure = gate.refusal(call())
    assert "day" in failure.status.message
    assert len(info(failure, error_details_pb2.QuotaFailure).violations) == 2


def test_a_burst_is_told():
    gate = Gate(limit(rate=1, burst=5))
    assert gate.admitted() == 5
    message = gate.refusal(call()).status.message
    assert message == 'The limit "user" of 1 call a minute (5 at once) is used up.'


def test_replies_tell_what_is_left_also_refusals():
    gate = Gate(limit(rate=2))
    first = call(reply_headers={"x-judge": "yes"})
    gate.refusal(first)
    assert first.reply_headers == {
        "x-judge": "yes",
        "ratelimit-policy": '"user";q=2;w=60',
        "ratelimit": '"user";r=1;t=30',
    }
    gate.admitted(1)
    refused = call()
    assert gate.refusal(refused) is not None
    assert refused.reply_headers["ratelimit"] == '"user";r=0;t=30'


def test_the_headers_of_other_gates_are_theirs():
    headers = {"x-judge": "yes"}
    Gate(limit()).refusal(call(reply_headers=headers))
    assert headers == {"x-judge": "yes"}


# Plans.


def test_a_plan_has_its_own_numbers():
    gate = Gate(limit(rate=3), free=[limit(rate=1)])
    assert gate.admitted(principal=FREE) == 1
    assert gate.admitted(principal=ADA) == 3


def test_a_plan_without_a_limit():
    gate = Gate(limit(rate=3), free=[])
    assert gate.admitted(50, principal=FREE) == 50
    asked = call(principal=FREE)
    gate.refusal(asked)
    assert asked.reply_headers is None


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        pytest.param(5, "of 5 calls and messages a minute", id="several"),
        pytest.param(1, "of 1 call or message a minute", id="one"),
    ],
)
def test_a_limit_on_messages_says_that_they_are_charged_too(rate, said):
    assert limit(rate=rate, messages=True).said == f'the limit "user" {said}'


def test_a_plan_that_nobody_knows_has_the_usual_numbers():
    told = []
    gate = Gate(limit(rate=3), unknown=told.append, free=[])
    assert gate.admitted(4, principal=Principal("eve", "customers", plan="gold")) == 3
    assert told == ["gold"] * 4


# Quotas.


def quota(gate_clock, what="calls", count=2, span="d"):
    return Quota(what, count, span, Calendar(gate_clock))


def test_a_quota_of_bytes_is_told_as_a_size():
    dates = Calendar(Clock(0.0))
    sized = Quota("bytes", 2048, "month", dates, "2KiB")
    assert (sized.said, sized.rate) == ("the quota of 2KiB a month", "2KiB/month")
    odd = Quota("bytes", 2000, "d", dates, "2000")
    assert (odd.said, odd.rate) == ("the quota of 2000 bytes a day", "2000/d")


async def test_a_quota_of_calls():
    clock = Clock(1_795_279_563.0)  # 2026-11-21T16:46:03Z
    gate = Gate(limit(rate=3), clock=clock, free=[limit(rate=9), quota(clock)])
    assert gate.admitted(principal=FREE) == 2
    failure = gate.refusal(call(principal=FREE))
    assert failure.reason == "QUOTA_EXCEEDED"
    assert failure.status.message == "The quota of 2 calls a day is used up."
    metadata = info(failure, error_details_pb2.ErrorInfo).metadata
    assert metadata == {"quota": "calls/d", "rate": "2/d"}
    until = info(failure, error_details_pb2.RetryInfo).retry_delay.seconds
    assert until == 7 * 3600 + 13 * 60 + 57
    await clock.advance(until + 1)
    assert gate.admitted(principal=FREE) == 2


def test_a_quota_is_of_all_methods_together():
    clock = Clock(1_795_279_563.0)
    gate = Gate(clock=clock, free=[quota(clock)])
    asked = [call(principal=FREE), call(principal=FREE), call(principal=FREE)]
    for number, each in enumerate(asked):
        each.method = f"a.B/{number}"
    assert [gate.refusal(each) is None for each in asked] == [True, True, False]


def test_a_quota_is_not_charged_what_a_rate_refuses():
    clock = Clock(1_795_279_563.0)
    gate = Gate(clock=clock, free=[limit(rate=1), quota(clock, count=100)])
    gate.admitted(50, principal=FREE)
    asked = call(principal=FREE)
    gate.refusal(asked)
    assert '"calls/d";r=99' in asked.reply_headers["ratelimit"]


# Dark limits.


def test_a_dark_limit_refuses_nothing_and_is_not_told(caplog):
    caplog.set_level(logging.INFO, "gateway.limits")
    gate = Gate(limit(rate=3, dark=True))
    asked = call(request_id="r1")
    assert gate.admitted(3) == 3
    assert not caplog.messages
    assert gate.refusal(asked) is None
    assert not asked.reply_headers
    (line,) = caplog.messages
    assert line == (
        'would refuse a.B/C from 203.0.113.7: the limit "user" of 3 calls a minute is used up; '
        "caller customers 'ada'; request 'r1'"
    )


def test_a_dark_limit_beside_another():
    gate = Gate(limit("tried", 1, dark=True), limit("user", 3))
    assert gate.admitted() == 3
    asked = call(principal=BOB)
    gate.refusal(asked)
    assert asked.reply_headers["ratelimit"] == '"user";r=2;t=20'


# What is logged.


async def test_refusals_are_told_once_a_second_by_their_count(caplog):
    caplog.set_level(logging.INFO, "gateway.limits")
    gate = Gate(limit(rate=3))
    gate.admitted(10)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("refused a.B/C from 203.0.113.7: the limit")
    await gate.clock.advance(1)
    gate.refusal(call(principal=Principal("a" * 300 + "\n", "customers")))
    gate.refusal(call())
    assert len(caplog.messages) == 2
    assert caplog.messages[1].endswith("6 more such lines left out before")


# Limiters that must be awaited.


def later(gate):
    gate.limiter = Later(gate.limiter)
    gate.gate = RateLimits(gate.plans, gate.limiter, Notes(gate.clock), gate.clock.sleep)
    return gate


async def test_a_decision_is_awaited():
    gate = later(Gate(limit(rate=1)))
    first, second = call(), call()
    await gate.gate.admit(first)
    assert first.reply_headers["ratelimit"] == '"user";r=0;t=60'
    with pytest.raises(RpcError) as refused:
        await gate.gate.admit(second)
    assert refused.value.reason == "RATE_LIMITED"
    assert second.reply_headers["ratelimit"] == '"user";r=0;t=60'


async def test_a_decision_that_nobody_waits_for_leaves_nothing():
    gate = later(Gate(limit(rate=1)))
    gate.gate.admit(call()).close()
    await settle()
    await gate.gate.admit(call())


async def test_what_can_not_be_known_refuses():
    gate = later(Gate(limit(rate=1)))
    gate.limiter.failure = error("LIMITS_UNAVAILABLE", "Not now.")
    with pytest.raises(RpcError) as refused:
        await gate.gate.admit(call())
    assert refused.value.reason == "LIMITS_UNAVAILABLE"


def test_it_says_what_it_does():
    gate = Gate(limit("user"), free=[limit("user"), quota(Clock())])
    assert gate.gate.describe() == "Takes a share of user, calls/d, or refuses."
