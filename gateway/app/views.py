"""A generation as clients of its hosts meet it: one view of hosts that serve the same.

Without hosts there is one view of a generation, for all names.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.app.fronts import Fronts
from gateway.app.generation import Generation
from gateway.app.hosts import Hosts, Site


class UnknownHostError(Exception):
    """There is no such host; the message says which there are."""


class View(NamedTuple):
    """What clients of some hosts meet, all of them the same.

    Attributes:
        hosts: Their names in the config; none where it has no hosts.
        generation: The generation as they meet it.
    """

    hosts: tuple[str, ...]
    generation: Generation


def views(generation: Generation, host: str | None = None) -> list[View]:
    """Returns the views of a generation, those of hosts that serve the same as one.

    Args:
        generation: It.
        host: Of which host alone: a name of the config, or one that it stands for.

    Raises:
        UnknownHostError: There is no such host.
    """
    hosts = generation.hosts
    if hosts is None:
        if host is not None:
            raise UnknownHostError("the config has no hosts: all names are served the same")
        return [View((), generation)]
    sites = hosts.sites.values() if host is None else [_named(hosts, host)]
    names: dict[Fronts, list[str]] = {}
    for site in sites:
        names.setdefault(site.fronts, []).append(site.name)
    return [View(tuple(each), generation.seen_at(each[0])) for each in names.values()]


def _named(hosts: Hosts, host: str) -> Site:
    found = hosts.named(host)
    if found is None:
        raise UnknownHostError(
            f"{host} is no host of the config; there are {', '.join(hosts.sites)}"
        )
    return found
