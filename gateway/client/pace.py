"""How fast streams may be opened: a token bucket, as one number (GCRA).

The gateway refuses what comes faster than its `limits.opens`, measured where it arrives. Networks
push together what was sent apart, so only half of its burst is used here. Knows no clock: it is
told the time.
"""

from __future__ import annotations

_BURST = 0.5  # seconds' worth; the gateway allows one second's


class Pace:
    """A rate with small bursts.

    Args:
        rate: So many a second; 0 is as many as you like.
    """

    __slots__ = ("_burst", "_each", "_full_at")

    def __init__(self, rate: float) -> None:
        self._each = 1 / rate if rate else 0.0
        self._burst = max(_BURST, self._each)
        self._full_at = 0.0  # when nothing is left of what was spent

    def spend(self, now: float) -> float:
        """Takes one and returns 0; or takes none and returns the seconds until there is one."""
        full_at = max(self._full_at, now) + self._each
        wait = full_at - now - self._burst
        if wait > _SLACK:
            return wait
        self._full_at = full_at
        return 0.0


_SLACK = 1e-6  # seconds: sums of floats are not exact, and timers come early
