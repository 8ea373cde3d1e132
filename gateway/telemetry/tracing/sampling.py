"""Which requests are traced, decided before anything else is done for a trace.

A caller that traces its request has it traced here too, so many times a second: clients may be
anybody, and must not make the gateway, its backends and the collector do more than they can. A
caller that does not trace it, has it not traced. Where no caller decided, a share is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.telemetry.tracing.numbers import getrandbits

_BITS: Final = 56
MASK: Final = (1 << _BITS) - 1
"""The bits of a trace's id that say whether it is picked."""

_BURST: Final = 10.0  # seconds of callers' wishes that may come at once


class Share:
    """Picks a share of traces by their ids, as everyone does who goes by the same rule.

    A trace is picked if the number that the last 56 bits of its id make is at least the part that
    is not picked (OpenTelemetry, "TraceState: Probability Sampling").

    Args:
        share: From 0 to 1.
    """

    __slots__ = ("least",)

    def __init__(self, share: float) -> None:
        self.least = round((1 - share) * (1 << _BITS))

    def picks(self, low: int) -> bool:
        """Whether a trace is picked.

        Args:
            low: Its id as a number, or as many of its last bits as there are.
        """
        return (low & MASK) >= self.least


class Wishes:
    """How many requests are traced since their callers say so: a bucket of tokens.

    Args:
        rate: Requests a second; 0 for none.
        clock: A monotonic clock, in seconds.
    """

    __slots__ = ("_clock", "_left", "_most", "_rate", "_then")

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._most = self._left = rate * _BURST
        self._then = clock()

    def heeds(self) -> bool:
        """Whether one more is heeded, and counts it."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._then) * self._rate)
        self._then = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def by_chance(share: Share) -> bool:
    """Whether one is picked whose caller chose the trace's id: by a number of our own."""
    return share.picks(getrandbits(_BITS))
