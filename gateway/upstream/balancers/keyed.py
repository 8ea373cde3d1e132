"""What balancers that hash have in common: keys have places, and calls without a key go by weight.

Places follow from which nodes are listed and with which weights; they are made anew only when that
changes, not when a node takes no calls for a while.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from gateway.upstream.balancers import Senses
from gateway.upstream.balancers.at_random import AtRandom
from gateway.upstream.node import Node

Members = Sequence[tuple[Node, int]]
"""Nodes with their weights as listed."""


class Keyed(ABC):
    """Picks by key (`gateway.upstream.balancers.Balancer`)."""

    __slots__ = ("_members", "_unkeyed", "_usable", "_usables")

    def __init__(self, senses: Senses) -> None:
        self._unkeyed = AtRandom(senses)
        self._members: Members = ()
        self._usable: Sequence[Node] = ()
        self._usables: Collection[Node] = frozenset()

    @abstractmethod
    def _build(self, members: Members) -> None:
        """Makes the places of keys: other nodes are listed, or with other weights."""

    @abstractmethod
    def _find(self, key: bytes, usable: Collection[Node]) -> Node:
        """Returns the node of a key, one of those that are usable; there is one."""

    def update(self, members: Sequence[Node], usable: Sequence[Node]) -> None:
        """See Balancer."""
        self._usable = usable
        self._usables = frozenset(usable)
        self._unkeyed.update(members, usable)
        listed = [(node, node.listing.weight) for node in members]
        if listed != self._members:
            self._members = listed
            self._build(listed)

    def pick(self, key: bytes | None, avoid: Collection[Node]) -> Node | None:
        """See Balancer."""
        if key is None:
            return self._unkeyed.pick(None, avoid)
        usable = self._usables
        if avoid:
            usable = frozenset(node for node in self._usable if node not in avoid)
        return self._find(key, usable) if usable else None
