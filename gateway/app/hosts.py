"""What each host name of the config serves: `hosts`, and which of its fronts a request is for.

A request says a host by its `Host`, or by the authority of its target. A name that is no host of
the config is refused, as is one that says another of its hosts than its client asked TLS for: it
came over a connection that was not made for it (RFC 9110 section 15.5.20).
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from gateway.app.front_builder import FrontBuilder, Served
from gateway.app.fronts import Fronts
from gateway.app.places import of_key
from gateway.call import RpcError
from gateway.config import Config, Source, matches
from gateway.config.naming import meant
from gateway.errors import error
from gateway.http import Exchange, Request
from gateway.routing.hosts import HostTable

_UNKNOWN: Final = "This host name is not served here."
_MISDIRECTED: Final = (
    "The connection was made for another host name: the name that TLS was asked for is not that "
    "of the request."
)


class Site(NamedTuple):
    """A host of the config.

    Attributes:
        name: Its name there: `api.example`, `*.admin.example`.
        fronts: What it serves; hosts that serve the same share them.
    """

    name: str
    fronts: Fronts


class Hosts:
    """The hosts of a config. Immutable.

    Args:
        sites: All of them, one at least.

    Attributes:
        sites: By name, in the order of the config.
    """

    __slots__ = ("_forms", "_table", "sites")

    def __init__(self, sites: Iterable[Site]) -> None:
        self.sites: Mapping[str, Site] = {each.name: each for each in sites}
        self._table = HostTable(self.sites)
        every = [each.fronts for each in self.sites.values()]
        # What no host takes is refused in the form of the front that its path is of.
        self._forms = next((each for each in every if each.graphql is not None), every[0])

    @property
    def first(self) -> Fronts:
        """What the first host of the config serves."""
        return next(iter(self.sites.values())).fronts

    def named(self, name: str) -> Site | None:
        """Returns the host of a name, its own in the config or one that it stands for."""
        return self.sites.get(name.lower()) or self._table.find(name)

    def fronts(self, request: Request) -> Fronts | None:
        """Returns what the host of a request serves; None where that is no host of the config."""
        site = self._table.find(request.authority)
        return None if site is None else site.fronts

    def handle(self, exchange: Exchange) -> None:
        """Answers a request (`gateway.http.Handler`)."""
        request = exchange.request
        site = self._table.find(request.authority)
        if site is None:
            self.refuse(exchange, error("UNKNOWN_HOST", _UNKNOWN))
            return
        if request.server_name:
            asked = self._table.find(request.server_name)
            if asked is not None and asked is not site:
                self.refuse(exchange, error("UNKNOWN_HOST", _MISDIRECTED))
                return
        site.fronts.handle(exchange)

    def refuse(self, exchange: Exchange, failure: RpcError) -> None:
        """Answers a request with an error, in the form of the front whose path it has."""
        self._forms.refuse(exchange, failure)


def hosts_of(
    config: Config, services: Collection[str], builder: FrontBuilder
) -> Generator[None, None, Hosts | None]:
    """Builds what each host serves; None where the config has no hosts.

    Yields where others may have their turn.

    Args:
        config: The config.
        services: Full names of those that have an upstream.
        builder: Builds their fronts; has what is wrong with them.
    """
    served = {
        name: Served(
            frozenset(service for service in services if _is_of(host.services, service)),
            host.rest,
            host.graphql,
            host.websocket,
        )
        for name, host in config.hosts.items()
    }
    for each in sorted(set(served.values()), key=lambda each: -len(each.services)):
        yield from builder.fronts(each)
    if not served:
        return None
    sites = []
    for name, each in served.items():
        sites.append(Site(name, (yield from builder.fronts(each))))
    return Hosts(sites)


def unknown_services(config: Config, source: Source, known: Collection[str]) -> Iterator[str]:
    """Yields a line for each service that a host names and no proto has.

    Args:
        config: The config.
        source: Its lines.
        known: Full names of all services of the protos.
    """
    for name, host in config.hosts.items():
        for index, text in enumerate(host.services):
            if "*" not in text and text not in known:
                path = ("hosts", name, "services", index)
                yield of_key(
                    path, f"no proto has a service {text}; {meant(text, [*known])}", source
                )


def idle_hosts(hosts: Hosts | None, source: Source) -> Iterator[str]:
    """Yields a line for each host at which nothing can be called."""
    if hosts is None:
        return
    for name, site in hosts.sites.items():
        fronts = site.fronts
        if not fronts.methods:
            text = "nothing is served: no service that has an upstream matches"
            yield of_key(("hosts", name), text, source)
        elif fronts.rest is None and fronts.graphql is None and fronts.websocket is None:
            yield of_key(("hosts", name), "nothing is served: no front is on", source)


def hostless(hosts: Hosts | None, services: Iterable[str]) -> list[str]:
    """Returns the services that have an upstream and are served at no host."""
    if hosts is None:
        return []
    served = {
        method.descriptor.service
        for site in hosts.sites.values()
        for method in site.fronts.methods.values()
    }
    return [each for each in services if each not in served]


def _is_of(patterns: Iterable[str], service: str) -> bool:
    return any(matches(pattern, service) for pattern in patterns)
