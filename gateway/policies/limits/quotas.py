"""Quotas: what a caller may use of all methods together in a day or a month of the calendar.

Days and months are UTC's. Calls are charged when they begin. How many messages and bytes a call
takes is known when they have passed: a call begins if there is any left, and is charged afterwards,
as far as there is; so a quota is passed by the calls that were under way when it came to its end.

A plan's quota is each caller's own. While the shared state is away, each machine counts by itself,
all its workers together. What a caller has used is told by `usage`, not here.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, TypeAlias

from gateway.call import Call
from gateway.policies.caller import caller_of
from gateway.policies.limits.ask import Algorithm, Ask, Numbers
from gateway.policies.limits.limit import Asker
from gateway.policies.limits.tally import Tally

What: TypeAlias = Literal["calls", "messages", "bytes"]
Span: TypeAlias = Literal["d", "month"]

_DAY: Final = 86_400
_NAMES: Final = {"d": "day", "month": "month"}
_UNITS: Final[dict[What, str]] = {
    "calls": "",
    "bytes": ';qu="content-bytes"',
    # The draft's registry has no unit for messages.
    "messages": ';gateway-unit="messages"',
}


class Period(NamedTuple):
    """A day or month.

    Attributes:
        name: `2026-11-21`, `2026-11`.
        begins: Seconds since 1970.
        ends: When the next one begins.
    """

    name: str
    begins: float
    ends: float


def period_at(span: Span, now: float) -> Period:
    """Returns the day or month, in UTC, that a time is in.

    Args:
        span: `d` or `month`.
        now: Seconds since 1970.
    """
    at = datetime.fromtimestamp(now, UTC)
    if span == "d":
        begins = now // _DAY * _DAY
        return Period(f"{at:%Y-%m-%d}", begins, begins + _DAY)
    begins = datetime(at.year, at.month, 1, tzinfo=UTC).timestamp()
    days = calendar.monthrange(at.year, at.month)[1]
    return Period(f"{at:%Y-%m}", begins, begins + days * _DAY)


class Calendar:
    """Tells the present day and month, and works them out when they change only.

    Args:
        clock: Seconds since 1970.
    """

    __slots__ = ("_clock", "_periods")

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._periods: dict[Span, Period] = {}

    def now(self, span: Span) -> Period:
        """Returns the present one."""
        now = self._clock()
        known = self._periods.get(span)
        if known is None or not known.begins <= now < known.ends:
            known = self._periods[span] = period_at(span, now)
        return known


class Quota:
    """One quota of a plan, as its callers' calls meet it.

    Args:
        what: What is counted.
        count: How many there are.
        span: In a day, or in a month.
        dates: Tells which.
        told: How many, as people read it, `50GiB`; by default the number.
        tally: What it decided so far, of all plans; by default of this one.

    Attributes:
        what: What is counted.
        name: What replies call it: `calls/d`. No rate limit has such a name.
        rate: As it is written, `10000/d`.
        policy: Its item of `RateLimit-Policy`.
        said: What it allows, in words.
    """

    __slots__ = ("_dates", "_prefix", "_span", "count", "name", "policy", "rate", "said", "tally",
                 "what")  # fmt: skip

    by = ("principal",)
    dark = False
    is_quota = True
    room = None

    def __init__(
        self,
        what: What,
        count: int,
        span: Span,
        dates: Calendar,
        told: str | None = None,
        *,
        tally: Tally | None = None,
    ) -> None:
        self.what: What = what
        self.tally = tally or Tally()
        self.count = count
        self.name = f"{what}/{span}"
        self.rate = f"{told or count}/{span}"
        sized = told is not None and not told.isdecimal()
        amount = told if sized else f"{count} {what}"
        self.said = f"the quota of {amount} a {_NAMES[span]}"
        window = f";w={_DAY}" if span == "d" else ""  # months differ
        self.policy = f'"{self.name}";q={count}{_UNITS[what]}{window}'
        self._span: Span = span
        self._dates = dates
        # Not its number: who is given a larger plan has still used what it has used.
        self._prefix = f"quota/{what}:"

    @property
    def numbers(self) -> Numbers:
        """How large a share is."""
        begins, ends = self._dates.now(self._span)[1:]
        return Numbers(Algorithm.CALENDAR, self.count, ends - begins, self.count)

    def asker(self) -> Asker:
        """Returns what makes the asks of calls: one, or, of the others, that there is any left."""
        cost = 1 if self.what == "calls" else 0
        return lambda call, _: self._ask(call, cost, dark=False)

    def charge(self, call: Call, cost: int) -> Ask:
        """Returns what takes as much of it as there is, of what a call has used.

        Args:
            call: The call.
            cost: What it has used.
        """
        return self._ask(call, cost, dark=True)

    def _ask(self, call: Call, cost: int, *, dark: bool) -> Ask:
        name, begins, ends = self._dates.now(self._span)
        numbers = Numbers(Algorithm.CALENDAR, self.count, ends - begins, self.count)
        key = f"{self._prefix}{name}:{caller_of(call)}"
        return Ask(key, numbers, cost, 0.0, ends, dark)
