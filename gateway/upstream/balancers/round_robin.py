"""Round robin, weighted and smooth: each in turn, as often as its weight says, evenly apart.

nginx's "smooth weighted round robin" looks at all nodes with every pick. This gives each node the
time at which its next turn is due, one turn every 1/weight, and takes the earliest (Envoy's "EDF"
scheduler): the shares and the smoothness are the same, and a pick looks at a few nodes of a
thousand.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from heapq import heapify, heappop, heappush, heapreplace
from typing import TypeAlias

from gateway.upstream.balancers import Senses
from gateway.upstream.node import Node

_Turn: TypeAlias = tuple[float, int, Node]
"""When a node's next turn is, its place among the others, and the node."""


class RoundRobin:
    """Takes usable nodes in turn (`gateway.upstream.balancers.Balancer`)."""

    __slots__ = ("_now", "_random", "_turns")

    def __init__(self, senses: Senses) -> None:
        self._random = senses.random
        self._turns: list[_Turn] = []
        self._now = 0.0

    def update(self, members: Sequence[Node], usable: Sequence[Node]) -> None:  # noqa: ARG002
        """See Balancer."""
        # Whoever waits for its turn goes on waiting, and nobody is first for being listed first.
        waits = {node: when - self._now for when, _, node in self._turns}
        self._now = 0.0
        turns: list[_Turn] = []
        for place, node in enumerate(usable):
            turn = 1 / node.weight
            wait = waits.get(node)
            when = self._random() * turn if wait is None else min(wait, turn)
            turns.append((when, place, node))
        heapify(turns)
        self._turns = turns

    def pick(self, key: bytes | None, avoid: Collection[Node]) -> Node | None:  # noqa: ARG002
        """See Balancer."""
        turns = self._turns
        if not turns:
            return None
        if avoid:
            return self._other(avoid)
        when, place, node = turns[0]
        self._now = when
        heapreplace(turns, (when + 1 / node.weight, place, node))
        return node

    def _other(self, avoid: Collection[Node]) -> Node | None:
        """Gives the next turn to a node not to be avoided; those that are keep theirs."""
        turns = self._turns
        passed: list[_Turn] = []
        picked: Node | None = None
        while turns and picked is None:
            turn = heappop(turns)
            when, place, node = turn
            if node in avoid:
                passed.append(turn)
                continue
            picked = node
            passed.append((when + 1 / node.weight, place, node))
        for turn in passed:
            heappush(turns, turn)
        return picked
