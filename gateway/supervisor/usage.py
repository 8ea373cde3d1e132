"""What the workers' callers used: kept by the supervisor, so that it outlives any of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from gateway.operations import NOT_ASKED_RIGHT, Content, OperationError
from gateway.state.usage.counts import Row, counts_of
from gateway.state.usage.question import QuestionError, read
from gateway.state.usage.totals import Totals


class Usage:
    """The sums of all workers.

    Args:
        most: Returns how many callers are told apart at most.
        now: Seconds since 1970.
    """

    def __init__(self, most: Callable[[], int], now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._totals = Totals(most, now)

    def take(self, rows: Sequence[Row]) -> None:
        """Adds what a worker counted."""
        self._totals.add(counts_of(rows))

    async def tell(self, arguments: Mapping[str, str]) -> Content:
        """Returns what the operation `usage` answers.

        Raises:
            OperationError: It is not asked right.
        """
        try:
            return await self._totals.answer(read(arguments, self._now))
        except QuestionError as error:
            raise OperationError(NOT_ASKED_RIGHT, str(error)) from error
