"""A stream lasts no longer than what its caller showed: it is looked at again while it runs.

It stands around streaming calls, right behind `Authenticate`. When what was shown ends, and once in
a while before (a key may have been revoked, a signing key withdrawn), the gate is asked again, with
what the caller shows by then: a WebSocket's client may have sent a new token. A stream whose caller
is not known any more, or is another, ends with UNAUTHENTICATED. Unary calls are short, and are not
looked at again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from gateway.call import Call, Code, Gate, Metadata, Principal, RpcError, StreamCall
from gateway.errors import error
from gateway.policies.auth.refusals import Refusals

EVERY: Final = 60.0
"""Seconds after which a stream's caller is looked at again."""

_SOONEST: Final = 0.1  # seconds between two looks, whatever a provider says of the end


class Handle(Protocol):
    """A time that was set."""

    def cancel(self) -> None:
        """Unsets it."""


Later: TypeAlias = Callable[[float, Callable[[], None]], Handle]
"""Calls a function after so many seconds: the running loop's `call_later`, but in tests."""


class Watch:
    """Ends streams whose caller is not known any more (`gateway.call.StreamAround`).

    Args:
        gate: Knows their callers, as the one did that let them in.
        now: Seconds since 1970.
        every: Seconds after which it is asked again.
        later: What calls later; None is the running loop.
        refusals: Writes into the log which streams it ends; None for one of its own.
    """

    __slots__ = ("every", "gate", "later", "now", "refusals")

    def __init__(
        self,
        gate: Gate,
        now: Callable[[], float],
        every: float = EVERY,
        later: Later | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self.gate = gate
        self.now = now
        self.every = every
        self.later = later
        self.refusals = refusals or Refusals()

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        often = f"{self.every:g}s"
        return f"Ends a stream when its caller is not known any more; asks every {often}."

    async def stream(
        self, call: StreamCall, proceed: Callable[[StreamCall], Awaitable[Metadata]]
    ) -> Metadata:
        """Runs the stream for as long as its caller is known."""
        if call.principal is None:
            return await proceed(call)
        task = asyncio.current_task()
        assert task is not None, "a stream is run by a task"
        cancelled_before = task.cancelling()
        watched = _Watched(self, call, call.principal, task)
        try:
            return await proceed(call)
        except asyncio.CancelledError:
            # Somebody else may have cancelled it too: then it is theirs.
            if watched.failure is None or task.uncancel() > cancelled_before:
                raise
            raise watched.failure from None
        finally:
            watched.stop()


class _Watched:
    """One stream under watch.

    Attributes:
        failure: Why it was ended; None while it was not.
    """

    def __init__(
        self, watch: Watch, call: StreamCall, principal: Principal, task: asyncio.Task[object]
    ) -> None:
        self._watch = watch
        self._call = call
        self._principal = principal
        self._task = task
        self._later: Later = watch.later or asyncio.get_running_loop().call_later
        self._asking: asyncio.Task[None] | None = None
        self.failure: RpcError | None = None
        self._timer = self._later(self._wait(), self._look)

    def stop(self) -> None:
        """Watches no more."""
        self._timer.cancel()
        if self._asking is not None:
            self._asking.cancel()

    def _wait(self) -> float:
        expires = self._principal.expires
        left = self._watch.every if expires is None else expires - self._watch.now()
        return max(_SOONEST, min(self._watch.every, left))

    def _look(self) -> None:
        call = self._call
        again = Call(
            call.method,
            peer=call.peer,
            front=call.front,
            request_id=call.request_id,
            head=call.head,
        )
        try:
            pending = self._watch.gate.admit(again)
        except RpcError as failure:
            self._judge(again, failure)
            return
        if pending is None:
            self._judge(again, None)
        else:
            self._asking = asyncio.get_running_loop().create_task(self._ask(again, pending))

    async def _ask(self, again: Call, pending: Awaitable[None]) -> None:
        try:
            await pending
        except RpcError as failure:
            self._judge(again, failure)
        else:
            self._judge(again, None)

    def _judge(self, again: Call, failure: RpcError | None) -> None:
        if failure is None:
            if again.principal is not None and again.principal.is_of(self._principal):
                self._principal = again.principal
            else:
                failure = error("INVALID_CREDENTIALS", "The caller of the stream has changed.")
        elif failure.status.code is not Code.UNAUTHENTICATED and not self._has_expired():
            failure = None  # nobody can say now; what was shown holds until it ends
        if failure is None:
            self._timer = self._later(self._wait(), self._look)
        else:
            self.failure = failure
            self._watch.refusals.ended(self._call, failure, self._principal)
            self._task.cancel()

    def _has_expired(self) -> bool:
        expires = self._principal.expires
        return expires is not None and expires <= self._watch.now()
