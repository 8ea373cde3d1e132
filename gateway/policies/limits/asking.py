"""What asks for shares of limits: of a call's opening, and of the messages of streams.

What is told to clients of the answer, and to the log of a refusal, is theirs who ask.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial

from gateway.call import Call
from gateway.policies.limits.allowance import Allowance, AnyLimit, ByPlan
from gateway.policies.limits.ask import Limiter, Verdict
from gateway.policies.limits.delay import Asked, Delay, Sleep
from gateway.policies.limits.numbers import numbers
from gateway.policies.limits.refusal import Notes, refusal


class Asking(ABC):
    """Takes shares of what limits the callers of each plan.

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

    def _ask(self, call: Call) -> Asked | Delay | None:
        """Takes the shares; returns what to await for them, or None.

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
        self._answered(call, allowance, verdict)
        allowance.count(verdict)
        if call.record is not None:
            call.record.note("limits", numbers, allowance.limits, verdict)
        if allowance.is_dark:
            for limit in allowance.darkly(verdict):
                self._notes.dark(call, limit)
        if not verdict.allowed:
            violated = allowance.violated(verdict)
            self._refused(call, [limit for limit, _ in violated])
            raise refusal(violated)
        if allowance.rooms:
            seconds, rooms = allowance.wait(verdict)
            if seconds:
                return Delay(seconds, rooms, self._sleep)
        return None

    @abstractmethod
    def _answered(self, call: Call, allowance: Allowance, verdict: Verdict) -> None:
        """Tells the client what was decided, whatever it was."""

    @abstractmethod
    def _refused(self, call: Call, violated: Sequence[AnyLimit]) -> None:
        """Takes down that there is no share."""
