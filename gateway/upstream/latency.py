"""How long an endpoint takes to answer, as a balancer wants to know it: peak EWMA.

An exponentially weighted moving average that jumps up at once to a call that took longer, and
comes down slowly (Finagle, `PeakEwma`): an endpoint that becomes slow is noticed with one call, and
has to prove with many that it is not any more.

Only answers say how fast an endpoint is: failures are often faster, and would draw calls to where
they fail. So a failure leaves the average, unless it took longer, and is remembered on its own.

An endpoint that is avoided gives no answers that could clear it. So after a while it is to be tried
with a call, whatever is known of it, and the answer to that is believed alone.

The first answers say little: they have waited for a connection, or for code that was never run
before. An endpoint that was judged by them would hardly be asked again, so it is judged after a
few, by the fastest of them.
Pure: times are arguments, seconds of one clock.
"""

from __future__ import annotations

from math import exp, inf
from typing import Final

DECAY: Final = 10.0
"""Seconds in which what was measured loses all but a share of 1/e of its weight."""

FIRST: Final = 3
"""How many answers come before an endpoint is judged."""

BELIEVED: Final = 2.0
"""Seconds for which it is believed of an endpoint that nobody calls, how slow it is; and as many
more for each late failure."""

_FORGOTTEN: Final = 0.01


class Latency:
    """The latency of one endpoint.

    Attributes:
        seconds: As of the last call; 0 before there was one.
        settled: Whether there were answers enough to judge the endpoint by it.
        failures: Lately, each with the weight that is left of it; as of the last one.
    """

    __slots__ = (
        "_answers",
        "_failed",
        "_fastest",
        "_stamp",
        "_tried",
        "failures",
        "seconds",
        "settled",
    )

    def __init__(self) -> None:
        self.seconds = 0.0
        self.failures = 0.0
        self.settled = False
        self._answers = 0
        self._fastest = inf
        self._stamp = 0.0
        self._failed = 0.0
        # When it was tried again; 0 once there was an answer.
        self._tried = 0.0

    def took(self, seconds: float, now: float) -> None:
        """Takes in a call that took `seconds` and was answered at `now`."""
        last = self.seconds
        if not self.settled:
            self._answers += 1
            self._fastest = min(self._fastest, seconds)
            self.settled = self._answers == FIRST
            self.seconds = self._fastest if self.settled else max(last, seconds)
        elif seconds >= last or self._tried:
            self.seconds = seconds
        else:
            weight = exp((self._stamp - now) / DECAY)
            self.seconds = last * weight + seconds * (1 - weight)
        if self._tried:
            self._tried = self.failures = 0.0
        self._stamp = now

    def outlasted(self, seconds: float, now: float) -> None:
        """Takes in that a call had no answer at `now`, after `seconds`: it takes as long at least.

        Before there was an answer at all, that says nothing.
        """
        if seconds > self.seconds > 0:
            self.seconds = seconds
            self._stamp = now

    def failed(self, seconds: float, now: float) -> None:
        """Takes in a call that failed at `now`, after `seconds`: an answer takes as long at least.

        It does not say that the endpoint is any faster than it was, nor how fast it is at all.
        """
        self.failures = self.failures_at(now) + 1
        self._failed = now
        self.outlasted(seconds, now)

    def doubtful(self, now: float) -> bool:
        """Tells whether it is to be tried again, for nobody has called it for so long."""
        last = max(self._stamp, self._failed, self._tried)
        return now - last >= BELIEVED * (1 + self.failures_at(now))

    def try_again(self, now: float) -> None:
        """Takes note that it is called though it is avoided: the next answer is believed alone."""
        self._tried = now

    def at(self, now: float) -> float:
        """Returns it as of `now`: what nobody has called for a while is forgotten slowly."""
        idle = now - self._stamp
        if idle < DECAY / 10:
            return self.seconds
        return self.seconds * exp(-idle / DECAY)

    def failures_at(self, now: float) -> float:
        """Returns the failures as of `now`."""
        if self.failures:
            left = self.failures * exp((self._failed - now) / DECAY)
            if left >= _FORGOTTEN:
                return left
            self.failures = 0.0
        return 0.0
