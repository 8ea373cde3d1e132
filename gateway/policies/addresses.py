"""Who may call at all, by the client's address.

It stands before everything else: whoever is refused here costs a look-up, and learns nothing of
what is served. It does not know which address is the client's: behind proxies that is for the
listener to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import Final, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

REMEMBERED: Final = 16_384
"""Addresses whose answer is remembered: those that were asked for last."""

_MAPPED: Final = IPv6Network("::ffff:0:0/96")
"""The addresses of IPv4 as addresses of IPv6 (RFC 4291 section 2.5.5.2)."""


def admitted_by(allow: Iterable[Network], deny: Iterable[Network]) -> Callable[[str], bool]:
    """Returns what says of a client's address whether it may call, and remembers it.

    It takes an address as text: `203.0.113.7`, `2001:db8::1`; one of IPv4 is never told as one that
    is mapped into IPv6. The empty text is a client without one, over a Unix socket, which no
    network holds.

    Args:
        allow: The networks that may; empty for all.
        deny: Those that may not, be they in `allow` or not.
    """
    allowed, denied = tuple(map(_plain, allow)), tuple(map(_plain, deny))

    def admits(text: str) -> bool:
        if not text:
            return not allowed
        address = ip_address(text)
        if any(address in network for network in denied):
            return False
        return not allowed or any(address in network for network in allowed)

    return lru_cache(REMEMBERED)(admits)


def _plain(network: Network) -> Network:
    """Returns a network of mapped addresses as the network of IPv4 that it is; others as given."""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        start = IPv4Address(int(network.network_address) & 0xFFFF_FFFF)
        return IPv4Network((start, network.prefixlen - _MAPPED.prefixlen))
    return network
