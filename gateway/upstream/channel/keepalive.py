"""When to ask a silent connection for a sign of life, and when to give it up (gRFC A8).

Pure: times in, verdicts out. Only connections with calls in flight are asked.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from gateway.upstream.spec import Keepalive


class Verdict(Enum):
    """What to do about a connection."""

    WAIT = "wait"
    PING = "ping"
    DEAD = "dead"


class Check(NamedTuple):
    """A verdict, and the seconds until the next check."""

    verdict: Verdict
    delay: float


class Watch:
    """What is known of one connection's silence. All times are seconds of one clock."""

    __slots__ = ("_asked", "heard", "times")

    def __init__(self, times: Keepalive, now: float) -> None:
        self.times = times
        self.heard = now
        self._asked: float | None = None

    def check(self, now: float, *, active: bool) -> Check:
        """Returns what to do now.

        Args:
            now: The time.
            active: Whether calls are in flight.
        """
        if self._asked is not None:
            if self.heard >= self._asked:
                self._asked = None
            elif now - self._asked >= self.times.timeout:
                return Check(Verdict.DEAD, 0.0)
            else:
                return Check(Verdict.WAIT, self._asked + self.times.timeout - now)
        silent = now - self.heard
        if silent < self.times.time:
            return Check(Verdict.WAIT, self.times.time - silent)
        if not active:
            return Check(Verdict.WAIT, self.times.time)
        self._asked = now
        return Check(Verdict.PING, self.times.timeout)


def backed_off(times: Keepalive) -> Keepalive:
    """Returns the times for a backend that says `too_many_pings`: twice as patient (gRFC A8)."""
    return Keepalive(times.time * 2, times.timeout)
