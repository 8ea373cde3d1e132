"""Zones: how much of its calls a gateway keeps in its own zone, and where the rest goes.

A call within a zone is faster, and often cheaper. But where a zone has less than its share of the
backends, they would be asked for more than others; so its gateways keep what their backends can
take, and spread the rest over zones with more than their share (Envoy, "Zone aware routing").

The gateways of other zones are not known. They are taken to be as many in each zone that has
backends: so a zone's share of the calls is one in so many zones. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Zone: TypeAlias = "str | None"
"""A zone's name; None for those of which nobody says where they are."""


def zone_shares(capacity: Mapping[Zone, float], own: str) -> Mapping[Zone, float]:
    """Returns the share of this gateway's calls that each zone takes, in (0, 1]; they add up to 1.

    Args:
        capacity: What the backends of each zone can take now, 0 where none is usable; for None,
            those of which nobody says where they are. Not all are 0.
        own: The gateway's zone.
    """
    whole = sum(capacity.values())
    zones = {zone for zone in capacity if zone is not None} | {own}
    fair = 1 / len(zones)
    kept = min(1.0, capacity.get(own, 0.0) / whole / fair)
    if kept > 1 - 1e-9:
        return {own: 1.0}
    # Whose gateways ask for less than it can take; nobody's are where those without a zone are.
    spare = {
        zone: max(0.0, size / whole - (0.0 if zone is None else fair))
        for zone, size in capacity.items()
        if zone != own
    }
    total = sum(spare.values())
    shares: dict[Zone, float] = {own: kept} if kept else {}
    shares |= {zone: (1 - kept) * part / total for zone, part in spare.items() if part}
    return shares
