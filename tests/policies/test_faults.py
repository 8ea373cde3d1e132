"""Faults on purpose: a share of the calls is held up, fails, or both, and never past its deadline."""

import asyncio

import pytest

from gateway.call import Call, Code, Deadline, RpcError
from gateway.policies.faults import InjectFaults


class Sleeping:
    """Sleeps without time, and remembers how long."""

    def __init__(self):
        self.slept = []

    async def __call__(self, seconds):
        self.slept.append(seconds)


@pytest.fixture
def sleep():
    return Sleeping()


def made(sleep, *, percent=100.0, delay=0.0, code=None, at=0.0):
    return InjectFaults(percent, delay, code, random=lambda: at, clock=lambda: 50.0, sleep=sleep)


def call(deadline=None):
    return Call("a.B/C", deadline=None if deadline is None else Deadline(deadline))


@pytest.mark.parametrize(
    ("percent", "at", "hit"),
    [
        pytest.param(0.0, 0.0, False, id="a-share-of-nothing-is-off"),
        pytest.param(10.0, 0.0999, True, id="below-the-share"),
        pytest.param(10.0, 0.1, False, id="at-the-share"),
        pytest.param(100.0, 0.9999, True, id="all"),
    ],
)
def test_a_share_is_hit(sleep, percent, at, hit):
    policy = made(sleep, percent=percent, code=Code.ABORTED, at=at)
    if not hit:
        assert policy.admit(call()) is None
        return
    with pytest.raises(RpcError) as caught:
        policy.admit(call())
    assert caught.value.status.code is Code.ABORTED
    assert caught.value.reason == "FAULT_INJECTED"


async def test_a_delay_holds_up_and_lets_pass(sleep):
    await made(sleep, delay=0.25).admit(call(51.0))
    assert sleep.slept == [0.25]


async def test_a_call_fails_after_the_delay(sleep):
    pending = made(sleep, delay=0.25, code=Code.UNAVAILABLE).admit(call())
    with pytest.raises(RpcError) as caught:
        await pending
    assert caught.value.status.code is Code.UNAVAILABLE
    assert sleep.slept == [0.25]


@pytest.mark.parametrize(
    ("deadline", "slept"),
    [
        pytest.param(50.1, 0.1, id="sooner-than-the-delay"),
        pytest.param(49.0, 0.0, id="past"),
    ],
)
async def test_nobody_waits_past_the_deadline(sleep, deadline, slept):
    pending = made(sleep, delay=0.25, code=Code.UNAVAILABLE).admit(call(deadline))
    with pytest.raises(RpcError) as caught:
        await pending
    assert caught.value.status.code is Code.DEADLINE_EXCEEDED
    assert sleep.slept == [pytest.approx(slept)]


async def test_a_call_that_is_given_up_leaves_no_timer():
    policy = InjectFaults(100.0, 3600.0, None, random=lambda: 0.0, clock=lambda: 0.0)
    task = asyncio.ensure_future(policy.admit(call()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"delay": 0.1}, "On purpose, 5 % of the calls are delayed by 100 ms."),
        ({"code": Code.ABORTED}, "On purpose, 5 % of the calls fail with ABORTED."),
        (
            {"delay": 2.0, "code": Code.INTERNAL},
            "On purpose, 5 % of the calls are delayed by 2000 ms and fail with INTERNAL.",
        ),
    ],
    ids=["slow", "failed", "both"],
)
def test_it_says_so(sleep, given, said):
    assert made(sleep, percent=5.0, **given).describe() == said
