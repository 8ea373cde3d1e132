"""A budget for attempts: why an outage does not become a larger one.

A bound on the attempts of each call is no bound on their sum: with three each, a backend that fails
under its load is given three times as much of it. So what is made again (retries, hedges, calls
that are moved) is bounded by what is called: in any ten seconds, by a share of the calls of that
time, or by a small number that leaves quiet upstreams their retries. It plays the part of gRFC A6's
throttling, as Finagle's and Linkerd's budgets do.

Pure: times are arguments, seconds of one clock. The ten seconds are counted in slices of one, so
they are nine to ten.
"""

from __future__ import annotations

from typing import Final

from gateway.upstream.spec import RetrySpec

WINDOW: Final = 10.0
"""Seconds that are looked back."""

_SLICES: Final = 10
_SLICE: Final = WINDOW / _SLICES


class Budget:
    """What may be made again at one upstream.

    Attributes:
        calls: Calls in the window.
        taken: Attempts in the window beyond the first of each call.
    """

    __slots__ = ("_calls", "_minimum", "_now", "_ratio", "_taken", "_until", "calls", "taken")

    def __init__(self, spec: RetrySpec, now: float) -> None:
        self.calls = 0
        self.taken = 0
        self._calls = [0] * _SLICES
        self._taken = [0] * _SLICES
        self._now = 0  # the slice that is counted in
        self._until = now + _SLICE
        self.configure(spec)

    def configure(self, spec: RetrySpec) -> None:
        """Takes over how much there is."""
        self._ratio = spec.ratio
        self._minimum = spec.minimum * WINDOW

    def called(self, now: float) -> None:
        """Counts a call in."""
        if now >= self._until:
            self._turn(now)
        self.calls += 1
        self._calls[self._now] += 1

    def left(self, now: float) -> int:
        """Returns how many attempts may be made beyond the first of each call."""
        if now >= self._until:
            self._turn(now)
        return int(max(self._ratio * self.calls, self._minimum)) - self.taken

    def take(self, now: float) -> bool:
        """Takes one attempt out; False where none is left."""
        if self.left(now) < 1:
            return False
        self.taken += 1
        self._taken[self._now] += 1
        return True

    def _turn(self, now: float) -> None:
        """Forgets what is older than the window."""
        passed = int((now - self._until) / _SLICE) + 1
        for _ in range(min(passed, _SLICES)):
            oldest = self._now = (self._now + 1) % _SLICES
            self.calls -= self._calls[oldest]
            self.taken -= self._taken[oldest]
            self._calls[oldest] = self._taken[oldest] = 0
        self._until += passed * _SLICE
