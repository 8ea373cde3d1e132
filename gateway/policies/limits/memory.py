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
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from gateway.policies.limits.algorithms import COUNTING, NEW, Kept
from gateway.policies.limits.ask import Ask, Share, Verdict
from gateway.state.mutex import COUNT
from gateway.state.table import Table

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

    @property
    def evicted(self) -> int:
        """How many keys this process has forgotten while something of their limits was taken."""
        return self._table.evicted

    def decide(self, asks: Sequence[Ask]) -> Verdict:
        """Returns what becomes of the asks: all are taken, or none but the dark ones."""
        if len(asks) != 1:
            return self._decide_several(asks)
        ask = asks[0]
        table, locks = self._table, self._locks
        step, count = COUNTING[ask.numbers.algorithm]
        tag, where = table.locate(ask.key)
        taken = locks is not None and locks.take(where % COUNT)
        try:
            now = self._now()  # under the lock: no process goes on from before another's time
            left = ask.ends - self._wall() if ask.ends else 0.0
            slot = table.find(tag, where)
            if slot < 0:
                share, kept = step(ask, now, left, NEW)
                if kept[0] > now:
                    table.insert(tag, where, kept, count, now)
            else:
                share, kept = step(ask, now, left, table.read(slot, count))
                table.write(slot, kept, count)
        finally:
            if taken and locks is not None:
                locks.give(where % COUNT)
        return _new(Verdict, (share.allowed or ask.dark, (share,)))

    def _decide_several(self, asks: Sequence[Ask]) -> Verdict:
        located = [self._table.locate(ask.key) for ask in asks]
        locks = self._locks
        if locks is None:
            return self._decide_together(asks, located)
        taken: list[int] = []
        try:
            stripes = sorted({where % COUNT for _, where in located})
            taken.extend(stripe for stripe in stripes if locks.take(stripe))
            return self._decide_together(asks, located)
        finally:
            for stripe in taken:
                locks.give(stripe)

    def _decide_together(
        self, asks: Sequence[Ask], located: Sequence[tuple[bytes, int]]
    ) -> Verdict:
        table, now, wall = self._table, self._now(), self._wall()
        slots = {tag: table.find(tag, where) for tag, where in located}
        counts = {
            tag: COUNTING[ask.numbers.algorithm][1]
            for ask, (tag, _) in zip(asks, located, strict=True)
        }
        found = {
            tag: NEW if slot < 0 else table.read(slot, counts[tag]) for tag, slot in slots.items()
        }
        verdict, after = together(
            [(ask, tag, ask.ends - wall) for ask, (tag, _) in zip(asks, located, strict=True)],
            now,
            found,
        )
        for tag, slot in slots.items():
            if slot >= 0:
                table.write(slot, after[tag], counts[tag])
        # Only then, as a new key may take the slot of one that was found.
        for tag, where in dict(located).items():
            if slots[tag] < 0 and after[tag][0] > now:
                table.insert(tag, where, after[tag], counts[tag], now)
        return verdict


Located: TypeAlias = tuple[Ask, bytes, float]
"""An ask, what its numbers are found by, and the seconds until its `ends`."""


def together(
    asks: Sequence[Located], now: float, found: Mapping[bytes, Kept]
) -> tuple[Verdict, Mapping[bytes, Kept]]:
    """Decides about all asks of a call, and returns what is to be kept.

    Args:
        asks: The asks.
        now: Seconds.
        found: What is kept, by what it is found by.
    """
    shares, after = _each(asks, now, found)
    if all(share.allowed or ask.dark for share, (ask, *_) in zip(shares, asks, strict=True)):
        return Verdict(True, tuple(shares)), after
    looks = [
        (ask if ask.dark else ask._replace(cost=0, patience=0.0), tag, left)
        for ask, tag, left in asks
    ]
    untaken, after = _each(looks, now, found)
    told = tuple(
        look if ask.dark else look._replace(allowed=share.allowed, retry_after=share.retry_after)
        for look, share, (ask, *_) in zip(untaken, shares, asks, strict=True)
    )
    return Verdict(False, told), after


def _each(
    asks: Sequence[Located], now: float, found: Mapping[bytes, Kept]
) -> tuple[list[Share], dict[bytes, Kept]]:
    after = dict(found)
    shares = []
    for ask, tag, left in asks:
        share, after[tag] = COUNTING[ask.numbers.algorithm][0](ask, now, left, after[tag])
        shares.append(share)
    return shares, after
