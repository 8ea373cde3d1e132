"""Which requests somebody wants to see: a filter of a few conditions, all of which must hold. Pure.

It is asked with the traits of a row (`rows.Row`), so that it says the same of what is kept and of
what is live.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import translate
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final, NamedTuple

_CLASS: Final = re.compile(r"[1-5]xx")
_NUMBER: Final = re.compile(r"[1-5][0-9][0-9]")
_CODE: Final = re.compile(r"[A-Z_]{2,32}")
_LONGEST: Final = 200

NAMES: Final = ("method", "status", "principal", "front", "peer")
FRONTS: Final = ("rest", "graphql", "websocket")


class FilterError(ValueError):
    """A condition that can't be read.

    Attributes:
        name: The condition's.
    """

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name}: expected {expected}.")
        self.name = name


class Traits(NamedTuple):
    """What a request is known by; a small thing, for there is one for each that is kept.

    Attributes:
        methods: Names of RPCs, with dots alone.
        status: Of HTTP; 0 of what is no request.
        code: The name of a gRPC code.
        principal: A subject.
        front: Who answered; empty for nobody.
        peer: The client's address.
        seconds: How long it took.
    """

    methods: tuple[str, ...]
    status: int
    code: str | None
    principal: str | None
    front: str
    peer: str
    seconds: float


def traits_of(row: Mapping[str, Any]) -> Traits:
    """Returns what a request is known by.

    Args:
        row: See `rows.Row`.
    """
    return Traits(
        tuple(row["methods"]), row["status"], row["code"], row["principal"], row["front"],
        row["peer"], row["seconds"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter.

    Attributes:
        method: Matches the name of an RPC, or the end of it after a `/` or a dot.
        status: `404`, `5xx`, or the name of a gRPC code.
        principal: A subject.
        front: A front.
        peer: Addresses of clients.
        slower: Seconds that it took at least.
    """

    method: re.Pattern[str] | None = None
    status: str | None = None
    principal: str | None = None
    front: str | None = None
    peer: IPv4Network | IPv6Network | None = None
    slower: float = 0.0

    def wants(self, each: Traits) -> bool:
        """Whether a request is wanted."""
        if each.seconds < self.slower:
            return False
        if self.front is not None and each.front != self.front:
            return False
        if self.principal is not None and each.principal != self.principal:
            return False
        if self.status is not None and not _has(each, self.status):
            return False
        if self.peer is not None and not _within(each.peer, self.peer):
            return False
        method = self.method
        return method is None or any(method.fullmatch(name) for name in each.methods)


ALL: Final = Wanted()


def wanted_of(given: Mapping[str, str], slower: float = 0.0) -> Wanted:
    """Returns the filter of conditions by name; those of NAMES are looked at.

    Raises:
        FilterError: One can't be read.
    """
    method, status = given.get("method"), given.get("status")
    front, peer = given.get("front"), given.get("peer")
    if status is not None and not any(form.fullmatch(status) for form in (_CLASS, _NUMBER, _CODE)):
        raise FilterError("status", "404, 5xx or a gRPC code such as NOT_FOUND")
    if front is not None and front not in FRONTS:
        raise FilterError("front", f"one of {', '.join(FRONTS)}")
    network = None
    if peer is not None:
        try:
            network = ip_network(peer, strict=False)
        except ValueError:
            raise FilterError("peer", "an address or a network such as 10.0.0.0/8") from None
    return Wanted(
        None if method is None else _glob(method),
        status,
        given.get("principal"),
        front,
        network,
        slower,
    )


def _glob(text: str) -> re.Pattern[str]:
    if len(text) > _LONGEST or text.count("*") > 4:
        raise FilterError("method", "a glob such as shop.catalog.* with four * at most")
    # CatalogService.GetProduct is the end of shop.catalog.v1.CatalogService/GetProduct.
    glob = translate(text.replace("/", "."))
    return re.compile(rf"(?:.*\.)?{glob}")


def _has(each: Traits, status: str) -> bool:
    if _CODE.fullmatch(status):
        return each.code == status
    number = str(each.status)
    return number == status or (status.endswith("xx") and number[:1] == status[0])


def _within(peer: str, network: IPv4Network | IPv6Network) -> bool:
    try:
        return ip_address(peer) in network
    except ValueError:  # a Unix socket's
        return False
