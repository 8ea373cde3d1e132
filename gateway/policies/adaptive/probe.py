"""A time with few calls, which tells what they take while nothing waits at the backend.

First the calls of before must have left: this process' own, which are known, and those of others
who call the same backend and probe at the same time. Then calls are sampled by when they began. Of
those that began a moment ago only the short ones have ended, and would tell of shorter calls than
there are; so those count that began some latencies ago.

When there is a probe, and with how many calls, is decided by `gradient`.
"""

from __future__ import annotations

from statistics import median
from typing import Final, NamedTuple

from gateway.policies.adaptive.usual import ENOUGH

SAMPLES: Final = 50
"""Samples that a probe wants (as Envoy's filter does by default)."""
_WHOLE: Final = 3.0  # times what calls take: nearly all that began before have ended
_RESTED: Final = 8.0  # times what calls take: so long it waits for all the samples that it wants,
_A_WHILE: Final = 0.5  # and so many seconds; then fewer will do
_PATIENCE: Final = 30.0  # times what calls take: as long as a probe lasts at most,
_LONG: Final = 3.0  # and so many seconds
_LOOK: Final = 0.02  # seconds from one look at the samples to the next


class Sample(NamedTuple):
    """A call that ended.

    Attributes:
        method: Its method.
        began: When it was made.
        latency: The seconds that it took.
        times: How many times what is usual.
    """

    method: str
    began: float
    latency: float
    times: float


class Probe:
    """One probe.

    Args:
        now: The time.
        limit: Calls that may be in flight meanwhile.
        latency: Seconds that calls took before.

    Attributes:
        begun: When it began.
        limit: Calls that may be in flight.
    """

    __slots__ = ("_ends", "_left", "_look", "_samples", "_settled", "begun", "limit")

    def __init__(self, now: float, limit: int, latency: float) -> None:
        self.begun = now
        self.limit = limit
        self._left = now + latency
        self._ends = now + max(_LONG, _PATIENCE * latency)
        self._look = now
        self._settled: float | None = None
        self._samples: list[Sample] = []

    def over(self, now: float) -> bool:
        """Whether it has lasted as long as it may, whatever was found."""
        return now >= self._ends

    def take(self, now: float, sample: Sample | None, left: int) -> list[Sample] | None:
        """Takes note of a call that ended.

        Args:
            now: The time.
            sample: The call; None for one that tells nothing.
            left: Calls that are in flight still.

        Returns:
            The samples that tell what is usual, once there are enough; then it is over.
        """
        if self._settled is None:
            if left <= self.limit and now >= self._left:
                self._settled = now
            return None
        if sample is not None and sample.began >= self._settled:
            self._samples.append(sample)
        if now < self._look or len(self._samples) < ENOUGH:
            return None
        self._look = now + _LOOK
        return self._found(now, now - self._settled)

    def _found(self, now: float, lasted: float) -> list[Sample] | None:
        latency = median(each.latency for each in self._samples)
        whole = [each for each in self._samples if each.began <= now - _WHOLE * latency]
        rested = lasted >= max(_A_WHILE, _RESTED * latency)
        if len(whole) >= SAMPLES or (rested and len(whole) >= ENOUGH):
            return whole
        return None
