"""Balancers: which of some nodes takes a call.

Each policy is a module. A balancer is told which nodes there are, and which of them may take calls
now, whenever that changes; with every call it picks one. It decides by what it is given (nodes,
random numbers, a clock), so that it can be simulated; which nodes may take calls is `standing`'s to
say. `tests/upstream/balancers` holds what all of them promise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.upstream.node import Node


@dataclass(frozen=True, slots=True)
class Senses:
    """What a balancer decides by, beside its nodes.

    Attributes:
        clock: The event loop's, in seconds.
        random: Returns a number in [0, 1).
    """

    clock: Callable[[], float]
    random: Callable[[], float]


class Balancer(Protocol):
    """A policy at work, for one set of nodes."""

    def update(self, members: Sequence[Node], usable: Sequence[Node]) -> None:
        """Takes over which nodes there are.

        Args:
            members: All nodes of the set, those that take no calls too; in the order in which they
                are listed.
            usable: Those of them that may be picked, at least one; in the same order.
        """

    def pick(self, key: bytes | None, avoid: Collection[Node]) -> Node | None:
        """Returns the node that takes the next call; None where all usable ones are to be avoided.

        Args:
            key: What calls that are to go to one node have in common; None for nothing. Balancers
                that hash pick at random then, by weight; the others ignore it.
            avoid: Nodes on which this call was tried before.
        """
