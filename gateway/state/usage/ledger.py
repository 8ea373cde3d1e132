"""What one process has counted and not yet told, and the day that it is.

A call costs a look at the clock, a dict and six additions. Nothing here waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeAlias

from gateway.state.usage.counts import OTHERS, Caller, Count, Counts, Key, add_one

log = logging.getLogger(__name__)

Who: TypeAlias = "tuple[str, str, str | None]"
"""A caller as a call names it: provider, subject, and a plan or None."""

_DAY: Final = 86400  # seconds; UTC as computers count it has no others


class Tally:
    """The counts of one method. Made by `Ledger.tally`."""

    __slots__ = ("_ledger", "counts")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.counts: dict[Who, Count] = {}

    def of(self, who: Who) -> Count:
        """Returns the count of a caller. To be added to at once: later it may be another."""
        ledger = self._ledger
        if ledger.now() >= ledger.midnight:
            ledger.turn()
        count = self.counts.get(who)
        return self._new(who) if count is None else count

    def _new(self, who: Who) -> Count:
        callers = self._ledger.callers
        if who[0] and who not in callers:  # who has no provider is anonymous, of whom there is one
            if len(callers) < self._ledger.most:
                callers.add(who)
            else:
                self._ledger.tell_of_others()
                who = OTHERS
        return self.counts.setdefault(who, Count())


class Ledger:
    """The counts of one process.

    Attributes:
        most: Callers that are told apart in a day; the rest are one.
        now: Seconds since 1970.
        midnight: When its day ends, likewise.
        callers: Who is told apart on it.
    """

    def __init__(self, most: int, now: Callable[[], float] = time.time) -> None:
        self.most = most
        self.now = now
        self.callers: set[Who] = set()
        self.midnight = 0.0
        self._day = ""
        self._tallies: dict[str, Tally] = {}
        self._before: Counts = {}
        self._told = ""
        self._begin()

    def _begin(self) -> None:
        now = self.now()
        self.midnight = (now // _DAY + 1) * _DAY
        self._day = day_of(now)
        self.callers.clear()

    def tally(self, method: str) -> Tally:
        """Returns the counts of a method: always the same object."""
        return self._tallies.setdefault(method, Tally(self))

    def tell_of_others(self) -> None:
        """Writes, once a day, that callers are not told apart any more."""
        if self._told != self._day:
            self._told = self._day
            log.warning(
                "more than %d callers came on %s: the rest of their usage is counted as one",
                self.most,
                self._day,
            )

    def turn(self) -> None:
        """Begins the day that it is now."""
        self._close()
        self._begin()

    def _close(self) -> None:
        """Puts what was counted under its day."""
        for method, tally in self._tallies.items():
            counts, tally.counts = tally.counts, {}
            for (provider, subject, plan), count in counts.items():
                caller = Caller(provider, subject, plan or "")
                add_one(self._before, Key(self._day, caller, method), count)

    def take(self) -> Counts:
        """Returns what was counted since it was last asked."""
        self._close()
        taken, self._before = self._before, {}
        return taken


def day_of(now: float) -> str:
    """Returns the day of a time, seconds since 1970, in UTC: `2026-11-21`."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()
