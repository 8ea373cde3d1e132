"""Endpoints: the addresses of an upstream's backends, and what is said of each.

Data only: nothing here resolves a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias

# A name as DNS and containers have it, or an IPv6 address in brackets (RFC 3986, 3.2.2).
_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9._-]+)):(?P<port>[0-9]+)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One backend's address.

    Attributes:
        host: A host name or IP address, IPv6 without brackets.
        port: The port.
        name: What was asked for to find the address, where that was not itself: calls are for it,
            and a certificate must have it.
    """

    host: str
    port: int
    name: str | None = None

    @classmethod
    def parse(cls, address: str) -> Endpoint:
        """Reads `host:port` or `[ipv6]:port`.

        Raises:
            ValueError: It is neither; the text says what was expected.
        """
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise ValueError(f"{address!r} is not host:port or [ipv6]:port")
        host, port = match["v6"] or match["name"], int(match["port"])
        if not 0 < port < 65536:
            raise ValueError(f"{address!r} has no port between 1 and 65535")
        if match["v6"] is not None and not is_address(host):
            raise ValueError(f"{address!r} has no IPv6 address in its brackets")
        return cls(host, port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authority(self) -> str:
        """What calls name as their `:authority`."""
        return str(self) if self.name is None else f"{self.name}:{self.port}"

    @property
    def server_name(self) -> str:
        """The name that its certificate must have."""
        return self.name or self.host


@dataclass(frozen=True, slots=True)
class UnixEndpoint:
    """One backend's address: a Unix socket."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"

    @property
    def authority(self) -> str:
        """What calls name as their `:authority`: a path can't be one (grpc/grpc, doc/naming.md)."""
        return "localhost"

    @property
    def server_name(self) -> str:
        """The name that its certificate must have."""
        return "localhost"


AnyEndpoint: TypeAlias = Endpoint | UnixEndpoint


@dataclass(frozen=True, slots=True)
class Listing:
    """An endpoint, as the config or a resolver lists it.

    Attributes:
        endpoint: The address.
        weight: Its share of the calls, next to the others' weights; at least 1.
        zone: Where it runs; None for unknown.
        priority: 0 is asked first; a higher number only while those below it are not enough.
    """

    endpoint: AnyEndpoint
    weight: int = 1
    zone: str | None = None
    priority: int = 0


def is_address(host: str) -> bool:
    """Tells whether `host` is an IP address; a name otherwise."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
