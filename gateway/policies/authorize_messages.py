"""A condition on what is asked, for streams: each request message is looked at before it goes on.

It stands behind `authorize`, which knows the caller, and before what tells backends of it. What the
condition does not allow never reaches the backend: the stream ends there, and with it the call at
the backend. A client that sends no message at all has asked for nothing, and is not stopped. The
condition is asked about the caller of the time: a socket's client may have sent a new token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from gateway.call import Call, Metadata, StreamCall
from gateway.policies.auth.refusals import Refusals
from gateway.policies.authorize import refusal
from gateway.policies.passing import PassingStream


class MessageCondition(Protocol):
    """A condition that reads requests (`gateway.policies.cel`)."""

    def allows_message(self, call: Call, message: bytes) -> bool:
        """Whether it holds for a call with this request message: nothing but its being true does.

        Never raises.
        """


class AuthorizeMessages:
    """Lets through request messages for which the condition holds (`gateway.call.StreamAround`).

    Args:
        when: The condition.
        schemes: By which a caller can show itself, for the challenge of an unknown one.
        refusals: Writes refusals into the log; None for one of its own.
    """

    __slots__ = ("_refusals", "_schemes", "_when")

    def __init__(
        self,
        when: MessageCondition,
        schemes: Sequence[str] = (),
        refusals: Refusals | None = None,
    ) -> None:
        self._when = when
        self._schemes = tuple(schemes)
        self._refusals = refusals or Refusals()

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return "Lets through request messages for which the condition holds; ends the stream else."

    async def stream(
        self, call: StreamCall, proceed: Callable[[StreamCall], Awaitable[Metadata]]
    ) -> Metadata:
        """Runs the call for as long as the condition holds for what its client sends.

        Raises:
            RpcError: PERMISSION_DENIED: it does not; UNAUTHENTICATED where nobody is known.
        """
        return await proceed(_Checked(call, self))

    def check(self, call: StreamCall, message: bytes) -> None:
        """Raises RpcError unless the condition holds for a message."""
        if not self._when.allows_message(call, message):
            raise self._refusals.tell(call, refusal(call, self._schemes))


class _Checked(PassingStream):
    """The call as those behind see it: what comes from its client has been looked at."""

    __slots__ = ("_gate",)

    def __init__(self, of: StreamCall, gate: AuthorizeMessages) -> None:
        super().__init__(of)
        self._gate = gate

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        message = await self.of.receive()
        if message is not None:
            self._gate.check(self.of, message)
        return message
