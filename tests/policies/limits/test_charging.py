"""Messages and bytes are charged to quotas when they have passed."""

from __future__ import annotations

import asyncio

import pytest

from gateway.call import OK, Code, Metadata, Outcome, Principal, Reply, RpcError, Status
from gateway.policies.limits.charges import Charges
from gateway.policies.limits.charging import Charging
from gateway.policies.limits.gate import RateLimits
from gateway.policies.limits.quotas import Calendar, Quota
from gateway.policies.limits.refusal import Notes
from tests.policies.limits.limiting import (
    Clock,
    Later,
    by_plan,
    call,
    limiter,
    settle,
)
from tests.policies.streams import Client

FREE = Principal("fay", "customers", plan="free")
FAILED = Outcome(Status(Code.UNAVAILABLE))


def succeeded(message=b""):
    return Outcome(OK, Reply(message))


class Quotas:
    """A gate and what charges behind it, for callers of the plan `free`."""

    def __init__(self, *, wrap=lambda inner: inner, **counts):
        self.clock = Clock(1_795_279_563.0)
        dates = Calendar(self.clock)
        quotas = [Quota(what, count, "d", dates) for what, count in counts.items()]
        self.limiter = wrap(limiter(self.clock))
        notes = Notes(self.clock)
        plans = by_plan(self.clock, free=quotas)
        self.gate = RateLimits(plans, self.limiter, notes, self.clock.sleep)
        self.charges = Charges(2)
        self.charging = Charging({"free": quotas}, self.limiter, notes, self.charges)

    def unary(self, outcome, request=b"", principal=FREE):
        """Makes a call; returns its headers."""
        made = call(principal, request=request)
        assert self.gate.admit(made) is None
        self.charging.ended(made, outcome)
        return made.reply_headers

    def run(self, *messages, principal=FREE):
        async def backend(call):
            while (message := await call.receive()) is not None:
                await call.send(message)
            return Metadata()

        client = Client("a.B/C", messages=list(messages), principal=principal)
        return client, asyncio.ensure_future(self.charging.stream(client, backend))


def test_a_call_is_two_messages_or_one_that_failed():
    quotas = Quotas(messages=5)
    quotas.unary(succeeded())
    quotas.unary(FAILED)
    assert quotas.unary(succeeded())["ratelimit"].startswith('"messages/d";r=2')
    with pytest.raises(RpcError) as refused:
        quotas.unary(succeeded())
    assert refused.value.reason == "QUOTA_EXCEEDED"


def test_bytes_of_both_ways_are_charged():
    quotas = Quotas(bytes=100)
    quotas.unary(succeeded(b"r" * 20), request=b"q" * 30)
    assert quotas.unary(FAILED, request=b"q" * 10)["ratelimit"].startswith('"bytes/d";r=50')
    quotas.unary(succeeded(b"r" * 1000))
    with pytest.raises(RpcError):
        quotas.unary(succeeded())


def test_who_has_no_plan_is_not_charged():
    quotas = Quotas(messages=1)
    for _ in range(5):
        assert quotas.unary(succeeded(), principal=None) is None


async def test_a_stream_is_charged_at_its_end():
    quotas = Quotas(messages=10, bytes=100)
    await quotas.run(b"12345", b"6")[1]
    assert quotas.unary(FAILED)["ratelimit"].startswith('"messages/d";r=6;')
    assert quotas.unary(FAILED)["ratelimit"].split(", ")[1].startswith('"bytes/d";r=88;')


async def test_a_stream_ends_when_its_quota_is_used_up():
    quotas = Quotas(messages=100)
    client, running = quotas.run(*[b"1"] * 200)
    with pytest.raises(RpcError) as ended:
        await running
    assert ended.value.reason == "QUOTA_EXCEEDED"
    assert len(client.heard) == 63  # two charges of 64 messages, either way


async def test_a_stream_that_is_cancelled_is_charged():
    quotas = Quotas(messages=10)
    client = Client("a.B/C", principal=FREE)

    async def backend(call):
        await call.send(b"1")
        await asyncio.Event().wait()

    running = asyncio.ensure_future(quotas.charging.stream(client, backend))
    await settle()
    running.cancel()
    await settle()
    assert quotas.unary(FAILED)["ratelimit"].startswith('"messages/d";r=9;')


async def test_a_stream_of_who_has_no_plan_passes_as_it_is():
    quotas = Quotas(messages=1)
    client, running = quotas.run(*[b"1"] * 5, principal=None)
    await running
    assert client.heard == [b"1"] * 5


async def test_nobody_waits_for_a_charge_that_takes_time():
    quotas = Quotas(messages=3, wrap=Later)
    quotas.limiter.gate.clear()
    quotas.charging.ended(call(FREE), succeeded())
    quotas.limiter.gate.set()
    await settle()
    first = call(FREE)
    await quotas.gate.admit(first)
    assert first.reply_headers["ratelimit"].startswith('"messages/d";r=1')


async def test_what_is_under_way_is_bounded_and_the_log_tells(caplog):
    quotas = Quotas(messages=100, wrap=Later)
    quotas.limiter.gate.clear()
    for _ in range(5):
        quotas.charging.ended(call(FREE), succeeded())
    assert len(quotas.charges) == 2
    assert ["2 charges are under way" in each.message for each in caplog.records] == [True]
    quotas.limiter.gate.set()
    await settle()
    assert len(quotas.charges) == 0
    assert "3 charges were lost" in caplog.records[-1].message
    quotas.charging.ended(call(FREE), succeeded())
    assert len(quotas.charges) == 1
    await settle()
    assert len(caplog.records) == 2


async def test_the_end_waits_for_what_is_under_way():
    quotas = Quotas(messages=10, wrap=Later)
    quotas.limiter.gate.clear()
    quotas.charging.ended(call(FREE), succeeded())
    closing = asyncio.ensure_future(quotas.charges.close())
    await settle()
    assert not closing.done()
    quotas.limiter.gate.set()
    await closing
    first = call(FREE)
    await quotas.gate.admit(first)
    assert first.reply_headers["ratelimit"].startswith('"messages/d";r=8')
