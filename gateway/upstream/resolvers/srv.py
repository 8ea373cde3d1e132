"""Endpoints that SRV records list (RFC 2782): hosts with ports, weights and priorities.

Calls are for the name without its first labels: `_grpc._tcp.orders.example` lists the backends of
`orders.example`, and their certificates must have that name. The names of the hosts come from an
answer that anybody on the way may have forged, and so prove nothing (RFC 6125, 1.8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import dropwhile
from typing import Final, NamedTuple

from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.resolvers import Found, UnresolvedError
from gateway.upstream.resolvers.asking import MOST, Asking, NothingError
from gateway.upstream.resolvers.dns import Addresses, addresses_by, in_order
from gateway.upstream.spec import DnsSpec

_AT_ONCE: Final = 16  # hosts that are looked up together


class Service(NamedTuple):
    """An SRV record."""

    priority: int
    weight: int
    port: int
    target: str

    @classmethod
    def parse(cls, text: str) -> Service:
        """Reads a record as zone files have it: `10 5 50051 a.orders.example.`."""
        priority, weight, port, target = text.split()
        return cls(int(priority), int(weight), int(port), target.lower())


class ServiceLook:
    """Looks the SRV records of a name up (`gateway.upstream.resolvers.Look`).

    Args:
        spec: The name.
        asking: What asks name servers; by default as the spec says.
        addresses: What looks up hosts; by default as the spec says.
    """

    def __init__(
        self, spec: DnsSpec, asking: Asking | None = None, addresses: Addresses | None = None
    ) -> None:
        self._spec = spec
        self._asking = asking or Asking(spec.servers)
        self._addresses = addresses or addresses_by(spec)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self) -> Found:
        """See Look. A host without addresses is left out; one that nobody knows of is a failure."""
        answer = await self._asking.ask(self._spec.name, "SRV")
        # "." says that there is no such service here; nothing can be reached at port 0.
        services = [
            each for each in map(Service.parse, answer.records) if each.target != "." and each.port
        ]
        hosts = {each.target: answer.beside.get(each.target, ()) for each in services}
        ttls: list[float | None] = [answer.ttl, *map(answer.ttls.get, hosts)]
        unknown = [target for target, addresses in hosts.items() if not addresses]
        looks = await asyncio.gather(*map(self._host, unknown), return_exceptions=True)
        for target, found in zip(unknown, looks, strict=True):
            if isinstance(found, BaseException):
                if not isinstance(found, NothingError):
                    raise found
            else:
                hosts[target], ttl = found
                ttls.append(ttl)
        listings = tuple(listings_of(services, hosts, domain_of(self._spec.name)))
        if not listings:
            raise NothingError("no host of its SRV records has an address")
        if len(listings) > MOST:
            raise UnresolvedError(f"its SRV records have more than {MOST} addresses")
        return Found(listings, min(ttl for ttl in ttls if ttl is not None))

    async def _host(self, target: str) -> tuple[tuple[str, ...], float | None]:
        async with self._turn:
            return await self._addresses.of(target)


def listings_of(
    services: Iterable[Service], hosts: dict[str, tuple[str, ...]], domain: str
) -> Iterator[Listing]:
    """Yields what records list, in order; an address that several list is the first one's.

    Args:
        services: The records.
        hosts: The addresses of their hosts.
        domain: Whose backends they are.
    """
    seen: set[Endpoint] = set()
    for priority, weight, port, target in sorted(services):
        for address in in_order(hosts[target]):
            endpoint = Endpoint(address, port, domain)
            if endpoint not in seen:
                seen.add(endpoint)
                # 0 is for "a very small chance"; nothing is smaller than 1 here.
                yield Listing(endpoint, max(1, weight), None, priority)


def domain_of(name: str) -> str:
    """Returns whose service a name of SRV records is: `_grpc._tcp.orders.example`'s is orders'."""
    labels: Sequence[str] = name.rstrip(".").split(".")
    return ".".join(dropwhile(lambda label: label.startswith("_"), labels))
