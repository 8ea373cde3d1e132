"""Charges what is known of a call when it has passed: messages and bytes, for plans' quotas.

It stands behind the gate that looks whether there is any left. A unary call is charged at its end,
a stream as it goes on, so that one that never ends does not take more than there is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from gateway.call import Call, Metadata, Outcome, StreamCall
from gateway.policies.limits.ask import Limiter, Share, Verdict
from gateway.policies.limits.charges import Charges
from gateway.policies.limits.quotas import Quota
from gateway.policies.limits.refusal import Notes, refusal
from gateway.policies.passing import PassingStream

_MESSAGES: Final = 64  # of a stream that are charged together
_BYTES: Final = 65_536  # of a stream that are charged together


class Charging:
    """Charges the quotas of plans (an Observer of unary calls, and a StreamAround).

    Args:
        plans: The quotas of messages and bytes, by plan; others have none.
        limiter: Counts.
        notes: Takes down streams that are ended.
        charges: Go on in the background.
    """

    __slots__ = ("_charges", "_limiter", "_notes", "_plans")

    def __init__(
        self,
        plans: Mapping[str, Sequence[Quota]],
        limiter: Limiter,
        notes: Notes,
        charges: Charges,
    ) -> None:
        self._plans = plans
        self._limiter = limiter
        self._notes = notes
        self._charges = charges

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return "Charges messages and bytes to the quotas of the caller's plan."

    def ended(self, call: Call, outcome: Outcome) -> None:
        """Charges a unary call."""
        quotas = self.quotas(call)
        if not quotas:
            return
        messages, size = 1, len(call.request)
        if outcome.reply is not None:
            messages, size = 2, size + len(outcome.reply.message)
        self.charge(call, quotas, messages, size)

    async def stream(
        self, call: StreamCall, proceed: Callable[[StreamCall], Awaitable[Metadata]]
    ) -> Metadata:
        """Runs the call, until its caller's quota is used up.

        Raises:
            RpcError: QUOTA_EXCEEDED.
        """
        quotas = self.quotas(call)
        if not quotas:
            return await proceed(call)
        counted = _Counted(call, self, quotas)
        try:
            return await proceed(counted)
        finally:
            counted.settle()

    def quotas(self, call: Call) -> Sequence[Quota]:
        """Returns what the caller of a call is charged."""
        principal = call.principal
        plan = None if principal is None else principal.plan
        return () if plan is None else self._plans.get(plan, ())

    def charge(self, call: Call, quotas: Sequence[Quota], messages: int, size: int) -> None:
        """Charges what has passed, in the background where that takes time."""
        if self._charges.full:
            self._charges.lose()
            return
        verdict = self._decide(call, quotas, messages, size)
        if not isinstance(verdict, Verdict):
            self._charges.begin(verdict)

    async def charge_stream(
        self, call: Call, quotas: Sequence[Quota], messages: int, size: int
    ) -> None:
        """Charges what has passed of a stream.

        Raises:
            RpcError: QUOTA_EXCEEDED: there was less.
        """
        verdict = self._decide(call, quotas, messages, size)
        if not isinstance(verdict, Verdict):
            verdict = await verdict
        used_up: list[tuple[Quota, Share]] = [
            (quota, share)
            for quota, share in zip(quotas, verdict.shares, strict=True)
            if share is not None and not share.allowed
        ]
        if used_up:
            for quota, _ in used_up:
                quota.tally.refused += 1
            self._notes.ended(call, [quota for quota, _ in used_up])
            raise refusal(used_up)

    def _decide(
        self, call: Call, quotas: Sequence[Quota], messages: int, size: int
    ) -> Verdict | Awaitable[Verdict]:
        cost = {"messages": messages, "bytes": size}
        return self._limiter.decide([each.charge(call, cost[each.what]) for each in quotas])


class _Counted(PassingStream):
    """The call as those behind see it: what passes is counted, and charged in parts."""

    __slots__ = ("_bytes", "_charging", "_messages", "_quotas")

    def __init__(self, of: StreamCall, charging: Charging, quotas: Sequence[Quota]) -> None:
        super().__init__(of)
        self._charging = charging
        self._quotas = quotas
        self._messages = self._bytes = 0

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        message = await self.of.receive()
        if message is not None:
            await self._count(message)
        return message

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        await self._count(message)
        await self.of.send(message)

    def settle(self) -> None:
        """Charges what is left at the end."""
        messages, size = self._take()
        if messages:
            self._charging.charge(self.of, self._quotas, messages, size)

    async def _count(self, message: bytes) -> None:
        self._messages += 1
        self._bytes += len(message)
        if self._messages >= _MESSAGES or self._bytes >= _BYTES:
            messages, size = self._take()
            await self._charging.charge_stream(self.of, self._quotas, messages, size)

    def _take(self) -> tuple[int, int]:
        taken = self._messages, self._bytes
        self._messages = self._bytes = 0
        return taken
