"""Refusals in the log: who was refused what, and why, a line each.

A line has the reason, the call, its address and request id, and the caller where one is known:
never what was shown, nor what it claims. What anybody can cause in any number, by asking without
being anybody, is told once a second and by its count. All else is bounded by the rate of addresses
(bad credentials) or has a name to it (a caller who may not).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from gateway.call import Call, Principal, RpcError
from gateway.policies.told import Flood, line

log = logging.getLogger("gateway.auth")

_WORDS: Final = {
    "CREDENTIALS_MISSING": "no credentials",
    "INVALID_CREDENTIALS": "bad credentials",
    "TOKEN_EXPIRED": "bad credentials",
    "CROSS_SITE_REQUEST": "asked by a page of another site",
    "INSUFFICIENT_SCOPE": "a scope is missing",
    "ROLE_MISSING": "a role is missing",
    "CONDITION_FAILED": "the condition does not hold",
    "AUTHORIZATION_DENIED": "denied by the authorization service",
    "TOO_MANY_UNAUTHENTICATED": "too many calls of the address that show nobody",
    "LOCKED_OUT": "locked out",
    "AUTHENTICATION_UNAVAILABLE": "who calls can't be known now",
}
_COUNTED: Final = frozenset(
    {"CREDENTIALS_MISSING", "TOO_MANY_UNAUTHENTICATED", "AUTHENTICATION_UNAVAILABLE"}
)


class Refusals:
    """Writes refusals into the log.

    Args:
        clock: Seconds that only grow.
    """

    __slots__ = ("_flood",)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._flood = Flood(clock)

    def tell(self, call: Call, failure: RpcError, *, provider: str = "", why: str = "") -> RpcError:
        """Writes that a call is refused; returns the refusal.

        Args:
            call: The call, with its principal where one is known.
            failure: What it is refused with.
            provider: The name of the one who refused what was shown; empty for none.
            why: What failed, for operators.
        """
        if call.record is not None:
            call.record.note("refused", _told, failure.reason, provider, why)
        self._write("refused", call, failure, principal=call.principal, provider=provider, why=why)
        return failure

    def ended(self, call: Call, failure: RpcError, principal: Principal) -> None:
        """Writes that a stream has ended, whose caller is not known any more.

        Args:
            call: The stream.
            failure: What it ends with.
            principal: Who it was.
        """
        self._write("ended the stream of", call, failure, principal=principal)

    def _write(
        self,
        what: str,
        call: Call,
        failure: RpcError,
        *,
        principal: Principal | None,
        provider: str = "",
        why: str = "",
    ) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        reason = failure.reason or failure.status.code.name
        left_out = self._flood.left_out(reason) if reason in _COUNTED else 0
        if left_out is None:
            return
        parts = [_WORDS.get(reason, reason)]
        if provider:
            parts.append(f"provider {provider}")
        if why:
            parts.append(why)
        log.info("%s %s", what, line(call, parts, principal, left_out))


def _told(reason: str | None, provider: str, why: str) -> Mapping[str, str | None]:
    """Returns what is noted of a refusal."""
    return {"reason": reason, "provider": provider, "why": why}
