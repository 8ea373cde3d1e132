"""What the calls of one endpoint came to: counts of the interval, and failures in a row.

An attempt whose deadline passed is a failure in a row only if the endpoint answered nothing while
it lasted: one that answers others hangs on that call, and not at all.

A connection that breaks takes all its calls along: that is one failure, and not as many as there
were calls.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, NamedTuple

from gateway.upstream.blame import Blame

MOMENT: Final = 1.0
"""Seconds within which calls have ended that one connection took along."""


class Counts(NamedTuple):
    """How attempts ended, within an interval.

    Attributes:
        answered: Well.
        failed: By the endpoint's fault; those that broke together are one.
        late: Not, though there was time.
    """

    answered: int = 0
    failed: int = 0
    late: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.answered + self.failed + self.late


class Tally:
    """The record (`gateway.upstream.node.Record`) of one endpoint.

    Args:
        clock: The event loop's, in seconds.
        failed: Told of each failure in a row, with their number.
    """

    __slots__ = ("_answered", "_broke", "_clock", "_failed", "_failures", "_last", "_late", "_row")

    def __init__(self, clock: Callable[[], float], failed: Callable[[int], None]) -> None:
        self._clock = clock
        self._failures = failed
        self._answered = self._failed = self._late = self._row = 0
        self._last = clock()
        self._broke = -inf  # when a connection broke, last

    def ended(self, blame: Blame, seconds: float) -> None:
        """See Record."""
        if blame is Blame.ANSWERED:
            self._answered += 1
            self._row = 0
            self._last = self._clock()
        elif blame is Blame.FAILED:
            self._failed += 1
            self._fail()
        elif blame is Blame.BROKEN:
            now = self._clock()
            if now - seconds <= self._broke and now - self._broke <= MOMENT:
                return  # it was under way when the connection broke
            self._broke = now
            self._failed += 1
            self._fail()
        elif blame is Blame.LATE:
            self._late += 1
            if self._last <= self._clock() - seconds:
                self._fail()

    def spoke(self) -> None:
        """See Record. It is not silent; whether it fails is for the ends of calls to say."""
        self._last = self._clock()

    def take(self) -> Counts:
        """Returns the counts, and begins anew with them."""
        counts = Counts(self._answered, self._failed, self._late)
        self._answered = self._failed = self._late = 0
        return counts

    def forget(self) -> None:
        """Begins anew."""
        self._row = 0
        self.take()

    def _fail(self) -> None:
        self._row += 1
        self._failures(self._row)
