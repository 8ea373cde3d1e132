"""Requests that break the rules of their type go no further: unary ones, and messages of streams.

It stands behind all that says who may call and how much, for it takes work, and before what costs a
backend something. A stream ends at the first message that breaks a rule, and with it the call at
the backend.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from gateway.call import Call, Metadata, StreamCall
from gateway.policies.passing import PassingStream


class Checks(Protocol):
    """Checks requests (`validator.Requests`)."""

    def check(self, data: bytes) -> None:
        """Returns if a serialized request keeps all rules; raises RpcError else."""


class Validate:
    """Admits unary calls whose request keeps the rules of its type (`gateway.call.Gate`)."""

    __slots__ = ("_check",)

    def __init__(self, requests: Checks) -> None:
        self._check = requests.check

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return "Refuses a request that breaks the rules in its proto."

    def admit(self, call: Call) -> None:
        """Returns to admit the call.

        Raises:
            RpcError: As of `validator.Requests.check`.
        """
        self._check(call.request)


class ValidateMessages:
    """Lets through request messages that keep the rules of their type; ends the stream else."""

    __slots__ = ("_check",)

    def __init__(self, requests: Checks) -> None:
        self._check = requests.check

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return "Ends a stream at the first request message that breaks the rules in its proto."

    async def stream(
        self, call: StreamCall, proceed: Callable[[StreamCall], Awaitable[Metadata]]
    ) -> Metadata:
        """Runs the call for as long as what its client sends keeps the rules.

        Raises:
            RpcError: As of `validator.Requests.check`.
        """
        return await proceed(_Checked(call, self._check))


class _Checked(PassingStream):
    """The call as those behind see it: what comes from its client has been checked."""

    __slots__ = ("_check",)

    def __init__(self, of: StreamCall, check: Callable[[bytes], None]) -> None:
        super().__init__(of)
        self._check = check

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        message = await self.of.receive()
        if message is not None:
            self._check(message)
        return message
