"""What a method's calls used is counted: calls, messages and bytes, by who called.

A call counts when it ends, however it ends; the messages of a stream as they pass, so that a long
one is told of before its end. It refuses nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from gateway.call import Call, Metadata, Outcome, StreamCall
from gateway.policies.passing import PassingStream
from gateway.state.usage.counts import ANONYMOUS, Count
from gateway.state.usage.ledger import Tally

_DOES: Final = "Counts calls, messages and bytes by who calls."


class UsageOfCalls:
    """Counts the unary calls of a method."""

    def __init__(self, tally: Tally) -> None:
        """Makes an observer.

        Args:
            tally: The counts of the method.
        """
        self._tally = tally

    def describe(self) -> str:
        """Returns what it does, for `gateway explain`."""
        return _DOES

    def ended(self, call: Call, outcome: Outcome) -> None:
        """See Observer."""
        count = _count(self._tally, call)
        count.calls += 1
        count.request_messages += 1
        count.request_bytes += len(call.request)
        if (reply := outcome.reply) is not None:
            count.reply_messages += 1
            count.reply_bytes += len(reply.message)
        else:
            count.errors += 1


class UsageOfStreams:
    """Counts the streaming calls of a method."""

    def __init__(self, tally: Tally) -> None:
        """See UsageOfCalls."""
        self._tally = tally

    def describe(self) -> str:
        """Returns what it does, for `gateway explain`."""
        return _DOES

    async def stream(
        self, call: StreamCall, proceed: Callable[[StreamCall], Awaitable[Metadata]]
    ) -> Metadata:
        """See StreamAround."""
        errors = 1
        try:
            trailers = await proceed(_Counted(call, self._tally))
            errors = 0
        finally:
            count = _count(self._tally, call)
            count.calls += 1
            count.errors += errors
        return trailers


class _Counted(PassingStream):
    """A stream whose messages are counted as they pass."""

    __slots__ = ("_tally",)

    def __init__(self, of: StreamCall, tally: Tally) -> None:
        super().__init__(of)
        self._tally = tally

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        message = await self.of.receive()
        if message is not None:
            count = _count(self._tally, self.of)
            count.request_messages += 1
            count.request_bytes += len(message)
        return message

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        await self.of.send(message)
        count = _count(self._tally, self.of)
        count.reply_messages += 1
        count.reply_bytes += len(message)


def _count(tally: Tally, call: Call) -> Count:
    principal = call.principal
    if principal is None:
        return tally.of(ANONYMOUS)
    return tally.of((principal.provider, principal.subject, principal.plan))
