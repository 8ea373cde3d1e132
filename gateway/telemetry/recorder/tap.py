"""Follows requests as they end, for who looks at a gateway now.

Each who looks has a buffer of its own, is told what did not fit in it, and is forgotten when it
asks no more. Where nobody looks, there is none of this (`recorder.Recorder.tap`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from gateway.record import RequestRecord
from gateway.telemetry.recorder.rows import Row, live
from gateway.telemetry.recorder.wanted import Traits, Wanted, traits_of

ROOM: Final = 1000
"""Rows that wait for who looks; the oldest make place."""

PATIENCE: Final = 15.0
"""Seconds after which who has not asked is forgotten."""

MOST: Final = 8
"""Who may look at once."""

_RATE: Final = 1000  # rows a second


class TooManyError(Exception):
    """As many look as may."""


class _Watch:
    """One who looks.

    Attributes:
        asked: When it asked last, on the clock.
        wanted: What it wants to see.
        every: Of how many of those it sees one.
        number: Those so far.
        missed: Rows that it was not told, and not told of.
    """

    __slots__ = ("asked", "every", "missed", "number", "rows", "second", "taken", "wanted")

    def __init__(self, wanted: Wanted, every: int, now: float) -> None:
        self.asked = self.second = now
        self.wanted = wanted
        self.every = every
        self.number = self.missed = self.taken = 0
        self.rows: deque[Row] = deque()

    def offer(self, row: Row, traits: Traits, now: float) -> None:
        """Takes a row, if it is wanted."""
        if not self.wanted.wants(traits):
            return
        self.number += 1
        if (self.number - 1) % self.every:
            return
        if now - self.second >= 1:
            self.second, self.taken = now, 0
        self.taken += 1
        if self.taken > _RATE:
            self.missed += 1
            return
        if len(self.rows) == ROOM:
            self.rows.popleft()
            self.missed += 1
        self.rows.append(row)


class Tap:
    """All who look.

    Args:
        clock: Seconds that only grow.
        wall: Seconds since 1970.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._watches: dict[str, _Watch] = {}

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks."""
        self._forget(self._clock())
        return bool(self._watches)

    def see(self, record: RequestRecord) -> None:
        """Takes a request that is over."""
        now = self._clock()
        if self._forget(now):
            row = live(record, self._wall() - (record.clock() - record.ended))
            traits = traits_of(row)
            for watch in self._watches.values():
                watch.offer(row, traits, now)

    def ask(self, name: str, wanted: Wanted, every: int) -> dict[str, Any]:
        """Returns what came since somebody asked last; it begins with the first time.

        Args:
            name: Who asks: a word of its own.
            wanted: What it wants to see; that of the first time holds.
            every: Of how many of those it sees one.

        Returns:
            `rows` (`rows.Row`), and how many were `missed`.

        Raises:
            TooManyError: Others look, and no more may.
        """
        now = self._clock()
        self._forget(now)
        watch = self._watches.get(name)
        if watch is None:
            if len(self._watches) >= MOST:
                raise TooManyError
            watch = self._watches[name] = _Watch(wanted, every, now)
        watch.asked = now
        rows, watch.rows = list(watch.rows), deque()
        missed, watch.missed = watch.missed, 0
        return {"rows": rows, "missed": missed}

    def _forget(self, now: float) -> int:
        """Forgets who asks no more; returns how many look."""
        if self._watches:
            gone = [name for name, each in self._watches.items() if now - each.asked > PATIENCE]
            for name in gone:
                del self._watches[name]
        return len(self._watches)
