"""Maglev: each key has a node, by one look at a table.

Google's Maglev (Eisenbud and others, NSDI 2016, section 3.4): each node has its own order of all
places of a table, and they take turns in taking the next free one, each one at least. Shares are
more even than a ring's, and nearly all keys stay where they are when a node comes or goes.

The table has all nodes that are listed. A key whose node takes no calls looks again, by another
hash: only that node's keys move, evenly to all others, and they come back with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from heapq import heapify, heapreplace
from itertools import cycle, islice
from typing import Final

from gateway.upstream.balancers.hashing import hashed, sequence
from gateway.upstream.balancers.keyed import Keyed, Members
from gateway.upstream.node import Node

SIZE: Final = 65537
"""Places of the table: a prime, for every step to reach them all; Envoy's number."""

_LOOKS: Final = 16
"""How often a key looks again before it takes the next place that will do."""

_STEPS: Final = 1024
"""How many places it looks at then: next to heavy nodes, light ones have few."""


class Maglev(Keyed):
    """Picks by a table (`gateway.upstream.balancers.Balancer`)."""

    __slots__ = ("_table",)

    def _build(self, members: Members) -> None:
        self._table = _table(members)

    def _find(self, key: bytes, usable: Collection[Node]) -> Node:
        node = self._table[hashed(key) % SIZE]
        return node if node in usable else self._again(key, usable)

    def _again(self, key: bytes, usable: Collection[Node]) -> Node:
        table = self._table
        place = 0
        for look in range(1, _LOOKS + 1):
            place = hashed(key, b"look %d" % look) % SIZE
            if table[place] in usable:
                return table[place]
        for at in range(place, place + _STEPS):
            if (node := table[at % SIZE]) in usable:
                return node
        return max(
            usable, key=lambda node: hashed(b"%b at %b" % (key, str(node.endpoint).encode()))
        )


def _table(members: Members) -> Sequence[Node]:
    """Returns who has each place."""
    table: list[Node | None] = [None] * SIZE
    # By address, not as listed: all gateways are to have the same table.
    ordered = sorted(members, key=lambda member: str(member[0].endpoint))
    orders = [_Order(node) for node, _ in ordered]
    for turn in islice(_turns([weight for _, weight in ordered]), SIZE):
        order = orders[turn]
        place, step = order.place, order.step
        while table[place] is not None:
            place += step
            if place >= SIZE:
                place -= SIZE
        table[place] = order.node
        order.place = place
    return [node for node in table if node is not None]


def _turns(weights: Sequence[int]) -> Iterator[int]:
    """Yields whose turn it is, without end: all once, then each as often as its weight says."""
    if len(set(weights)) == 1:
        yield from cycle(range(len(weights)))
    yield from range(len(weights))
    due = [(2 / weight, turn) for turn, weight in enumerate(weights)]
    heapify(due)
    while True:
        when, turn = due[0]
        yield turn
        heapreplace(due, (when + 1 / weights[turn], turn))


class _Order:
    """The order in which a node would take the places.

    Attributes:
        node: Whose it is.
        place: The next.
        step: From each to the one after it.
    """

    __slots__ = ("node", "place", "step")

    def __init__(self, node: Node) -> None:
        first, second = sequence(str(node.endpoint), 2)
        self.node = node
        self.place = first % SIZE
        self.step = second % (SIZE - 1) + 1
