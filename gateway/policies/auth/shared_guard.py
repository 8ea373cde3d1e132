"""What an address may ask before anybody knows who asks, where several processes count together.

The rule is that of `guard`; the shares are kept with those of limits, in memory.
"""

from __future__ import annotations

from typing import Final

from gateway.policies.auth.guard import too_many
from gateway.policies.limits.ask import Algorithm, Ask, Numbers, Share
from gateway.policies.limits.memory import MemoryLimiter
from gateway.policies.site import site_of

_PREFIX: Final = "unauthenticated/"  # no rate limit has such a name


class SharedGuard:
    """The shares of addresses, of all processes together (`authenticate.Guard`).

    Args:
        count: Calls in a period, and at once.
        period: Seconds.
        limiter: Counts.
    """

    __slots__ = ("_limiter", "_numbers", "_prefix")

    def __init__(self, count: int, period: float, limiter: MemoryLimiter) -> None:
        self._numbers = Numbers(Algorithm.TOKEN_BUCKET, count, period, count)
        self._prefix = f"{_PREFIX}{count}/{period:g}:"
        self._limiter = limiter

    def spend(self, address: str) -> None:
        """Takes one of the address's share.

        Raises:
            RpcError: TOO_MANY_UNAUTHENTICATED, with the seconds until there is one again.
        """
        (share,) = self._move(address, 1)
        if share is not None and not share.allowed:
            raise too_many(share.retry_after)

    def give_back(self, address: str) -> None:
        """Returns one that was taken."""
        self._move(address, -1)

    def _move(self, address: str, cost: int) -> tuple[Share | None, ...]:
        ask = Ask(self._prefix + site_of(address), self._numbers, cost)
        return self._limiter.decide((ask,)).shares
