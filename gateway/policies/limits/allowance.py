"""All limits that the calls of a method are under, for the callers of one plan.

Made once; a call costs no more than its keys and its headers. What is asked is decided at once: all
limits allow it and are charged, or none is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from gateway.call import Call
from gateway.policies.limits.ask import Ask, Share, Verdict
from gateway.policies.limits.delay import Room
from gateway.policies.limits.headers import Headers
from gateway.policies.limits.limit import Limit
from gateway.policies.limits.quotas import Quota

AnyLimit: TypeAlias = Limit | Quota
"""A rate limit or a quota."""

_FOREVER = float("inf")


class Allowance:
    """Limits that are asked together.

    Args:
        limits: In the order in which replies tell of them.
        clock: The event loop's, in seconds.
        legacy: Whether replies have `X-RateLimit-*`, too.

    Attributes:
        limits: Those.
        headers: Makes the headers of replies; None where they tell of nothing.
        rooms: Where calls may have to wait.
        is_dark: Whether any limit only counts.
    """

    __slots__ = ("_asks", "_clock", "_one", "_plain", "_shown", "headers", "is_dark", "limits",
                 "rooms")  # fmt: skip

    def __init__(
        self, limits: Sequence[AnyLimit], clock: Callable[[], float], *, legacy: bool = False
    ) -> None:
        self.limits = tuple(limits)
        self._asks = tuple(each.asker() for each in limits)
        self._one = self._asks[0] if len(self._asks) == 1 else None
        self._clock = clock
        self.rooms = tuple(each.room for each in limits if each.room is not None)
        self.is_dark = any(each.dark for each in limits)
        # Those that only allow or refuse, where all of them do.
        self._plain = () if self.rooms or self.is_dark else tuple(each.tally for each in limits)
        # Of a limit that is tried out, clients should not hear.
        told = [each for each in limits if not each.dark]
        self.headers = Headers(told, legacy=legacy) if told else None
        self._shown = None if not self.is_dark else [not each.dark for each in limits]

    def asks(self, call: Call) -> list[Ask]:
        """Returns what a call needs."""
        left = _FOREVER
        if self.rooms and call.deadline is not None:
            left = max(0.0, call.deadline.remaining(self._clock()))
        if self._one is not None:
            return [self._one(call, left)]
        return [ask(call, left) for ask in self._asks]

    def told(self, verdict: Verdict) -> dict[str, str]:
        """Returns the headers of the reply."""
        if self.headers is None:
            return {}
        shares = verdict.shares
        if self._shown is not None:
            pairs = zip(shares, self._shown, strict=True)
            return self.headers.of([share for share, shown in pairs if shown])
        return self.headers.of(shares)

    def count(self, verdict: Verdict) -> None:
        """Has each limit count what it decided; where one refused, those that did not have not."""
        if verdict.allowed and self._plain:
            for tally in self._plain:
                tally.allowed += 1
            return
        for limit, share in zip(self.limits, verdict.shares, strict=True):
            if share is not None and not share.allowed:
                if limit.dark:
                    limit.tally.dark += 1
                else:
                    limit.tally.refused += 1
            elif verdict.allowed and share is not None and share.wait > 0:
                limit.tally.delayed += 1
            elif verdict.allowed:
                limit.tally.allowed += 1

    def violated(self, verdict: Verdict) -> list[tuple[AnyLimit, Share]]:
        """Returns the limits that refuse a call."""
        return [
            (limit, share)
            for limit, share in zip(self.limits, verdict.shares, strict=True)
            if share is not None and not share.allowed and not limit.dark
        ]

    def darkly(self, verdict: Verdict) -> list[AnyLimit]:
        """Returns the limits that would refuse a call, if they did not only count."""
        return [
            limit
            for limit, share in zip(self.limits, verdict.shares, strict=True)
            if share is not None and not share.allowed and limit.dark
        ]

    def wait(self, verdict: Verdict) -> tuple[float, list[Room]]:
        """Returns the seconds that a call must wait, and where."""
        longest, rooms = 0.0, []
        for limit, share in zip(self.limits, verdict.shares, strict=True):
            if share is not None and share.wait > 0 and limit.room is not None:
                longest = max(longest, share.wait)
                rooms.append(limit.room)
        return longest, rooms


class ByPlan:
    """What holds for the callers of each plan.

    Args:
        plans: By name.
        usual: What holds for callers without a plan, and for those of one that nobody knows.
        unknown: Told the name of such a plan.
    """

    __slots__ = ("_plans", "_unknown", "usual")

    def __init__(
        self,
        plans: Mapping[str, Allowance],
        usual: Allowance,
        unknown: Callable[[str], None],
    ) -> None:
        self._plans = dict(plans)
        self.usual = usual
        self._unknown = unknown

    def of(self, call: Call) -> Allowance:
        """Returns what holds for the caller of a call."""
        principal = call.principal
        if principal is None or principal.plan is None:
            return self.usual
        found = self._plans.get(principal.plan)
        if found is None:
            self._unknown(principal.plan)
            return self.usual
        return found

    @property
    def all(self) -> tuple[Allowance, ...]:
        """What holds for anybody."""
        return (self.usual, *self._plans.values())
