"""How many calls an upstream takes at a time, learnt from how long they take.

A backend that works on `k` calls at once takes `s` seconds for each, however many of the `k` run;
calls beyond them wait in it, and latency grows with their number. So there is a number of calls
beyond which nothing is gained, and latency tells where it is: with `limit` calls in flight and a
latency of `load` times what is usual without a queue, `limit / load` calls are being worked on, and
the others wait (Little's law). At the end of each window of samples

    gradient = TOLERANCE / load                           at least 0.5, at most 1.5
    target   = limit * gradient + HEADROOM * sqrt(limit)
    limit   += STEP * (target - limit)

which rests where the queue in the backend is a fifth of what it works on, and some more where that
is little: enough to keep it busy, and to notice that it takes more. That is the gradient of
Netflix's concurrency-limits (`GradientLimit`) with the headroom of Envoy's adaptive concurrency
filter, both from TCP Vegas (Brakmo, O'Malley, Peterson, 1994). As in Envoy's, it may be more than
1: else noise could only ever lower the limit. Nothing changes while less than half of the limit is
used: then it is not the limit that latency tells of.

What is usual (`usual`) must be learnt while nothing waits, and learnt again, as backends change.
Under load that does not happen by itself, and whoever takes the latency under load for usual lets
its limit drift upwards (as the long average of `Gradient2Limit`; Uber tells of it too: "Cinnamon
Auto-Tuner", 2023). So, as Envoy's filter does for minRTT and BBR for a path (PROBE_RTT), the limit
is lowered for a short time (`probe`), to half of the calls that are worked on by what is known (and
a quarter of the limit at least): a backend that has become slower has no queue then either. A probe
comes
- every 30 s, at times that all who have the same clock agree on, not at random ones: a worker
  that probed while the others keep the queue full would learn their queue. A long one is followed
  by a longer pause, so that probes cost some hundredths of what could be done;
- soon, when the one before found the backend faster: what was learnt in a queue is halved until
  there is none;
- soon, when the limit has doubled, or has halved without helping: both may be since the backend has
  changed. Those that find nothing wait longer each time.
A backend that is faster under load than is usual has become faster: that needs no probe.

What is sampled: answers, of unary calls alone, each as a multiple of what is usual for its method,
and the median of a window of them. Errors say nothing: they may be cheap; but a probe in which only
they come ends in time all the same. A call that ended without
an answer (a deadline, a client that left) took at least as long as it did, and counts where that is
more than calls take now, but not in a probe. With few calls windows are long; with none nothing
changes.

It knows no event loop and reads one clock.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, sqrt
from statistics import median
from typing import Final

from gateway.policies.adaptive.probe import Probe, Sample
from gateway.policies.adaptive.usual import ENOUGH, Usual

START: Final = 8
"""The limit at first, within its bounds: what is learnt first should be learnt without a queue."""
TOLERANCE: Final = 1.2
"""How many times what is usual a call may take before the limit is lowered."""
HEADROOM: Final = 0.5
"""Calls that may wait in the backend beyond that, as a multiple of the limit's square root."""
STEEPEST: Final = (0.5, 1.5)
"""The least and the most of the gradient: what one window can tell."""
STEP: Final = 0.5
"""How far the limit goes towards what a window tells."""

WINDOW: Final = 0.1
"""The shortest window, seconds; nor is one shorter than what calls take."""
SAMPLES: Final = 50
"""Samples that a window has, if they come in time."""
LONGEST: Final = 2.0
"""Seconds after which fewer will do."""
_WEIGHT: Final = 0.3  # of the last window in what calls take now
_FASTER: Final = 0.75  # times what is usual: less is a backend that has become faster
_SLOWER: Final = 1.25  # times what is usual: more is not noise

INTERVAL: Final = 30.0
"""Seconds from probe to probe."""
SOON: Final = 2.0
"""Seconds to a probe that something asks for."""
_LOWEST: Final = 0.25  # of the limit, in a probe: what is known may be wrong, and calls go on
_SHARE: Final = 20.0  # how many times as long as a probe the pause after it is


class _Window:
    """Samples since a time.

    Attributes:
        begins: That time.
        samples: Of calls that ended since.
        most: Calls in flight at most.
    """

    __slots__ = ("begins", "most", "samples")

    def __init__(self, begins: float) -> None:
        self.begins = begins
        self.samples: list[Sample] = []
        self.most = 0


