"""How calls complete: those that waited for the one call of their kind, and those of no kind."""

from __future__ import annotations

from collections.abc import Callable

from gateway.call import Call, Done, Reply, RpcError
from gateway.policies.cache.fetch import Answer
from gateway.policies.cache.keeping import Found, Keeping
from gateway.policies.cache.kept import is_failure
from gateway.policies.cache.outcome import STALE


def unkept(keeping: Keeping, done: Done, result: Reply | RpcError) -> None:
    """Completes a call of which nothing may be kept."""
    if isinstance(result, RpcError):
        done(keeping.unkept_error(result))
    else:
        done(keeping.unkept(result, None, is_own=True))


class Waiting:
    """A call that waits, and the stale reply that may be its answer if what it waits for fails."""

    __slots__ = ("_call", "_clock", "_done", "_keeping", "_stale")

    def __init__(
        self,
        keeping: Keeping,
        clock: Callable[[], float],
        call: Call,
        done: Done,
        stale: Found | None,
    ) -> None:
        self._keeping = keeping
        self._clock = clock
        self._call = call
        self._done = done
        self._stale = stale

    def take(self, answer: Answer | RpcError) -> None:
        """Completes the call."""
        keeping, principal, stale = self._keeping, self._call.principal, self._stale
        if isinstance(answer, Found):
            self._done(keeping.answer(answer, principal, self._clock()))
            return
        if stale is not None and is_failure(answer):
            now = self._clock()
            if stale.kept.may_replace_failure(now):
                if self._call.record is not None:
                    self._call.record.cached = STALE
                self._done(keeping.answer(stale, principal, now))
                return
        if isinstance(answer, RpcError):
            self._done(keeping.unkept_error(answer))
        else:
            self._done(keeping.unkept(answer, principal))
