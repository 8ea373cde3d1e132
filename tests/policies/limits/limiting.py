"""What tests of limits are made with: a clock, a limiter, calls."""

from __future__ import annotations

import asyncio

from gateway.call import Call, Principal
from gateway.policies.limits.allowance import Allowance, ByPlan
from gateway.policies.limits.ask import Algorithm, Numbers
from gateway.policies.limits.keys import key_of
from gateway.policies.limits.limit import Limit
from gateway.policies.limits.memory import MemoryLimiter
from gateway.state.table import Table

ADA = Principal("ada", "customers")
BOB = Principal("bob", "customers")


class Clock:
    """Time that passes when it is told to, for who sleeps too."""

    def __init__(self, now=1_000_000.0):
        self.now = now
        self._sleepers = []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, woken))
        await woken

    async def advance(self, seconds):
        self.now += seconds
        for at, woken in list(self._sleepers):
            if at <= self.now + 1e-9 and not woken.done():
                woken.set_result(None)
        await settle()


async def settle():
    """Lets everything that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


class Later:
    """A limiter that must be awaited, as one that asks Redis."""

    def __init__(self, limiter):
        self.limiter = limiter
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure = None

    async def decide(self, asks):
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.limiter.decide(asks)


def limiter(clock):
    return MemoryLimiter(Table.private(1000), clock, clock)


def limit(name="user", rate=3, period=60.0, key=("principal",), **given):
    """A limit; `room` and `patience` make it delay."""
    algorithm = Algorithm(given.pop("algorithm", "token_bucket"))
    burst = given.pop("burst", rate)
    return Limit(
        name=name,
        rate=f"{rate}/m",
        numbers=Numbers(algorithm, rate, period, burst),
        prefix=f"{name}:",
        key=key_of(key),
        **given,
    )


def by_plan(clock, *usual, legacy=False, unknown=lambda _: None, **plans):
    """What holds for callers without a plan, and for those of each."""
    return ByPlan(
        {name: Allowance(limits, clock, legacy=legacy) for name, limits in plans.items()},
        Allowance(usual, clock, legacy=legacy),
        unknown,
    )


def call(principal=ADA, peer="203.0.113.7", **given):
    return Call("a.B/C", principal=principal, peer=peer, **given)