class Gradient:
    """A limit on calls at a time that follows latency.

    Args:
        least: The limit is never lower, but for the moments in which it probes.
        most: It is never higher.
        clock: Seconds, on a clock that never goes back.
        phase: What is added to the clock's seconds to have times that others who call the same
            backends agree on.

    Attributes:
        limit: Calls that may be in flight now.
        latency: Seconds that calls take now; None while that is not known.
    """

    __slots__ = (
        *("_asked", "_clock", "_due", "_least", "_load", "_most", "_phase", "_probe", "_settled"),
        *("_soon", "_usual", "_wanted", "_window", "latency", "limit"),
    )

    def __init__(
        self, least: int, most: int, clock: Callable[[], float], *, phase: float = 0.0
    ) -> None:
        self._least = least
        self._most = most
        self._clock = clock
        self._phase = phase
        self._usual = Usual()
        self._wanted = float(min(max(START, least), most))
        self._settled = self._wanted  # at the last probe
        self._load = 1.0
        now = clock()
        self._window = _Window(now)
        self._probe: Probe | None = None
        self._soon = SOON
        self._asked = False
        self._due = self._next(now, SOON)
        self.limit = int(self._wanted)
        self.latency: float | None = None

    @property
    def aim(self) -> float:
        """The limit but for probes, which pass."""
        return self._wanted

    def observe(self, method: str, latency: float, inflight: int, *, dropped: bool = False) -> None:
        """Takes note of a call that ended.

        Args:
            method: Its method's name.
            latency: The seconds that it took at the backend.
            inflight: Calls in flight when it ended, itself among them.
            dropped: Whether it ended without an answer: it took so long at least.
        """
        now = self._clock()
        times = self._times(method, latency, dropped=dropped)
        sample = None if times is None else Sample(method, now - latency, latency, times)
        if self._probe is None and now >= self._due and self.latency is not None:
            self._begin(now, self.latency)
        if self._probe is not None:
            # What has no answer tells that calls are slow, and not how slow they are.
            self._go_on(self._probe, now, None if dropped else sample, inflight)
        elif sample is not None:
            self._take(now, sample, inflight)

    def passed(self, inflight: int) -> None:
        """Takes note of a call that ended and tells nothing of the time that calls take.

        Args:
            inflight: Calls in flight when it ended, itself among them.
        """
        if self._probe is not None:
            self._go_on(self._probe, self._clock(), None, inflight)

    def lapse(self) -> bool:
        """Ends a probe that has lasted as long as it may; returns whether there was one."""
        if self._probe is None:
            return False
        now = self._clock()
        if not self._probe.over(now):
            return False
        self._end(now, now - self._probe.begun, None)
        return True

    def _times(self, method: str, latency: float, *, dropped: bool) -> float | None:
        """Returns how many times what is usual a call took; None for what tells nothing."""
        if not dropped:
            return self._usual.times(method, latency, self._load)
        usual = self._usual.seconds(method)
        if usual is None or latency <= usual * self._load:
            return None
        return latency / usual

    def _take(self, now: float, sample: Sample, inflight: int) -> None:
        window = self._window
        if now < window.begins:
            return
        window.samples.append(sample)
        window.most = max(window.most, inflight)
        number = len(window.samples)
        shortest = max(WINDOW, self.latency or 0.0) if number >= SAMPLES else LONGEST
        if number < ENOUGH or now - window.begins < shortest:
            return
        self.latency = median(each.latency for each in window.samples)
        load = median(each.times for each in window.samples)
        self._load += _WEIGHT * (load - self._load)
        if self._load < _FASTER:
            self._usual.scale(self._load)
            load, self._load = load / self._load, 1.0
        if window.most >= self._wanted / 2:
            self._move(load)
        # Calls that are in flight now tell of the limit before.
        self._window = _Window(now + self.latency)
        if not self._asked and self._doubts():
            self._asked = True
            self._due = min(self._due, self._next(now, self._soon))

    def _move(self, load: float) -> None:
        gradient = min(max(TOLERANCE / load, STEEPEST[0]), STEEPEST[1])
        target = self._wanted * gradient + HEADROOM * sqrt(self._wanted)
        wanted = self._wanted + STEP * (target - self._wanted)
        self._wanted = min(max(wanted, self._least), self._most)
        self.limit = int(self._wanted)

    def _doubts(self) -> bool:
        """Whether the limit has gone so far that it should be known why."""
        if self._wanted >= 2 * self._settled:
            return True
        low = self._wanted <= max(self._settled / 2, self._least)
        return low and self._load > _SLOWER

    def _begin(self, now: float, latency: float) -> None:
        worked_on = self._wanted / max(1.0, self._load)
        self.limit = max(1, int(max(worked_on / 2, self._wanted * _LOWEST)))
        self._probe = Probe(now, self.limit, latency)

    def _go_on(self, probe: Probe, now: float, sample: Sample | None, inflight: int) -> None:
        found = probe.take(now, sample, inflight - 1)
        if found is not None or probe.over(now):
            self._end(now, now - probe.begun, found)

    def _end(self, now: float, lasted: float, found: list[Sample] | None) -> None:
        pause = max(1, ceil(_SHARE * lasted / INTERVAL)) * INTERVAL
        if found is not None:
            changed = self._relearn(found)
            if changed < 1 / _SLOWER:
                pause = SOON
            in_vain = self._asked and changed < _SLOWER
            self._soon = min(2 * self._soon, INTERVAL) if in_vain else SOON
        self._probe = None
        self._asked = False
        self._due = self._next(now, pause)
        self._settled = self._wanted
        self._window = _Window(now)
        self.limit = int(self._wanted)

    def _relearn(self, found: list[Sample]) -> float:
        """Takes over what is usual; returns how many times what it was that is."""
        changed = median(each.times for each in found)
        by_method: dict[str, list[float]] = {}
        for each in found:
            by_method.setdefault(each.method, []).append(each.latency)
        self._usual.relearn(by_method, changed)
        self._load /= changed
        return changed

    def _next(self, now: float, pause: float) -> float:
        """Returns the next multiple of a pause, as others see the time."""
        return (floor((now + self._phase) / pause) + 1) * pause - self._phase
