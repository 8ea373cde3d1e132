"""What becomes of asks while the shared state is away: each says so itself (`on_error`).

A call that asks for several is let through if none of them refuses it, and takes its local shares
only then. Nothing here waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.call import RpcError
from gateway.errors import error
from gateway.policies.limits.ask import Ask, Limiter, Share, Verdict

_RETRY: Final = 1.0  # seconds


class Fallback:
    """Decides without the shared state.

    Args:
        memory: Decides asks that say `local`; it never has to be awaited.
    """

    __slots__ = ("_memory",)

    def __init__(self, memory: Limiter) -> None:
        self._memory = memory

    def decide(self, asks: Sequence[Ask]) -> Verdict:
        """Returns what becomes of the asks; a share of None for each that is let through unseen.

        Raises:
            RpcError: LIMITS_UNAVAILABLE: one says `deny`, and is not dark.
        """
        if any(ask.on_error == "deny" and not ask.dark for ask in asks):
            raise unavailable()
        local = [ask for ask in asks if ask.on_error == "local"]
        if not local:
            return Verdict(True, (None,) * len(asks))
        verdict = self._memory.decide(local)
        assert isinstance(verdict, Verdict), "memory does not wait"
        if len(local) == len(asks):
            return verdict
        decided = iter(verdict.shares)
        shares: list[Share | None] = [
            next(decided) if ask.on_error == "local" else None for ask in asks
        ]
        return Verdict(verdict.allowed, tuple(shares))


def unavailable() -> RpcError:
    """Returns the refusal of a call of which nobody knows whether it is within its limits."""
    text = "It can't be known at the moment whether this call is within its limits."
    return error("LIMITS_UNAVAILABLE", text, retry_after=_RETRY)
