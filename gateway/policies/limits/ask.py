"""What a limit is asked, and what it answers: the language of all that decides about limits.

Shapes only. Where shares are kept, and how they are counted, is its implementations' concern: in
memory (`limits.memory`), in Redis (`limits.redis`). Whose share is asked for is the gate's
(`limits.gate`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from enum import Enum
from typing import Literal, NamedTuple, Protocol, TypeAlias


class Algorithm(Enum):
    """How calls are counted."""

    TOKEN_BUCKET = "token_bucket"  # noqa: S105  its name in the config
    """A bucket of `burst` tokens that fills at the rate (as GCRA, ITU-T I.371)."""
    SLIDING_WINDOW = "sliding_window"
    """`limit` in a period, the one before counted as far as it reaches into the last period."""
    FIXED_WINDOW = "fixed_window"
    """`limit` in each period; periods begin at multiples of their length."""
    CALENDAR = "calendar"
    """`limit` until a time that the asker gives."""

    __hash__ = object.__hash__  # members are singletons; Enum's own calls a function


class Numbers(NamedTuple):
    """How much, how often.

    Attributes:
        algorithm: How calls are counted.
        limit: How many in a period; 1 or more.
        period: Seconds.
        burst: How many at once, of a token bucket; of the others `limit`.
    """

    algorithm: Algorithm
    limit: int
    period: float
    burst: int


OnError: TypeAlias = Literal["local", "allow", "deny"]
"""What becomes of an ask while the shared state is away: decided by what this process has counted
itself, allowed, or refused."""


class Ask(NamedTuple):
    """One share that a call needs.

    Attributes:
        key: Whose share of which limit: unique among all limits, and the same in all processes.
        numbers: How large it is.
        cost: How much of it is taken; 0 looks only whether there is any left. Of a token bucket in
            memory, below 0 gives as much back of what was taken.
        patience: Seconds that may be waited for it, of a token bucket, 60 at most: it is taken at
            once, and may be used after the wait.
        ends: Of a calendar's period: when it ends, seconds since 1970.
        dark: Whether it is counted only: it never refuses, and what is beyond the limit is taken
            as far as there is any.
        on_error: What becomes of it while the shared state is away.
    """

    key: str
    numbers: Numbers
    cost: int = 1
    patience: float = 0.0
    ends: float = 0.0
    dark: bool = False
    on_error: OnError = "local"


class Share(NamedTuple):
    """What became of one ask.

    Attributes:
        allowed: Whether there was enough; also of a dark one.
        remaining: What is left, 0 or more, after what was taken.
        resets: Seconds until all of it is there again, or until the period ends.
        retry_after: Seconds until there is enough for the same ask; 0 where it was allowed. Of one
            for more than there ever is: until all of it is there.
        wait: Seconds to wait before what was taken is used; 0 without patience.
    """

    allowed: bool
    remaining: int
    resets: float
    retry_after: float = 0.0
    wait: float = 0.0


class Verdict(NamedTuple):
    """What became of all asks of a call.

    Attributes:
        allowed: Whether all were allowed, dark ones aside. If not, nothing was taken of any but
            the dark ones.
        shares: What became of each, in order. After a refusal those that would have been allowed
            are told as they are without this call. None stands for one that could not be decided,
            and was let through (`on_error: allow`).
    """

    allowed: bool
    shares: tuple[Share | None, ...]


class Limiter(Protocol):
    """Decides about shares. All asks of a call are decided at once: all are taken, or none."""

    def decide(self, asks: Sequence[Ask]) -> Verdict | Awaitable[Verdict]:
        """Returns what becomes of the asks, or what to await for it.

        Raises:
            RpcError: LIMITS_UNAVAILABLE: the shared state is away, and an ask says `deny`.
        """
