"""What calls of each method take while nothing waits at the backend: what latencies are held to.

Methods differ, and their mix changes; so a sample is told as a multiple of what is usual for its
own method, and samples of all methods can stand side by side. Usual is a median: a minimum would be
that of the luckiest call, which says little where service times vary (Envoy's controller takes a
percentile for the same reason), and a mean would be one lost packet's.

When it is time to learn anew, and from which calls, is decided by `gradient`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import median
from typing import Final

ENOUGH: Final = 30
"""Samples whose median says something of a method."""

_NOISE: Final = 1.5  # times what was found before: what is found in between may be by chance

_SHORTEST: Final = 1e-6  # seconds; a clock may stand still


class _Method:
    """One method: seconds once they are known, and until then its first samples."""

    __slots__ = ("first", "seconds", "seen")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.first: list[float] | None = []
        self.seen = True


class Usual:
    """The usual latency of each method, in seconds."""

    __slots__ = ("_methods",)

    def __init__(self) -> None:
        self._methods: dict[str, _Method] = {}

    def __len__(self) -> int:
        """The methods of which something is remembered."""
        return len(self._methods)

    def seconds(self, method: str) -> float | None:
        """Returns what is usual for a method; None while that is not known."""
        known = self._methods.get(method)
        return None if known is None or known.first is not None else known.seconds

    def times(self, method: str, latency: float, load: float) -> float | None:
        """Returns how many times what is usual a call took; learns from it while that is unknown.

        Args:
            method: Its method.
            latency: Its seconds.
            load: How many times what is usual calls take now: a method that is met under load is
                slower than it would be.
        """
        known = self._methods.get(method)
        if known is None:
            known = self._methods[method] = _Method()
        known.seen = True
        if known.first is None:
            return latency / known.seconds
        known.first.append(latency)
        if len(known.first) >= ENOUGH:
            known.seconds = max(_SHORTEST, median(known.first) / load)
            known.first = None
        return None

    def scale(self, factor: float) -> None:
        """Takes all methods to be so many times as slow as they were known to be."""
        for known in self._methods.values():
            known.seconds = max(_SHORTEST, known.seconds * factor)

    def relearn(self, samples: Mapping[str, Sequence[float]], factor: float) -> None:
        """Learns anew from calls that did not wait.

        Methods that were not called since the last time are forgotten: what is remembered is
        bounded by what is called.

        Args:
            samples: Seconds that calls took, by method.
            factor: What all of them together took, as a multiple of what was usual: methods with
                too few samples are taken to have changed as the others.
        """
        for method, known in list(self._methods.items()):
            latencies = samples.get(method, ())
            if len(latencies) >= ENOUGH:
                known.seconds = _between(known.seconds, max(_SHORTEST, median(latencies)))
                known.first = None
            elif not known.seen:
                del self._methods[method]
            else:
                known.seconds = max(_SHORTEST, known.seconds * factor)
            known.seen = False


def _between(before: float, found: float) -> float:
    """Returns what is usual after something was found: of what may be noise, the middle."""
    if before / _NOISE < found < before * _NOISE:
        return sqrt(before * found)
    return found
