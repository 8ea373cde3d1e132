"""Limits on the messages of streams, beside their openings: each message either way is charged.

It stands behind the gate that charges the opening. One message too many ends the stream, or, where
the limit delays, is held up until its turn: the stream is slowed down, and with it whoever sends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from gateway.call import Call, Metadata, StreamCall
from gateway.policies.limits.allowance import Allowance, AnyLimit
from gateway.policies.limits.ask import Verdict
from gateway.policies.limits.asking import Asking
from gateway.policies.passing import PassingStream


class MessageLimits(Asking):
    """Charges messages of streams (a StreamAround), by the limits of messages."""

    __slots__ = ()

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
        pending = self._ask(call)
        if pending is not None:
            await pending

    def _answered(self, call: Call, allowance: Allowance, verdict: Verdict) -> None:
        """Tells nothing: the reply's headers may have left."""

    def _refused(self, call: Call, violated: Sequence[AnyLimit]) -> None:
        self._notes.ended(call, violated)


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
