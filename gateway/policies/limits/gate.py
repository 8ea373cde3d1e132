"""The gate that limits how often callers may call, by rates and by quotas.

It stands behind authentication, whose principal it reads, and before authorization: whoever asks
too often costs no more than this, whether or not it may call. Nothing is waited for where shares
are kept in memory, but a share that is to be waited for. How it is counted is the limiter's,
whose share it is the keys'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial

from gateway.call import Call
from gateway.policies.limits.allowance import Allowance, ByPlan
from gateway.policies.limits.ask import Limiter, Verdict
from gateway.policies.limits.delay import Asked, Delay, Sleep
from gateway.policies.limits.refusal import Notes, refusal


class RateLimits:
    """Admits calls for which all limits have a share left (a Gate).

    Args:
        plans: The limits, by the caller's plan.
        limiter: Decides.
        notes: Takes down what is refused.
        sleep: Waits.
    """

    __slots__ = ("_limiter", "_notes", "_plans", "_sleep")

    def __init__(
        self, plans: ByPlan, limiter: Limiter, notes: Notes, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._plans = plans
        self._limiter = limiter
        self._notes = notes
        self._sleep = sleep

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        names = dict.fromkeys(limit.name for each in self._plans.all for limit in each.limits)
        return f"Takes a share of {', '.join(names)}, or refuses."

    def admit(self, call: Call) -> Awaitable[None] | None:
        """Takes the call's shares, and tells what is left in the reply's headers.

        Raises:
            RpcError: RESOURCE_EXHAUSTED: there is none; UNAVAILABLE: that can't be known.
        """
        allowance = self._plans.of(call)
        if not allowance.limits:
            return None
        verdict = self._limiter.decide(allowance.asks(call))
        if isinstance(verdict, Verdict):
            return self._judge(call, allowance, verdict)
        return Asked(verdict, partial(self._judge, call, allowance), allowance.rooms)

    def _judge(self, call: Call, allowance: Allowance, verdict: Verdict) -> Delay | None:
        told = allowance.told(verdict)
        if call.reply_headers is None:
            call.reply_headers = told
        else:
            call.reply_headers = {**call.reply_headers, **told}
        if allowance.is_dark:
            for limit in allowance.darkly(verdict):
                self._notes.dark(call, limit)
        if not verdict.allowed:
            violated = allowance.violated(verdict)
            self._notes.refused(call, [limit for limit, _ in violated])
            raise refusal(violated)
        if allowance.rooms:
            seconds, rooms = allowance.wait(verdict)
            if seconds:
                return Delay(seconds, rooms, self._sleep)
        return None
