"""Ring hash: each key has a node, and loses it only when that node is gone.

Consistent hashing (Karger; Envoy's `ring_hash`): nodes have points on a ring of hashes, and a key
belongs to the first point at or after its own hash. A node that takes no calls keeps its points,
and they are walked over, so that only its keys move, each to the next node on the ring, and come
back with it.

The points follow from addresses alone: all gateways have the same ring, however nodes came to it.
A node has points by its weight as it is listed, next to the usual one, which is a power of two
near the mean: the points of others hardly ever change when one comes or goes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from math import log2
from typing import Final

from gateway.upstream.balancers import Senses
from gateway.upstream.balancers.hashing import hashed, sequence
from gateway.upstream.balancers.keyed import Keyed, Members
from gateway.upstream.node import Node

POINTS: Final = 160
"""The points of a node of the usual weight (libketama has as many): shares are even within 8 %,
one standard deviation."""


class RingHash(Keyed):
    """Picks by a ring of hashes (`gateway.upstream.balancers.Balancer`)."""

    __slots__ = ("_owners", "_points", "_ring")

    def __init__(self, senses: Senses) -> None:
        super().__init__(senses)
        self._points: Mapping[Node, tuple[int, ...]] = {}
        self._ring: Sequence[int] = ()
        self._owners: Sequence[Node] = ()

    def _find(self, key: bytes, usable: Collection[Node]) -> Node:
        owners = self._owners
        place = bisect_left(self._ring, hashed(key))
        if place == len(owners):
            place = 0
        node = owners[place]
        while node not in usable:
            place += 1
            if place == len(owners):
                place = 0
            node = owners[place]
        return node

    def _build(self, members: Members) -> None:
        counts = points_by_weight([weight for _, weight in members])
        known = self._points
        points: dict[Node, tuple[int, ...]] = {}
        owner: dict[int, Node] = {}
        for (node, _), count in zip(members, counts, strict=True):
            found = known.get(node, ())
            if len(found) != count:
                found = sequence(str(node.endpoint), count)
            points[node] = found
            owner.update(dict.fromkeys(found, node))
        self._points = points
        self._ring = sorted(owner)
        self._owners = [owner[point] for point in self._ring]


def points_by_weight(weights: Sequence[int]) -> Sequence[int]:
    """Returns how many points nodes of these weights have, at least one each."""
    usual = 2.0 ** round(log2(sum(weights) / len(weights)))
    return [max(1, round(POINTS * weight / usual)) for weight in weights]
