"""Resolvers: where the endpoints of an upstream are, and how they come and go.

Each kind is a module (`dns`, `srv`, `file`), and so will be those that are told of changes, such as
Consul, Kubernetes and xDS. A resolver always tells the whole set, or that it could not be found
out; what is new in it, and that a set that is known outlives failures, is the upstream's business
and that of `following`. This module is the contract; it knows no kind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from gateway.upstream.endpoints import Listing


class UnresolvedError(Exception):
    """Where the endpoints are could not be found out. The text says why, for operators."""


class Told(Protocol):
    """Hears of the endpoints."""

    @property
    def stranded(self) -> bool:
        """Whether none of the endpoints that were told last can be reached."""

    def listed(self, listings: Sequence[Listing]) -> None:
        """Hears of all endpoints that there are: at least one."""

    def failed(self, why: str) -> None:
        """Hears that they could not be found out. What was told before may still be so."""


class Resolver(Protocol):
    """Follows the endpoints of an upstream."""

    async def run(self, told: Told) -> None:
        """Tells of the endpoints at once, and then of every change, until it is cancelled."""

    def again(self) -> None:
        """Hears that the connection to an endpoint was lost: there may be others by now."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found when endpoints were looked up.

    Attributes:
        listings: All of them, at least one, each address once.
        ttl: For how many seconds that may be believed; None where nothing says so.
    """

    listings: tuple[Listing, ...]
    ttl: float | None = None


Look: TypeAlias = "Callable[[], Awaitable[Found]]"
"""Looks endpoints up once. Raises UnresolvedError."""
