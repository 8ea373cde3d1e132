"""What replies say of limits: `RateLimit-Policy` and `RateLimit`, and `X-RateLimit-*` by option.

As draft-ietf-httpapi-ratelimit-headers-10 has them: an item for each limit that a call is under, on
success and on refusal. `t` is the time until there is more, not until all is there again; of a
limit that refused, until the same call would be allowed, as `Retry-After` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final, NamedTuple, Protocol

from gateway.policies.limits.ask import Algorithm, Numbers, Share

POLICY: Final = "ratelimit-policy"
STATE: Final = "ratelimit"
_NOISE: Final = 1e-6  # seconds: differences of times are never exact, and a digit is no second more
LEGACY: Final = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


class Told(Protocol):
    """A limit that replies tell of."""

    @property
    def name(self) -> str:
        """What they call it."""

    @property
    def numbers(self) -> Numbers:
        """How large a share is."""

    @property
    def policy(self) -> str:
        """Its item of `RateLimit-Policy`."""


class _Item(NamedTuple):
    """What is known of a limit before any call.

    Attributes:
        start: Its item of `RateLimit`, up to the number that is left.
        step: Seconds from one share to the next, of a token bucket; else 0.
        limit: How many there are at the most.
    """

    start: str
    step: float
    limit: int


class Headers:
    """Makes the headers of replies.

    Args:
        limits: Those that are told, in order.
        legacy: Whether there are `X-RateLimit-*`, too.
    """

    __slots__ = ("_items", "_legacy", "_one", "_policy")

    def __init__(self, limits: Sequence[Told], *, legacy: bool = False) -> None:
        self._items = tuple(
            _Item(f'"{each.name}";r=', _step(each.numbers), each.numbers.burst) for each in limits
        )
        self._policy = ", ".join(each.policy for each in limits)
        self._legacy = legacy
        self._one = self._items[0] if len(limits) == 1 and not legacy else None

    def of(self, shares: Sequence[Share | None]) -> dict[str, str]:
        """Returns the headers, names in lower case.

        Args:
            shares: What became of each limit; of one that is None nothing is known.
        """
        one = self._one
        if one is not None and (share := shares[0]) is not None:
            return {POLICY: self._policy, STATE: _item(one, share)}
        known = [
            (item, share)
            for item, share in zip(self._items, shares, strict=True)
            if share is not None
        ]
        if not known:
            return {POLICY: self._policy} if self._items else {}
        told = {
            POLICY: self._policy,
            STATE: ", ".join([_item(item, share) for item, share in known]),
        }
        if self._legacy:
            item, share = min(known, key=_room)
            values = (item.limit, share.remaining, _seconds(share, item.step))
            told.update(zip(LEGACY, map(str, values), strict=True))
        return told


def _item(item: _Item, share: Share) -> str:
    return f"{item.start}{share.remaining};t={_seconds(share, item.step)}"


def _seconds(share: Share, step: float) -> int:
    """Returns the whole seconds until there is more."""
    if not share.allowed:
        return _whole(share.retry_after)
    if share.resets <= 0:
        return 0
    if not step:
        return _whole(share.resets)
    left = share.resets % step
    return _whole(left if left > _NOISE else step)


def _whole(seconds: float) -> int:
    return max(1, ceil(seconds - _NOISE))


def _step(numbers: Numbers) -> float:
    bucket = numbers.algorithm is Algorithm.TOKEN_BUCKET
    return numbers.period / numbers.limit if bucket else 0.0


def _room(known: tuple[_Item, Share]) -> tuple[bool, float]:
    """Returns how near a limit is: those that refused before all others."""
    item, share = known
    return share.allowed, share.remaining / item.limit
