"""Which requests are worth keeping: those that failed, and those that went well in an odd way.

What is slow is found without numbers of all: of each method an estimate of the time that all but
one in a thousand calls stay below is moved up a little by each that is slower, and down a
thousandth of that by each that is not (stochastic approximation; Robbins and Monro, 1951).
"""

from __future__ import annotations

from typing import Final

from gateway.record import RequestRecord

FAILED: Final = "failed"
ODD: Final = "odd"
SLOW: Final = "slow"
SAMPLED: Final = "sampled"

_STEP: Final = 0.1
_RARE: Final = 0.001
_UP: Final = 1 + _STEP
_DOWN: Final = 1 - _STEP * _RARE
_BEFORE: Final = 200  # of a method, before anything is said of its time
_MOST_METHODS: Final = 4096

_ORDINARY: Final = frozenset({0, 1000, 1001, 1005, 1006})
"""Close codes of sockets that say nothing is wrong: the client is done, or has gone."""

_FREE: Final = 3000
"""Close codes from here on mean what applications like (RFC 6455, section 7.4.2)."""

_STALE: Final = "stale"


def judged(record: RequestRecord) -> str | None:
    """Returns FAILED or ODD; None for a request that went as it should."""
    if record.status >= 400 or record.code or not _is_ordinary(record):
        return FAILED
    odd = False
    for call in record.calls:
        if call.code:
            return FAILED
        if len(call.attempts) > 1 or call.cached == _STALE:
            odd = True
    return ODD if odd else None


def _is_ordinary(record: RequestRecord) -> bool:
    """Whether a socket closed as it should: what a client says in its own codes is no failure."""
    close = record.close
    return close in _ORDINARY or (close >= _FREE and not record.closed_here)


class Usual:
    """How long requests take that go well, by what they ask.

    Only those are looked at that make one unary call: how long others take says nothing.
    """

    __slots__ = ("_estimates",)

    def __init__(self) -> None:
        # Seconds, and how many there were.
        self._estimates: dict[str, list[float]] = {}

    def is_slow(self, record: RequestRecord) -> bool:
        """Whether a request took longer than all but one in a thousand like it; learns from it."""
        if record.made != 1:
            return False
        call = record.calls[0]
        if call.sent or call.received:
            return False
        seconds = record.ended - record.began
        known = self._estimates.get(call.method)
        if known is None:
            if len(self._estimates) < _MOST_METHODS:
                self._estimates[call.method] = [seconds, 1]
            return False
        known[1] += 1
        if seconds > known[0]:
            known[0] *= _UP
            return known[1] > _BEFORE
        known[0] *= _DOWN
        return False
