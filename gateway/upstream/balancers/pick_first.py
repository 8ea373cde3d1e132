"""Pick first: one node takes all calls, for as long as it can; the others stand by.

The next is the first of those listed (gRFC A62, without its shuffling: who wants calls spread over
the nodes has other policies). It does not go back to one that was listed before it. A node that
connects anew, as when its server asks for that, is kept until that has failed (`levels`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gateway.upstream.balancers import Senses
from gateway.upstream.node import Node


class PickFirst:
    """Stays with one node (`gateway.upstream.balancers.Balancer`)."""

    __slots__ = ("_first", "_usable")

    def __init__(self, senses: Senses) -> None:  # noqa: ARG002  as all balancers are made
        self._usable: Sequence[Node] = ()
        self._first: Node | None = None

    def update(self, members: Sequence[Node], usable: Sequence[Node]) -> None:  # noqa: ARG002
        """See Balancer."""
        self._usable = usable
        if self._first not in usable:
            self._first = min(usable, key=lambda node: node.rank)

    def pick(self, key: bytes | None, avoid: Collection[Node]) -> Node | None:  # noqa: ARG002
        """See Balancer."""
        if self._first not in avoid:
            return self._first
        return next((node for node in self._usable if node not in avoid), None)
