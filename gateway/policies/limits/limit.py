"""A rate limit as its calls meet it: what is asked of the limiter for each of them.

Made once for a method and a plan. What becomes of the answers is `allowance`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.call import Call
from gateway.policies.limits.ask import Algorithm, Ask, Numbers, OnError
from gateway.policies.limits.tally import Tally

if TYPE_CHECKING:
    from gateway.policies.limits.delay import Room
    from gateway.policies.limits.keys import Part

Asker: TypeAlias = "Callable[[Call, float], Ask]"
"""Makes an ask of a call, and of the seconds until its deadline."""

_new: Final = tuple.__new__  # half the time of Ask(…), for every call
_CHARGED: Final = {False: ("call", "calls"), True: ("call or message", "calls and messages")}
_PERIODS: Final = {1: "a second", 60: "a minute", 3600: "an hour", 86400: "a day"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limit:
    """A rate limit.

    Attributes:
        name: What the config calls it.
        rate: As it is written, `100/s`.
        numbers: How large a share is.
        prefix: What all its keys begin with: no other limit's do.
        key: Makes the rest of the key of a call.
        patience: Seconds that a call waits at most for its share; 0 for none.
        room: Where calls wait, where they do.
        messages: Whether each message of a stream is charged, too.
        dark: Whether it only counts and reports.
        on_error: What becomes of calls while the shared state is away.
        tally: What it decided so far.
        by: Of what its keys are made, as the config has it.
    """

    name: str
    rate: str
    numbers: Numbers
    prefix: str
    key: Part
    patience: float = 0.0
    room: Room | None = None
    messages: bool = False
    dark: bool = False
    on_error: OnError = "local"
    tally: Tally = field(default_factory=Tally)
    by: Sequence[str] = ()

    @property
    def is_quota(self) -> bool:
        """Whether it is a plan's quota."""
        return False

    @property
    def said(self) -> str:
        """What it allows, in words."""
        limit, period = self.numbers.limit, int(self.numbers.period)
        burst = self.numbers.burst
        more = f" ({burst} at once)" if burst != limit else ""
        one, many = _CHARGED[self.messages]
        what = one if limit == 1 else many
        return f'the limit "{self.name}" of {limit} {what} {_PERIODS[period]}{more}'

    @property
    def policy(self) -> str:
        """Its item of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10, section 2)."""
        algorithm, limit, period, burst = self.numbers
        bucket = algorithm is Algorithm.TOKEN_BUCKET and burst != limit
        return f'"{self.name}";q={limit};w={int(period)}' + (
            f";gateway-burst={burst}" if bucket else ""
        )

    def asker(self) -> Asker:
        """Returns what makes the asks of its calls."""
        prefix, key, room, patience = self.prefix, self.key, self.room, self.patience
        numbers, dark, on_error = self.numbers, self.dark, self.on_error
        rest = (numbers, 1, 0.0, 0.0, dark, on_error)
        if room is None:
            return lambda call, _: _new(Ask, (prefix + key(call), *rest))

        def ask(call: Call, left: float) -> Ask:
            waits = 0.0 if room.is_full else min(patience, left)
            return Ask(prefix + key(call), numbers, 1, waits, 0.0, dark, on_error)

        return ask
