"""Weights: the share that each node is to have now, next to the others'.

As it is listed; or as the backend's load reports say (gRFC A58), where the operator wants that. A
node that has just begun has a tenth, which grows until it is warm (Envoy, "Slow start"): its caches
are empty, its code is not compiled. Weights are settled now and then, not with every call; nothing
here watches the time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.upstream.node import Node
from gateway.upstream.orca import LoadReportError, read
from gateway.upstream.spec import BalancingSpec

log = logging.getLogger("gateway.upstream")

COLD: Final = 0.1
"""The share of its weight that a node begins with."""

STEPS: Final = 20
"""In how many steps it grows."""

UPDATE: Final = 1.0
"""Seconds between two looks at load reports (A58, `weight_update_period`)."""

BLACKOUT: Final = 10.0
"""Seconds for which a node must have told of its load to be believed (A58, `blackout_period`)."""

EXPIRY: Final = 180.0
"""Seconds after which what it told is forgotten (A58, `weight_expiration_period`)."""

LEAST: Final = 0.01
MOST: Final = 10.0
"""Bounds of a reported weight, next to the mean: a backend that is wrong about itself still has
calls, and not all of them (gRPC's are the same)."""


@dataclass(slots=True)
class _Told:
    """What a backend has told of its load.

    Attributes:
        first: When it told, first, of late.
        last: When it told, last.
        weight: What follows from that.
        broken: Whether it sends what can't be read.
    """

    first: float = 0.0
    last: float = 0.0
    weight: float = 0.0
    broken: bool = False


class Weights:
    """Settles the weights of an upstream's nodes.

    Args:
        spec: Which of them takes a call.
        vary: Whether the policy can do with weights that change with time.
    """

    def __init__(self, spec: BalancingSpec, *, vary: bool) -> None:
        self._slow = spec.slow_start if vary else 0.0
        self._orca = spec.orca and vary
        self._told: dict[Node, _Told] = {}

    def settle(self, nodes: Sequence[Node], now: float) -> float | None:
        """Gives each node its weight.

        Returns:
            When they are to be settled again; None for not before something has changed.
        """
        bases = self._reported(nodes, now) if self._orca else None
        warming = False
        for node in nodes:
            node.reports = self._orca
            base = float(node.listing.weight) if bases is None else bases.get(node, 1.0)
            warmth = 1.0 if not self._slow else max(COLD, (now - node.began) / self._slow)
            if warmth < 1:
                warming = True
                base *= warmth
            node.weight = base
        times = [now + UPDATE] if self._orca else []
        if warming:
            times.append(now + self._slow / STEPS)
        return min(times, default=None)

    def _reported(self, nodes: Sequence[Node], now: float) -> dict[Node, float] | None:
        """Returns weights by load, 1 on average; None where fewer than two are known (A58)."""
        self._told = {node: self._told.get(node) or _Told() for node in nodes}
        known = {}
        for node, told in self._told.items():
            _take(node, told, now)
            if told.weight and now - told.first >= BLACKOUT:
                known[node] = told.weight
        if len(known) < 2:
            return None
        mean = sum(known.values()) / len(known)
        return {node: min(max(weight / mean, LEAST), MOST) for node, weight in known.items()}


def _take(node: Node, told: _Told, now: float) -> None:
    """Takes in what a backend has told since the last time."""
    data, node.load = node.load, None
    if told.weight and (now - told.last >= EXPIRY or node.began > told.first):
        told.weight = 0.0
    if data is None:
        return
    try:
        weight = read(data).weight
    except LoadReportError as failure:
        if not told.broken:
            told.broken = True
            log.warning("%s sends %s; its weight does not follow from it", node.endpoint, failure)
        return
    if weight:
        if not told.weight:
            told.first = now
        told.weight = weight
        told.last = now
