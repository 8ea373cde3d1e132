"""How often something may be done: a token bucket, as one number (GCRA).

The number is the time at which the bucket is full again. Pure: times come in as arguments.
"""

from __future__ import annotations

from typing import Final

_NOTHING: Final = 1e-9  # seconds: what is left by rounding


class Pace:
    """A rate with bursts.

    Args:
        rate: So many a second, more than 0.
        seconds: A burst has so many seconds' worth, and one at least.
    """

    __slots__ = ("_burst", "_each", "_full_at")

    def __init__(self, rate: float, *, seconds: float = 1.0) -> None:
        self._each = 1 / rate
        self._burst = max(seconds, self._each)
        self._full_at = 0.0

    def spend(self, now: float) -> float:
        """Takes one; returns the seconds until there was one to take, 0 if there is.

        It is taken in any case: who goes on without waiting waits longer.
        """
        self._full_at = max(self._full_at, now) + self._each
        wait = self._full_at - now - self._burst
        return wait if wait > _NOTHING else 0.0

    def try_spend(self, now: float) -> float:
        """Takes one if there is one, and returns 0; else the seconds until there is."""
        full_at = max(self._full_at, now) + self._each
        wait = full_at - now - self._burst
        if wait > _NOTHING:
            return wait
        self._full_at = full_at
        return 0.0
