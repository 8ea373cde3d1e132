"""Limits that are counted in memory: of this process, or shared by those of a machine.

It brings together what counts (`algorithms`) and where numbers are kept (`state.table`): finds what
is kept of each ask's key, counts, and keeps what came of it if all asks were allowed. What is
shared is changed under its mutexes, so that processes give no more together than one would alone.
A decision waits for nothing but those, and for each of them 5 ms at most (`state.mutex`).

An ask that only looks takes no room, nor does one that is refused. Asks of one call that have the
same key are counted one after the other: each finds what those before it have left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from gateway.policies.limits.algorithms import COUNTING, NEW, Kept
from gateway.policies.limits.ask import Ask, Share, Verdict
from gateway.state.mutex import COUNT
from gateway.state.table import Table

Place: TypeAlias = tuple[bytes, int]
"""A key's tag, and the set where it belongs."""

_new: Final = tuple.__new__  # what a named tuple's class calls: without its function's time


class MemoryLimiter:
    """Decides about shares by what is kept in a table.

    Args:
        table: Where it is kept; of this limiter alone, or shared with those of other processes.
        now: Seconds that only grow, the same in all processes that share the table.
        wall: Seconds since 1970, for calendars.
    """

    __slots__ = ("_locks", "_now", "_table", "_wall")

    def __init__(
        self,
        table: Table,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._locks = table.locks
        self._now = now
        self._wall = wall

    def decide(self, asks: Sequence[Ask]) -> Verdict:
        """Returns what becomes of the asks: all are taken, or none but the dark ones."""
        if len(asks) != 1:
            return self._decide_several(asks)
        ask = asks[0]
        table, locks = self._table, self._locks
        step, count = COUNTING[ask.numbers.algorithm]
        tag, where = table.locate(ask.key)
        stripe, taken = where % COUNT, False
        if locks is not None:
            busy = locks.attempts[stripe]()
            taken = not busy or locks.settle(stripe, busy)
        try:
            now = self._now()  # under the lock: no process goes on from before another's time
            left = ask.ends - self._wall() if ask.ends else 0.0
            slot = table.find(tag, where)
            if slot < 0:
                share, kept = step(ask, now, left, NEW)
                if kept[0] > now:
                    table.insert(tag, where, kept, count, now)
            elif count == 1:  # a bucket: as below, in a hurry
                share, kept = step(ask, now, left, (table.first[slot], 0.0, 0.0))
                table.first[slot] = kept[0]
            else:
                share, kept = step(ask, now, left, table.read(slot, count))
                table.write(slot, kept, count)
        finally:
            if taken and locks is not None:
                locks.gives[stripe]()
        return _new(Verdict, (share.allowed or ask.dark, (share,)))

    def _decide_several(self, asks: Sequence[Ask]) -> Verdict:
        places = [self._table.locate(ask.key) for ask in asks]
        locks = self._locks
        if locks is None:
            return self._decide_together(asks, places)
        taken: list[int] = []
        try:
            stripes = sorted({where % COUNT for _, where in places})
            taken.extend(stripe for stripe in stripes if locks.take(stripe))
            return self._decide_together(asks, places)
        finally:
            for stripe in taken:
                locks.give(stripe)

    def _decide_together(self, asks: Sequence[Ask], places: Sequence[Place]) -> Verdict:
        now, wall = self._now(), self._wall()
        shares, after = self._step(asks, places, now, wall)
        refused = [ask for ask, share in zip(asks, shares, strict=True) if not share.allowed]
        allowed = all(ask.dark for ask in refused)
        if not allowed:
            looks = [ask if ask.dark else ask._replace(cost=0, patience=0.0) for ask in asks]
            untaken, after = self._step(looks, places, now, wall)
            shares = [
                look._replace(allowed=share.allowed, retry_after=share.retry_after)
                for look, share in zip(untaken, shares, strict=True)
            ]
        table, new = self._table, []
        for tag, (slot, where, kept, count) in after.items():
            if slot >= 0:
                table.write(slot, kept, count)
            elif kept[0] > now:
                new.append((tag, where, kept, count))
        for each in new:  # only now, as it may take the slot of one that was found
            table.insert(*each, now)
        return _new(Verdict, (allowed, tuple(shares)))

    def _step(
        self, asks: Sequence[Ask], places: Sequence[Place], now: float, wall: float
    ) -> tuple[list[Share], dict[bytes, tuple[int, int, Kept, int]]]:
        """Counts asks one after the other, and writes nothing.

        Returns:
            What becomes of each; and of each tag: its slot or -1, its set, what is to be kept, and
            how many numbers of that.
        """
        table = self._table
        shares = []
        after: dict[bytes, tuple[int, int, Kept, int]] = {}
        for ask, (tag, where) in zip(asks, places, strict=True):
            step, count = COUNTING[ask.numbers.algorithm]
            if tag in after:
                slot, _, kept, _ = after[tag]
            else:
                slot = table.find(tag, where)
                kept = NEW if slot < 0 else table.read(slot, count)
            share, kept = step(ask, now, ask.ends - wall, kept)
            after[tag] = slot, where, kept, count
            shares.append(share)
        return shares, after
