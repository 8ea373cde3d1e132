"""When to leave a shared state alone: a circuit breaker that lets no call be the one that tries.

Closed, it lets calls through. It opens at some failures in a row, or at once. Open, it lets nothing
through for a pause; then whoever keeps the connections may probe (half open), and only a probe
closes it. The pause doubles with each opening, until a call has succeeded: a server that answers
probes and fails calls is left alone too. It knows nothing of what it protects.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

_ENOUGH: Final = 5  # failures in a row
_SHORTEST: Final = 0.1  # seconds
_LONGEST: Final = 2.0


class State(Enum):
    """What a breaker lets through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Breaker:
    """Counts failures in a row, and says when to probe.

    Attributes:
        state: What it lets through.
        failures: In a row, while it is closed.

    Args:
        clock: Seconds, on a clock that never goes back.
    """

    __slots__ = ("_clock", "_pause", "_until", "failures", "state")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pause = 0.0
        self._until = 0.0
        self.failures = 0
        self.state = State.CLOSED

    def failed(self) -> bool:
        """Takes note of a call that failed; returns whether that opened it."""
        if self.state is not State.CLOSED:
            return False
        self.failures += 1
        if self.failures < _ENOUGH:
            return False
        self.open()
        return True

    def succeeded(self) -> None:
        """Takes note of a call that succeeded."""
        if self.state is State.CLOSED:
            self.failures = 0
            self._pause = 0.0

    def open(self) -> None:
        """Lets nothing through for a pause: a call timed out, or a probe failed."""
        if self.state is State.OPEN:
            return
        self.state = State.OPEN
        self.failures = 0
        self._pause = min(max(self._pause * 2, _SHORTEST), _LONGEST)
        self._until = self._clock() + self._pause

    def wait(self) -> float:
        """Returns the seconds until a probe may be made; 0 for now."""
        return max(self._until - self._clock(), 0.0) if self.state is State.OPEN else 0.0

    def probe(self) -> None:
        """Takes note that a probe begins."""
        if self.state is State.OPEN:
            self.state = State.HALF_OPEN

    def answered(self) -> bool:
        """Takes note that a probe was answered; returns whether calls are let through by that.

        They are not where it was opened after the probe began.
        """
        if self.state is State.OPEN:
            return False
        self.state = State.CLOSED
        return True
