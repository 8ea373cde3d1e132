"""Host names: which entry of a table a request is for, by the name that it says.

An exact name beats a wildcard, and of wildcards the longest wins. `*.example` stands for every name
below `example`, of one label more or of several, and not for `example` itself. Case, a port and a
last dot do not count (RFC 9110 sections 4.2.3 and 7.2; RFC 1034 section 3.1).

What entries are, and what becomes of a request that has none, is for others.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import Final, Generic, TypeVar

T = TypeVar("T")

WILDCARD: Final = "*."
_LONGEST: Final = 253
"""Characters of a name that DNS can hold (RFC 1035 section 2.3.4)."""


def host_of(authority: str) -> str:
    """Returns the name in an authority, as tables have it: without port and last dot, lower-case.

    An address of IPv6 is in its one form, without brackets: `::1`.

    Args:
        authority: `API.example:8080`, `[::1]:8080`, or the name that a TLS client asks for.
    """
    if authority.startswith("["):
        text = authority[1:].partition("]")[0].lower()
        try:
            return str(IPv6Address(text))
        except ValueError:
            return text
    return authority.partition(":")[0].removesuffix(".").lower()


class HostTable(Generic[T]):
    """Finds the entry of a name. Immutable.

    Args:
        entries: By name in lower case, or by `*.name`.
    """

    __slots__ = ("_below", "_exact")

    def __init__(self, entries: Mapping[str, T]) -> None:
        self._exact = {name: each for name, each in entries.items() if name[:2] != WILDCARD}
        self._below = {name[2:]: each for name, each in entries.items() if name[:2] == WILDCARD}

    def find(self, authority: str) -> T | None:
        """Returns the entry of the name in an authority; None where no entry is for it.

        Costs one look-up for a name that has an entry of its own, else one a label.
        """
        found = self._exact.get(authority)
        if found is not None:
            return found
        host = host_of(authority)
        found = self._exact.get(host)
        if found is not None or len(host) > _LONGEST or not self._below:
            return found
        # From the left, so that the longest is met first.
        at = host.find(".", 1)
        while at > 0:
            found = self._below.get(host[at + 1 :])
            if found is not None:
                return found
            at = host.find(".", at + 1)
        return None
