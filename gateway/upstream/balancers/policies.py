"""The policies by which an upstream's calls are spread, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from gateway.upstream.balancers import Balancer, Senses
from gateway.upstream.balancers.at_random import AtRandom
from gateway.upstream.balancers.least_request import LeastRequest
from gateway.upstream.balancers.maglev import Maglev
from gateway.upstream.balancers.pick_first import PickFirst
from gateway.upstream.balancers.ring_hash import RingHash
from gateway.upstream.balancers.round_robin import RoundRobin


class Policy(NamedTuple):
    """A policy.

    Attributes:
        make: Makes its balancer.
        keyed: Whether calls go by their keys.
        spreads: Whether calls go to all nodes, by weights that may change with time (slow start,
            load reports), and to those of a zone first.
    """

    make: Callable[[Senses], Balancer]
    keyed: bool = False
    spreads: bool = False


POLICIES: Final[Mapping[str, Policy]] = {
    "least_request": Policy(LeastRequest, spreads=True),
    "round_robin": Policy(RoundRobin, spreads=True),
    "random": Policy(AtRandom, spreads=True),
    "ring_hash": Policy(RingHash, keyed=True),
    "maglev": Policy(Maglev, keyed=True),
    "pick_first": Policy(PickFirst),
}
