"""What was used, in the memory of a process: some days, and two months.

Each day and each month is kept by itself, so that a month does not need all of its days. Each has
so many callers, and so many rows: what comes then is one caller's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from gateway.state.usage.counts import OTHERS, Caller, Count, Counts, Key, bounded
from gateway.state.usage.ledger import day_of
from gateway.state.usage.question import Answer, Question, QuestionError, answered

log = logging.getLogger(__name__)

DAYS: Final = 8
MONTHS: Final = 2
MORE: Final = 100_000
"""Rows that a day has, and a month, beyond one for each caller: for their other methods."""
_DAY: Final = len("2026-11-21")
_MONTH: Final = len("2026-11")
_KEEP: Final = {_DAY: DAYS, _MONTH: MONTHS}


class Totals:
    """The sums of this process, or of all whose supervisor it is.

    Args:
        most: Returns how many callers are told apart in a day, and in a month, at most.
        now: Seconds since 1970.
    """

    def __init__(self, most: Callable[[], int], now: Callable[[], float] = time.time) -> None:
        self._most = most
        self._periods: dict[str, Counts] = {}
        self._callers: dict[str, set[Caller]] = {}
        self._full: set[str] = set()  # periods
        # The first period that can be told of, by the length of its name.
        self._since = {length: day_of(now())[:length] for length in _KEEP}

    def add(self, counts: Counts) -> None:
        """Adds what was counted."""
        for key, count in counts.items():
            for period in (key.day, key.day[:_MONTH]):
                self._add(period, key, count)
        self._forget()

    def _add(self, period: str, key: Key, count: Count) -> None:
        callers = self._callers.setdefault(period, set())
        caller = key.caller
        if caller.provider and caller not in callers:
            if len(callers) < self._most():
                callers.add(caller)
            else:
                caller = OTHERS
        totals = self._periods.setdefault(period, {})
        wanted = Key(period, caller, key.method)
        kept = bounded(totals, wanted, self._most() + MORE)
        if kept is not wanted and period not in self._full:
            self._full.add(period)
            log.warning("usage of %s has %d rows: the rest is counted as one", period, len(totals))
        totals.setdefault(kept, Count()).add(count.numbers())

    def _forget(self) -> None:
        for length, keep in _KEEP.items():
            kept = sorted(each for each in self._periods if len(each) == length)
            for period in kept[:-keep]:
                del self._periods[period], self._callers[period]
                self._full.discard(period)
                self._since[length] = kept[-keep]

    async def answer(self, question: Question) -> Answer:
        """Returns the answer to a question.

        Of a hundred thousand callers it takes a second, in which other things go on.

        Raises:
            QuestionError: Its period is not kept any more, or is before this process.
        """
        since = self._since[len(question.period)]
        if question.period < since:
            text = f"{question.period} is not kept in memory, which begins with {since}."
            raise QuestionError(text)
        counts = dict(self._periods.get(question.period, {}))
        return await asyncio.to_thread(answered, question, counts)
