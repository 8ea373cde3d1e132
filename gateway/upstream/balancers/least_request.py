"""Least request: of two nodes taken at random, the one that would answer first.

"The power of two choices" (Mitzenmacher), by latency times calls in flight (Finagle's peak EWMA
balancer): what is slow gets little, without anybody comparing all nodes. Where less is known:

- A node with too few answers to be judged by is taken for one like the other.
- One that nobody has called for a while is taken for faster and faster, so that it is tried again;
  but for at most twice as fast as the other, or a burst of calls would go there before the first
  of them has shown how it is.
- One that is avoided for what it was is tried again with one call, after two seconds without any.
  All such calls together are one in 25 at most, so that few calls stay few at a slow node.
- Each of its late failures counts as a call in flight: what fails at once has none of these, and
  would draw all calls.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from gateway.upstream.balancers import Senses
from gateway.upstream.node import Node

_ALIKE: Final = 1.25
"""Latencies within this ratio are the same: what is measured is no more exact than that."""

_TRIES: Final = 25
"""One call in so many, at most, goes where it would be answered later, to see if that is so."""


class LeastRequest:
    """Picks by two choices (`gateway.upstream.balancers.Balancer`)."""

    __slots__ = ("_clock", "_random", "_since", "_usable")

    def __init__(self, senses: Senses) -> None:
        self._clock = senses.clock
        self._random = senses.random
        self._usable: Sequence[Node] = ()
        self._since = 0  # picks since one was tried again

    def update(self, members: Sequence[Node], usable: Sequence[Node]) -> None:  # noqa: ARG002
        """See Balancer."""
        self._usable = usable

    def pick(self, key: bytes | None, avoid: Collection[Node]) -> Node | None:  # noqa: ARG002
        """See Balancer."""
        usable = self._usable
        if avoid:
            usable = [node for node in usable if node not in avoid]
        count = len(usable)
        if count < 2:
            return usable[0] if count else None
        first = int(self._random() * count)
        second = int(self._random() * (count - 1))
        if second >= first:
            second += 1
        one, other = usable[first], usable[second]
        now = self._clock()
        if not _before(one, other, now):
            one, other = other, one
        self._since += 1
        if self._since >= _TRIES and _to_try(other, one, now):
            self._since = 0
            other.latency.try_again(now)
            return other
        return one


def _to_try(avoided: Node, better: Node, now: float) -> bool:
    """Tells whether a node is to be tried again: it is avoided for nothing that is under way."""
    calls, others = avoided.pending + 1, better.pending + 1
    return calls * better.weight <= others * avoided.weight and avoided.latency.doubtful(now)


def _before(one: Node, other: Node, now: float) -> bool:
    """Tells whether a call to `one` would be answered no later than one to `other`."""
    mine, theirs = one.latency, other.latency
    calls, others = one.pending + 1.0, other.pending + 1.0
    if mine.failures:
        calls += mine.failures_at(now)
    if theirs.failures:
        others += theirs.failures_at(now)
    if mine.settled and theirs.settled:
        took, takes = mine.at(now), theirs.at(now)
        if took < mine.seconds and took < takes / 2:
            took = min(mine.seconds, takes / 2)
        elif takes < theirs.seconds and takes < took / 2:
            takes = min(theirs.seconds, took / 2)
        if took and takes and not (took <= takes * _ALIKE and takes <= took * _ALIKE):
            calls *= took
            others *= takes
    return calls * other.weight <= others * one.weight
