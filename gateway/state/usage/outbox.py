"""What is to be told, in numbered batches: told again until it is known to have arrived.

A batch keeps its number and its content until then, so whoever takes it can know it again. What
comes meanwhile is added up, and grows no further than there are callers and methods, nor than
`WAITING` rows.
"""

from __future__ import annotations

from itertools import islice
from typing import Final, NamedTuple

from gateway.state.usage.counts import Counts, Row, add, rows_of

ROWS: Final = 200
"""Rows of a batch: what a Redis does in a millisecond or two, in which it does nothing else."""

WAITING: Final = 200_000
"""Rows that wait while nothing can be told, about 0.5 KB each; the rest is counted as one."""


class Batch(NamedTuple):
    """Some counts that are told together.

    Attributes:
        number: From 1, one more each.
        rows: Each of another key.
    """

    number: int
    rows: list[Row]

    @property
    def calls(self) -> int:
        """How many calls it tells of, for a log."""
        return sum(int(row[5]) for row in self.rows)


class Outbox:
    """The batches of one process."""

    def __init__(self) -> None:
        self._number = 0
        self._waiting: Counts = {}
        self._batch: Batch | None = None

    def put(self, counts: Counts) -> None:
        """Takes what was counted."""
        add(self._waiting, counts, WAITING)

    def next(self) -> Batch | None:
        """Returns what is to be told now: the same until it has `arrived`. None if nothing is."""
        if self._batch is None and self._waiting:
            keys = list(islice(self._waiting, ROWS))
            self._number += 1
            counts = {key: self._waiting.pop(key) for key in keys}
            self._batch = Batch(self._number, rows_of(counts))
        return self._batch

    def arrived(self) -> None:
        """Notes that the batch which `next` returned is where it should be, or can't get there."""
        self._batch = None

    @property
    def calls(self) -> int:
        """How many calls it holds, for a log."""
        told = self._batch.calls if self._batch else 0
        return told + sum(count.calls for count in self._waiting.values())
