"""Random: any node, as often as its weight says, whatever came before."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate

from gateway.upstream.balancers import Senses
from gateway.upstream.node import Node


class AtRandom:
    """Picks at random (`gateway.upstream.balancers.Balancer`)."""

    __slots__ = ("_random", "_sums", "_usable")

    def __init__(self, senses: Senses) -> None:
        self._random = senses.random
        self._usable: Sequence[Node] = ()
        self._sums: Sequence[float] = ()

    def update(self, members: Sequence[Node], usable: Sequence[Node]) -> None:  # noqa: ARG002
        """See Balancer."""
        self._usable = usable
        self._sums = _sums(usable)

    def pick(self, key: bytes | None, avoid: Collection[Node]) -> Node | None:  # noqa: ARG002
        """See Balancer."""
        usable, sums = self._usable, self._sums
        if avoid:
            usable = [node for node in usable if node not in avoid]
            sums = _sums(usable)
        if not usable:
            return None
        # Rounding may make the product the sum of all.
        place = bisect_right(sums, self._random() * sums[-1])
        return usable[min(place, len(usable) - 1)]


def _sums(nodes: Sequence[Node]) -> Sequence[float]:
    """Returns the sums of the weights up to each node."""
    return list(accumulate(node.weight for node in nodes))
