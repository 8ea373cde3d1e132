"""The gate that limits how often callers may call, by rates and by quotas.

It stands behind authentication, whose principal it reads, and before authorization: whoever asks
too often costs no more than this, whether or not it may call. Nothing is waited for where shares
are kept in memory, but a share that is to be waited for. How it is counted is the limiter's,
whose share it is the keys'.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from gateway.call import Call
from gateway.policies.limits.allowance import Allowance, AnyLimit
from gateway.policies.limits.ask import Verdict
from gateway.policies.limits.asking import Asking


class RateLimits(Asking):
    """Admits calls for which all limits have a share left (a Gate)."""

    __slots__ = ()

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        names = dict.fromkeys(limit.name for each in self._plans.all for limit in each.limits)
        return f"Takes a share of {', '.join(names)}, or refuses."

    def admit(self, call: Call) -> Awaitable[None] | None:
        """Takes the call's shares, and tells what is left in the reply's headers.

        Raises:
            RpcError: RESOURCE_EXHAUSTED: there is none; UNAVAILABLE: that can't be known.
        """
        return self._ask(call)

    def _answered(self, call: Call, allowance: Allowance, verdict: Verdict) -> None:
        told = allowance.told(verdict)
        if call.reply_headers is None:
            call.reply_headers = told
        else:
            call.reply_headers = {**call.reply_headers, **told}

    def _refused(self, call: Call, violated: Sequence[AnyLimit]) -> None:
        self._notes.refused(call, violated)
