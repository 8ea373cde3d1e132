"""Refusals in the log: who was refused what, and why, a line each.

A line has the reason, the call, its address and request id, and the caller where one is known:
never what was shown, nor what it claims. What anybody can cause in any number, by asking without
being anybody, is told once a second and by its count. All else is bounded by the rate of addresses
(bad credentials) or has a name to it (a caller who may not).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.call import Call, Principal, RpcError

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
_QUIET: Final = 1.0  # seconds between two lines of one reason that is counted
_SHOWN: Final = 200  # characters of a name that others chose


@dataclass(slots=True)
class _Count:
    """Lines of one reason.

    Attributes:
        quiet_until: When the next may be written.
        left_out: Those since the last one.
    """

    quiet_until: float
    left_out: int = 0


class Refusals:
    """Writes refusals into the log.

    Args:
        clock: Seconds that only grow.
    """

    __slots__ = ("_clock", "_counts")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[str, _Count] = {}  # by reason: no more than _COUNTED

    def tell(self, call: Call, failure: RpcError, *, provider: str = "", why: str = "") -> RpcError:
        """Writes that a call is refused; returns the refusal.

        Args:
            call: The call, with its principal where one is known.
            failure: What it is refused with.
            provider: The name of the one who refused what was shown; empty for none.
            why: What failed, for operators.
        """
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
        left_out = self._left_out(reason)
        if left_out is None:
            return
        parts = [_WORDS.get(reason, reason)]
        if provider:
            parts.append(f"provider {provider}")
        if why:
            parts.append(why)
        if principal is not None:
            parts.append(f"caller {principal.provider} {_plain(principal.subject)}")
        if call.request_id:
            parts.append(f"request {_plain(call.request_id)}")
        if left_out:
            parts.append(f"{left_out} more such lines left out before")
        called = call.method or f"a page or socket of {call.front or 'the gateway'}"
        told = "; ".join(parts)
        log.info("%s %s from %s: %s", what, called, call.peer or "a Unix socket", told)

    def _left_out(self, reason: str) -> int | None:
        """Returns how many lines were left out before this one; None to leave it out, too."""
        if reason not in _COUNTED:
            return 0
        now = self._clock()
        count = self._counts.get(reason)
        if count is not None and now < count.quiet_until:
            count.left_out += 1
            return None
        self._counts[reason] = _Count(now + _QUIET)
        return 0 if count is None else count.left_out


def _plain(text: str) -> str:
    """Returns a name in quotes, as one line of bounded length."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
