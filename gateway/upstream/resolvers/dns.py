"""Endpoints that are the addresses of a name: A or AAAA records, each with the same port.

An address stands for itself; the hosts file and `localhost` go before name servers, where these are
the system's. Of a name with both kinds of address, the IPv4 ones are endpoints, unless this machine
has no way there: a backend that has both would otherwise be two, and get twice the calls. Addresses
are in order, so that an answer in another order is the same set.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from gateway.upstream.endpoints import Endpoint, Listing, is_address
from gateway.upstream.resolvers import Found, UnresolvedError
from gateway.upstream.resolvers.asking import Answer, Asking, NothingError
from gateway.upstream.resolvers.hosts import addresses_of
from gateway.upstream.spec import DnsSpec

_HOSTS: Final = Path("/etc/hosts")


class Addresses:
    """Looks the addresses of names up.

    Args:
        asking: What asks name servers.
        hosts: The hosts file; None where names are for name servers alone.
        routed: Whether this machine has a way to an address.
    """

    def __init__(
        self,
        asking: Asking,
        hosts: Path | None = _HOSTS,
        routed: Callable[[str], bool] | None = None,
    ) -> None:
        self._asking = asking
        self._hosts = hosts
        self._routed = routed or is_routed

    async def of(self, name: str) -> tuple[tuple[str, ...], float | None]:
        """Returns the addresses of a name, and for how many seconds they hold, if that is said.

        Raises:
            NothingError: There are none.
            UnresolvedError: Nobody knows.
        """
        if is_address(name):
            return (name,), None
        known = addresses_of(name, await asyncio.to_thread(self._text))
        if known:
            return _usual(known), None
        answer = await self._asked(name)
        return answer.records, answer.ttl

    async def _asked(self, name: str) -> Answer:
        """Returns a name's addresses of one kind."""
        # A failure is the whole look's: another kind must not take the place of a set that is used.
        try:
            answer = await self._asking.ask(name, "A")
        except NothingError:
            return await self._asking.ask(name, "AAAA")
        if self._routed(answer.records[0]):
            return answer
        try:
            return await self._asking.ask(name, "AAAA")
        except UnresolvedError:
            return answer

    def _text(self) -> str:
        try:
            return "" if self._hosts is None else self._hosts.read_text(errors="replace")
        except OSError:
            return ""  # there need not be one


class AddressLook:
    """Looks the addresses of a name up (`gateway.upstream.resolvers.Look`).

    Args:
        spec: The name, with its port.
        addresses: What looks; by default as the spec says.
    """

    def __init__(self, spec: DnsSpec, addresses: Addresses | None = None) -> None:
        assert spec.port is not None, "a name without a port is one of SRV records"
        self._name, self._port = spec.name, spec.port
        self._addresses = addresses or addresses_by(spec)

    async def __call__(self) -> Found:
        """See Look."""
        name: str | None = self._name.rstrip(".")
        addresses, ttl = await self._addresses.of(self._name)
        if addresses == (name,):
            name = None
        return Found(
            tuple(Listing(Endpoint(each, self._port, name)) for each in in_order(addresses)), ttl
        )


def addresses_by(spec: DnsSpec) -> Addresses:
    """Returns what looks addresses up as a spec says."""
    return Addresses(Asking(spec.servers), None if spec.servers else _HOSTS)


def in_order(addresses: tuple[str, ...]) -> list[str]:
    """Returns addresses of one kind in order, each once, and in its one form."""
    return [str(each) for each in sorted({ip_address(each) for each in addresses}, key=int)]


def is_routed(address: str) -> bool:
    """Tells whether this machine has a way to an address. Nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))  # connect(2): of datagrams, it only looks for the way
    except OSError:
        return False
    return True


def _usual(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the IPv4 ones; all where there are none."""
    return tuple(each for each in addresses if ":" not in each) or addresses
