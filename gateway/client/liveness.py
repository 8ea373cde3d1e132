"""Whether a socket is alive though nothing comes: asks after a while of silence, gives up later.

A connection whose other end is gone without a word looks open for minutes. After an interval
without a frame a `ping` is to be sent; after a second one without any frame the socket counts as
broken (docs/websocket.md, "Being alive"). Knows no clock: it is told the time.
"""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """What to do with a socket now."""

    WAIT = "look again at `due`"
    ASK = "send a ping, and look again at `due`"
    DEAD = "it is broken"


class Liveness:
    """The silence of one socket.

    Args:
        interval: Seconds.
        now: The time, in seconds of any clock.

    Attributes:
        due: When to look again.
    """

    __slots__ = ("_asked", "_heard", "_interval", "due")

    def __init__(self, interval: float, now: float) -> None:
        self._interval = interval
        self._heard = now
        self._asked = False
        self.due = now + interval

    def heard(self, now: float) -> None:
        """Takes note of a frame."""
        self._heard = now
        self._asked = False

    def look(self, now: float) -> Verdict:
        """Says what to do; to be called at `due`, or later."""
        silent_until = self._heard + self._interval
        if now < silent_until:
            self.due = silent_until
            return Verdict.WAIT
        if self._asked and now >= self.due:
            return Verdict.DEAD
        if self._asked:
            return Verdict.WAIT
        self._asked = True
        self.due = now + self._interval
        return Verdict.ASK
