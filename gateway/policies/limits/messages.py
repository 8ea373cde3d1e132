"""Limits on the messages of streams, beside their openings: each message either way is charged.

It stands behind the gate that charges the opening. One message too many ends the stream, or, where
the limit delays, is held up until its turn: the stream is slowed down, and with it whoever sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from gateway.call import Metadata, StreamCall
from gateway.policies.limits.allowance import Allowance, ByPlan
from gateway.policies.limits.ask import Limiter, Verdict
from gateway.policies.limits.delay import Asked, Delay, Sleep
from gateway.policies.limits.refusal import Notes, refusal
from gateway.policies.passing import PassingStream


class MessageLimits:
    """Charges messages of streams (a StreamAround).

    Args:
        plans: The limits of messages, by the caller's plan.
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
        return "Takes a share for each message of a stream, either way, or ends the stream."

    async def stream(
        self, call: StreamCall, proceed: Callable[[StreamCall], Awaitable[Metadata]]
    ) -> Metadata:
        """Runs the call for as long as there is a share for each of its messages.

        Raises:
            RpcError: RESOURCE_EXHAUSTED: there is none; UNAVAILABLE: that can't be known.
        """
        return await proceed(_Limited(call, self))

    async def charge(self, call: StreamCall) -> None:
        """Takes the shares of one message, waiting for them where the limits do.

        Raises:
            RpcError: See `stream`.
        """
        allowance = self._plans.of(call)
        if not allowance.limits:
            return
        verdict = self._limiter.decide(allowance.asks(call))
        if isinstance(verdict, Verdict):
            delay = self._judge(call, allowance, verdict)
            if delay is not None:
                await delay
        else:
            await Asked(verdict, partial(self._judge, call, allowance), allowance.rooms)

    def _judge(self, call: StreamCall, allowance: Allowance, verdict: Verdict) -> Delay | None:
        for limit in allowance.darkly(verdict):
            self._notes.dark(call, limit)
        if not verdict.allowed:
            violated = allowance.violated(verdict)
            self._notes.ended(call, [limit for limit, _ in violated])
            raise refusal(violated)
        seconds, rooms = allowance.wait(verdict)
        return Delay(seconds, rooms, self._sleep) if seconds else None


class _Limited(PassingStream):
    """The call as those behind see it: what passes has been charged."""

    __slots__ = ("_limits",)

    def __init__(self, of: StreamCall, limits: MessageLimits) -> None:
        super().__init__(of)
        self._limits = limits

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        message = await self.of.receive()
        if message is not None:
            await self._limits.charge(self.of)
        return message

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        await self._limits.charge(self.of)
        await self.of.send(message)
