"""How many endpoints may be out at a time, and each for how long. Pure: times are arguments.

One that is put out again soon stays out longer: by the base time for each time, up to the longest;
each interval that it is in takes one time off (gRFC A50, "Outlier Detection Behavior").

What was put out for failures in a row may be a process that died or hung, and another one by now.
Where it could not be reached, or failed a health check, a check that it passes later says so, and
it need not stay out (Envoy, `successful_active_health_check_uneject_host`). Not where its checks
were passed all along: then they do not see what is wrong. Nor what was put out for its rates.
"""

from __future__ import annotations

from gateway.upstream.spec import OutlierSpec


def most(spec: OutlierSpec, endpoints: int) -> int:
    """Returns how many of so many endpoints may be out: at least one, and never all."""
    allowed = int(endpoints * spec.max_ejected / 100)
    return min(max(allowed, 1), endpoints - 1) if endpoints > 1 else 0


class Ejection:
    """How one endpoint stands.

    Attributes:
        times: How often it was put out, less the intervals that it was in since.
        since: When it was put out; None while it is in.
        ailing: Whether it was not reached, or failed a health check, since the last that it passed.
    """

    __slots__ = ("_curable", "ailing", "since", "times")

    def __init__(self) -> None:
        self.times = 0
        self.since: float | None = None
        self.ailing = False
        self._curable = False

    def begin(self, now: float, *, curable: bool = False) -> None:
        """Puts it out.

        Args:
            now: The time.
            curable: Whether a health check that is passed after one that was not lets it in.
        """
        self.times += 1
        self.since = now
        self._curable = curable

    def passed(self) -> bool:
        """Takes in that it passed a health check; returns whether that lets it in."""
        cured = self.since is not None and self._curable and self.ailing
        self.ailing = False
        return cured

    def end(self) -> None:
        """Lets it in."""
        self.since = None

    def seconds(self, spec: OutlierSpec) -> float:
        """Returns for how long it is out this time."""
        longest = max(spec.base_ejection, spec.max_ejection)
        return min(spec.base_ejection * self.times, longest)

    def until(self, spec: OutlierSpec) -> float:
        """Returns when it may come in; what is in already, at any time."""
        return self.since + self.seconds(spec) if self.since is not None else 0.0

    def rest(self) -> None:
        """Takes note of an interval that it was in."""
        self.times = max(0, self.times - 1)
