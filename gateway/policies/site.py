"""Whose an address is: what is counted together of a network's clients.

An IPv4 address is one client's, as far as can be known. Of IPv6 a site has a /64 at the least, and
all the addresses in it (RFC 6177).
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Final

_SITE: Final = 64  # bits of an IPv6 address that tell sites apart (RFC 6177)


def site_of(address: str) -> str:
    """Returns what is counted together: an IPv4 address, or the /64 of an IPv6 one."""
    if ":" not in address:
        return address
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> _SITE << _SITE))
