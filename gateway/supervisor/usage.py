"""What the workers' callers used: kept by the supervisor, so that it outlives any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gateway.listener.operations import NOT_ASKED_RIGHT, Content, OperationError
from gateway.state.usage.counts import Row, counts_of
from gateway.state.usage.question import QuestionError, read
from gateway.state.usage.totals import Totals


class Usage:
    """The sums of all workers.

    Args:
        most: Returns how many callers are told apart at most.
    """

    def __init__(self, most: Callable[[], int]) -> None:
        self._totals = Totals(most)

    def take(self, rows: Sequence[Row]) -> None:
        """Adds what a worker counted."""
        self._totals.add(counts_of(rows))

    def tell(self, arguments: Mapping[str, str]) -> Content:
        """Returns what the operation `usage` answers.

        Raises:
            OperationError: It is not asked right.
        """
        try:
            return self._totals.answer(read(arguments))
        except QuestionError as error:
            raise OperationError(NOT_ASKED_RIGHT, str(error)) from error
