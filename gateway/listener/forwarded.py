"""Who the client is behind trusted proxies: `Forwarded` (RFC 7239) and `X-Forwarded-*`.

Each proxy appends the address that it was called from. So the chain is read from its right end: as
long as an address is a trusted proxy's, the one before it is believed; the first that is not is the
client's. What a client writes itself stands to the left of that, and is never believed.

Where both headers are present, `X-Forwarded-For` counts: nearly every proxy maintains it, and many
pass a client's own `Forwarded` on unread.

A proxy is known by its network, or by coming over a Unix socket, where there are no addresses: who
may connect to that is decided by the file's permissions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from gateway.http import Headers

UNIX: Final = "unix"
"""The word for all who connect by a Unix socket."""

_SCHEMES = frozenset({"http", "https"})
_PROXYS = ("x-forwarded-for", "forwarded", "x-forwarded-proto")
# RFC 7239 section 4: forwarded-pair, with a quoted string's escapes left in.
_PAIR = re.compile(r'\s*([!#$%&\'*+\-.^_`|~\w]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*))\s*', re.ASCII)


class Proxies(NamedTuple):
    """Those that are believed.

    Attributes:
        networks: Where they connect from.
        unix: Whether they are who connects by a Unix socket.
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    def __bool__(self) -> bool:
        return self.unix or bool(self.networks)


class Origin(NamedTuple):
    """Where a request comes from: the client's address, and the scheme that it used."""

    peer: str
    scheme: str


class _Hop(NamedTuple):
    address: str | None
    scheme: str | None


def proxies(texts: Iterable[str]) -> Proxies:
    """Reads CIDRs (a lone address is a network of one), and the word `unix`.

    Raises:
        ValueError: A text is neither.
    """
    told = tuple(texts)
    return Proxies(tuple(ip_network(text) for text in told if text != UNIX), UNIX in told)


def plain(text: str) -> str | None:
    """Returns an address without port, brackets and zone, IPv4 as IPv4; None for no address."""
    text = text.strip()
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        if not bracket or (port and not re.fullmatch(r":[0-9]{1,5}", port)):
            return None
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def trusts(trusted: Proxies, peer: str) -> bool:
    """Returns whether one who connects is believed.

    Args:
        trusted: Who is.
        peer: A plain address; empty for a Unix socket.
    """
    if not peer:
        return trusted.unix
    if not trusted.networks:
        return False
    found = ip_address(peer)
    return any(found in network for network in trusted.networks)


def origin(peer: str, scheme: str, headers: Headers, trusted: Proxies) -> Origin:
    """Returns where a request comes from.

    Args:
        peer: The plain address that the connection comes from; empty for a Unix socket.
        scheme: The connection's own scheme.
        headers: The request's fields.
        trusted: The proxies that are believed.
    """
    if not trusts(trusted, peer):
        return Origin(peer, scheme)
    found = Origin(peer, scheme)
    for hop in reversed(_hops(headers)):
        if hop.scheme in _SCHEMES:
            found = found._replace(scheme=hop.scheme)
        if hop.address is None:  # `unknown`, an obfuscated name, or nonsense: nobody further left
            break
        found = found._replace(peer=hop.address)
        if not trusts(trusted, hop.address):
            break
    return found


def passes_on(peer: str, headers: Headers, trusted: Proxies) -> bool:
    """Whether a request is another's, which a proxy that is believed passes on.

    Args:
        peer: As of `origin`.
        headers: The request's fields.
        trusted: The proxies that are believed.
    """
    return trusts(trusted, peer) and any(name in headers for name in _PROXYS)


def _hops(headers: Headers) -> list[_Hop]:
    """Returns the proxies' words, the client's side first."""
    addresses = _listed(headers, "x-forwarded-for")
    schemes: list[str | None] = [text.lower() for text in _listed(headers, "x-forwarded-proto")]
    if addresses:
        if len(schemes) != len(addresses):
            # Most proxies keep one scheme, not a list: the last that was told holds for all.
            schemes = [schemes[-1] if schemes else None] * len(addresses)
        return [_Hop(plain(text), told) for text, told in zip(addresses, schemes, strict=True)]
    if forwarded := ",".join(headers.all("forwarded")):
        return _forwarded(forwarded)
    return [_Hop(None, schemes[-1])] if schemes else []


def _listed(headers: Headers, name: str) -> list[str]:
    """Returns the members of a comma-separated field, over all of its lines."""
    texts = ",".join(headers.all(name)).split(",")
    return [] if texts == [""] else [text.strip() for text in texts]


def _forwarded(value: str) -> list[_Hop]:
    """Reads `Forwarded`; what precedes something unreadable is not believed."""
    hops: list[_Hop] = []
    pairs: dict[str, str] = {}
    at = 0
    while at < len(value):
        if match := _PAIR.match(value, at):
            name, quoted, token = match.groups()
            text = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            pairs.setdefault(name.lower(), text)
            at = match.end()
        if at == len(value):
            break
        if value[at] == ",":
            hops.append(_hop(pairs))
            pairs = {}
        elif value[at] != ";":
            # Unreadable: drop what was read, and go on after the next comma.
            hops.clear()
            pairs = {}
            comma = value.find(",", at)
            if comma < 0:
                return [_Hop(None, None)]
            hops.append(_Hop(None, None))
            at = comma
        at += 1
    hops.append(_hop(pairs))
    return hops


def _hop(pairs: dict[str, str]) -> _Hop:
    return _Hop(plain(pairs.get("for", "")), pairs.get("proto", "").lower() or None)
