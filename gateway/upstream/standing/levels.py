"""Levels: which priorities of an upstream take which share of its calls, and which of their nodes.

Envoy's rules ("Priority levels", "Panic threshold"), by weight:
- The first level takes all calls while 1/1.4 of it is available: it is taken to have that much
  more than it needs. With less, what it can't take goes to the next, and so on; and comes back.
- When all levels together are not enough, each takes its part of what there is. Where fewer than
  the panic threshold are well, all of the level are used: what is left would break down under the
  calls of all, or whoever says that they are not well is wrong.

A node is available when nobody took it out and its connection is no worse than the best of all.
Panic does not look at connections: to a node without one nothing can be sent. Where that is all
that is left, nodes that were taken out and can be reached are better, and used. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from gateway.upstream.channel import State
from gateway.upstream.node import Node

OVERPROVISIONED: Final = 1.4
"""How much more a level has than it needs (Envoy's overprovisioning factor)."""


class Level(NamedTuple):
    """The nodes of a priority that takes calls.

    Attributes:
        priority: Its number.
        share: Of the calls, in (0, 1].
        members: All its nodes.
        usable: Those that may be picked; at least one.
    """

    priority: int
    share: float
    members: Sequence[Node]
    usable: Sequence[Node]


def levels_of(nodes: Sequence[Node], threshold: float, *, patient: bool = False) -> Sequence[Level]:
    """Returns the levels that take calls, by their priority; none where no node may be asked.

    Args:
        nodes: In the order in which they are listed.
        threshold: The panic threshold, in percent; 0 for no panic.
        patient: Whether a node that was connected and connects again, as when its server asks for
            that, is as good as one that is connected: for a policy that stays with a node.
    """
    rank = _patiently if patient else _rank
    by: defaultdict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        by[node.listing.priority].append(node)
    priorities = sorted(by)
    members = [by[priority] for priority in priorities]
    well = [[node for node in level if not node.out] for level in members]
    if threshold and any(well) and not any(node.works for level in well for node in level):
        reached = [[node for node in level if not node.broken] for level in members]
        well = reached if any(reached) else well
    reach = min((rank(node) for level in well for node in level), default=0)
    usable = [[node for node in level if rank(node) <= reach] for level in well]

    parts = [
        weight_of(there) / weight_of(level) for there, level in zip(usable, members, strict=True)
    ]
    enough = sum(min(1.0, OVERPROVISIONED * part) for part in parts) >= 1
    panics = [
        not enough and weight_of(there) * 100 < weight_of(level) * threshold
        for there, level in zip(well, members, strict=True)
    ]
    if any(parts):
        shares = shares_of(parts)
    else:
        # Nobody is well: those in panic share the calls by what they would have.
        all_of = sum(
            weight_of(level) for level, panic in zip(members, panics, strict=True) if panic
        )
        shares = [
            weight_of(level) / all_of if panic else 0.0
            for level, panic in zip(members, panics, strict=True)
        ]
    return [
        Level(priority, share, level, best(level, rank) if panic else there)
        for priority, share, level, there, panic in zip(
            priorities, shares, members, usable, panics, strict=True
        )
        if share
    ]


def shares_of(parts: Sequence[float]) -> Sequence[float]:
    """Returns the share of the calls that each level takes.

    Args:
        parts: The part of each level that is available, in [0, 1]; not all 0.
    """
    health = [min(1.0, OVERPROVISIONED * part) for part in parts]
    total = min(1.0, sum(health))
    shares: list[float] = []
    left = 1.0
    for each in health:
        share = min(left, each / total)
        # What rounding leaves is no share.
        share = 0.0 if share < 1e-9 else share
        shares.append(share)
        left -= share
    return shares


def best(nodes: Sequence[Node], rank: Callable[[Node], int]) -> Sequence[Node]:
    """Returns those of some nodes whose connections are the best."""
    reach = min(map(rank, nodes))
    return [node for node in nodes if rank(node) == reach]


def _rank(node: Node) -> int:
    return node.rank


def _patiently(node: Node) -> int:
    again = node.state is State.CONNECTING and node.last is State.READY
    return 0 if again else node.rank


def weight_of(nodes: Sequence[Node]) -> int:
    """Returns what nodes can take, next to others: their weights as listed."""
    return sum(node.listing.weight for node in nodes)
