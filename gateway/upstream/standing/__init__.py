"""Which nodes of an upstream may take calls now, and which of them takes the next one.

What may be is decided when something has changed (`levels`, `zones`, `weights`), and laid down in
tiers: sets of nodes that each have a balancer and a share of the calls. With a call there is a
tier to be drawn, where there are several, and its balancer to be asked.

Calls with a key that matters go by tiers of their own: a key's node is the same for gateways in all
zones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from gateway.upstream.balancers import Balancer, Senses
from gateway.upstream.balancers.hashing import SPACE, hashed
from gateway.upstream.balancers.policies import POLICIES
from gateway.upstream.balancers.ring_hash import RingHash
from gateway.upstream.node import Node
from gateway.upstream.spec import BalancingSpec
from gateway.upstream.standing.levels import Level, levels_of
from gateway.upstream.standing.weights import Weights
from gateway.upstream.standing.zones import Zone, zone_shares

_WHOLE = "*"
"""Stands for all zones of a level."""

_Place: TypeAlias = tuple[int, Zone]


class Tier(NamedTuple):
    """Nodes that are picked among.

    Attributes:
        upto: The share of the calls that this tier and those before it take.
        balancer: Which of the nodes takes a call.
    """

    upto: float
    balancer: Balancer


class _Kept(NamedTuple):
    """A balancer, and the nodes that it was given: for as long as these are those of its place."""

    balancer: Balancer
    members: Sequence[Node]


class Standing:
    """The order of an upstream's nodes.

    Attributes:
        pressed: The nodes that take calls though they are out, for too few others do: panic.

    Args:
        spec: Which of them takes a call.
        senses: What balancers decide by.
    """

    def __init__(self, spec: BalancingSpec, senses: Senses) -> None:
        self._policy = POLICIES[spec.policy]
        self._spec = spec
        self._senses = senses
        self._weights = Weights(spec, vary=self._policy.spreads)
        self._nodes: Sequence[Node] = ()
        self._due: float | None = None
        self.pressed: Collection[Node] = frozenset()
        self._tiers: Sequence[Tier] = ()
        self._keyed: Sequence[Tier] | None = None
        self._balancers: dict[_Place, _Kept] = {}
        self._rings: dict[_Place, _Kept] = {}

    def update(self, nodes: Sequence[Node]) -> None:
        """Takes over which nodes there are, and how each does."""
        self._nodes = nodes
        self._due = self._weights.settle(nodes, self._senses.clock())
        stays = not (self._policy.keyed or self._policy.spreads)
        levels = levels_of(nodes, self._spec.panic_threshold, patient=stays)
        if stays:
            levels = [level._replace(share=1.0) for level in levels[:1]]
        self.pressed = frozenset(node for level in levels for node in level.usable if node.out)
        whole = [(level.share, level, _WHOLE) for level in levels]
        parts = whole if self._spec.zone is None else list(_by_zone(levels, self._spec.zone))
        self._tiers, self._balancers = self._laid(parts, self._balancers, self._policy.make)
        if self._policy.keyed:
            self._keyed = self._tiers
        elif self._spec.sticky:
            self._keyed, self._rings = self._laid(whole, self._rings, RingHash)

    def pick(self, key: bytes | None, avoid: Collection[Node]) -> Node | None:
        """Returns the node that takes the next call; None where all are to be avoided.

        Args:
            key: What calls that are to go to one node have in common; None for nothing.
            avoid: Nodes on which this call was tried before.
        """
        if self._due is not None and self._senses.clock() >= self._due:
            self.update(self._nodes)
        tiers = self._tiers if key is None or self._keyed is None else self._keyed
        if not tiers:
            return None
        if len(tiers) == 1:
            node = tiers[0].balancer.pick(key, avoid)
        else:
            drawn = self._senses.random() if key is None else hashed(key, b"level") / SPACE
            tier = next((tier for tier in tiers if drawn < tier.upto), tiers[-1])
            node = tier.balancer.pick(key, avoid)
        return node if node is not None or not avoid else self._left(avoid)

    def _left(self, avoid: Collection[Node]) -> Node | None:
        """Returns a node that was not tried, though others come before it."""
        left = [
            node for node in self._nodes if node not in avoid and (self.pressed or not node.out)
        ]
        return min(
            left,
            key=lambda node: (bool(node.out), node.rank, node.listing.priority),
            default=None,
        )

    def _laid(
        self,
        parts: Sequence[tuple[float, Level, Zone]],
        before: Mapping[_Place, _Kept],
        make: Callable[[Senses], Balancer],
    ) -> tuple[Sequence[Tier], dict[_Place, _Kept]]:
        """Lays down tiers; a balancer that was there goes on.

        One of a place that has no share now is kept, for when that is well again: a table or a ring
        takes long to build.
        """
        listed: defaultdict[_Place, list[Node]] = defaultdict(list)
        for node in self._nodes:
            for zone in (_WHOLE, node.listing.zone):
                listed[node.listing.priority, zone].append(node)
        balancers = {at: kept for at, kept in before.items() if kept.members == listed[at]}
        tiers = []
        upto = 0.0
        for share, level, zone in parts:
            place = (level.priority, zone)
            balancer = before[place].balancer if place in before else make(self._senses)
            balancer.update(level.members, level.usable)
            balancers[place] = _Kept(balancer, level.members)
            upto += share
            tiers.append(Tier(upto, balancer))
        return tiers, balancers


def _by_zone(levels: Sequence[Level], own: str) -> Iterator[tuple[float, Level, Zone]]:
    """Yields the parts of levels that take calls, by zone, each with its share of the calls."""
    for level in levels:
        members: defaultdict[Zone, list[Node]] = defaultdict(list)
        usable: defaultdict[Zone, list[Node]] = defaultdict(list)
        for node in level.members:
            members[node.listing.zone].append(node)
        for node in level.usable:
            usable[node.listing.zone].append(node)
        # By what they can take now, not as listed: calls do not come to a cold zone all at once.
        capacity = {zone: sum(node.weight for node in usable[zone]) for zone in members}
        for zone, share in zone_shares(capacity, own).items():
            part = Level(level.priority, level.share * share, members[zone], usable[zone])
            yield part.share, part, zone
