"""How long to wait before connecting again: exponential, with full jitter.

A gateway that restarts meets all its clients again; jitter over the whole interval spreads them
best (M. Brooker, "Exponential Backoff And Jitter", 2015).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import SystemRandom


@dataclass(frozen=True, slots=True)
class Backoff:
    """The waiting between attempts.

    Attributes:
        first: The most seconds before the first attempt.
        most: The most seconds before any.
        steady: Seconds that a connection must last for the next one to count as the first again.
        random: Draws from 0 up to 1.
    """

    first: float = 0.25
    most: float = 30.0
    steady: float = 5.0
    random: Callable[[], float] = SystemRandom().random

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.most:
            raise ValueError("a backoff needs 0 <= first <= most")

    def delay(self, attempt: int) -> float:
        """Returns the seconds to wait before an attempt, counted from 0."""
        # Far beyond any `most`, and no float overflows.
        ceiling = min(self.most, self.first * 2.0 ** min(attempt, 60))
        return ceiling * self.random()
