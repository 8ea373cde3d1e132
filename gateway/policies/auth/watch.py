"""A stream lasts no longer than what its caller showed: it is looked at again while it runs.

It stands around streaming calls, right behind `Authenticate`. When what was shown ends, and once in
a while before (a key may have been revoked, a role taken away), the gates are asked again, with
what the caller shows by then: a WebSocket's client may have sent a new token. A stream whose caller
is refused, or is another one, ends with that. Only where nobody can say does it go on, for some
minutes and never past the end of what was shown: whoever could keep an issuer from answering would
else keep what was revoked. Unary calls are short, and are not looked at again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeAlias

from gateway.call import Call, Code, Gate, Metadata, Principal, RpcError, StreamCall
from gateway.errors import error
from gateway.policies.auth.refusals import Refusals

log = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds after which a stream's caller is looked at again."""

_SOONEST: Final = 0.1  # seconds between two looks, whatever a provider says of the end
_AGAIN: Final = 10.0  # seconds until the next look, where nobody could say
_PATIENCE: Final = 300.0
"""Seconds for which a stream goes on though nobody can say whether its caller is known."""


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
        may: Says whether they may still call, at once; None where all may who are known.
        every: Seconds after which they are asked again.
        later: What calls later; None is the running loop.
        refusals: Writes into the log which streams it ends; None for one of its own.
    """

    __slots__ = ("every", "gate", "later", "may", "now", "refusals")

    def __init__(
        self,
        gate: Gate,
        now: Callable[[], float],
        *,
        may: Gate | None = None,
        every: float = EVERY,
        later: Later | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self.gate = gate
        self.may = may
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
        self._metadata = call.metadata  # what conditions see: nothing is forwarded yet
        self._principal = principal
        self._task = task
        self._later: Later = watch.later or asyncio.get_running_loop().call_later
        self._asking: asyncio.Task[None] | None = None
        self._in_doubt = 0.0
        self.failure: RpcError | None = None
        self._timer = self._later(self._wait(watch.every), self._look)

    def stop(self) -> None:
        """Watches no more."""
        self._timer.cancel()
        if self._asking is not None:
            self._asking.cancel()

    def _wait(self, most: float) -> float:
        expires = self._principal.expires
        left = most if expires is None else expires - self._watch.now()
        return max(_SOONEST, min(most, left))

    def _look(self) -> None:
        call = self._call
        again = Call(
            call.method,
            metadata=self._metadata,
            peer=call.peer,
            front=call.front,
            request_id=call.request_id,
            head=call.head,
        )
        try:
            pending = self._watch.gate.admit(again)
        except Exception as failure:  # noqa: BLE001 - `_doubt` logs what is not an RpcError
            self._doubt(failure)
            return
        if pending is None:
            self._judge(again)
        else:
            self._asking = asyncio.get_running_loop().create_task(self._ask(again, pending))

    async def _ask(self, again: Call, pending: Awaitable[None]) -> None:
        try:
            await pending
        except Exception as failure:  # noqa: BLE001 - as above
            self._doubt(failure)
        else:
            self._judge(again)

    def _judge(self, again: Call) -> None:
        """Goes on, or ends the stream: who calls now is known."""
        now, before = again.principal, self._principal
        if now is None or (now.provider, now.subject) != (before.provider, before.subject):
            self._end(error("INVALID_CREDENTIALS", "The caller of the stream has changed."))
            return
        try:
            if self._watch.may is not None:
                self._watch.may.admit(again)
        except Exception as failure:  # noqa: BLE001 - as above
            self._doubt(failure)
            return
        self._principal = self._call.principal = now
        self._in_doubt = 0.0
        self._timer = self._later(self._wait(self._watch.every), self._look)

    def _doubt(self, failure: Exception) -> None:
        """Ends the stream, but where nobody could say."""
        if not isinstance(failure, RpcError):
            log.error("a stream's caller can't be looked at, on a bug", exc_info=failure)
            failure = error("INTERNAL", "The gateway failed on this call.")
        elif failure.status.code is not Code.UNAVAILABLE:
            self._end(failure)
            return
        expires = self._principal.expires
        expired = expires is not None and expires <= self._watch.now()
        if expired or self._in_doubt >= _PATIENCE:
            self._end(failure)
            return
        wait = self._wait(min(_AGAIN, self._watch.every))
        self._in_doubt += wait
        self._timer = self._later(wait, self._look)

    def _end(self, failure: RpcError) -> None:
        self.failure = failure
        self._watch.refusals.ended(self._call, failure, self._principal)
        self._task.cancel()
