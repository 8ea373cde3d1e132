"""Asks name servers: one question, one answer. The only module that knows dnspython.

It keeps nothing: how long an answer holds is in it. Name servers, search domains and `ndots` are
the system's (resolv.conf(5)), read anew with each question, or those that are given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import dns.asyncbackend
import dns.asyncresolver
import dns.exception
import dns.message
import dns.nameserver
import dns.rdatatype
import dns.resolver

from gateway.upstream.endpoints import Endpoint
from gateway.upstream.resolvers import UnresolvedError

PATIENCE: Final = 5.0
"""Seconds within which name servers have to answer a question, all tries together."""

MOST: Final = 1000
"""Records that an answer may have: the gateway connects to each address, and stays connected."""

_TRY: Final = 2.0  # seconds for one server to answer


class NothingError(UnresolvedError):
    """There is no such name, or it has no such records: name servers say so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What name servers answered.

    Attributes:
        records: As zone files have them: `10.0.0.1`, `10 5 50051 a.orders.example.`.
        ttl: For how many seconds the answer holds, that of its aliases too (CNAME).
        beside: Addresses that came along, by name, lower-case.
        ttls: For how many seconds they hold, by the same names.
    """

    records: tuple[str, ...]
    ttl: float
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ttls: Mapping[str, float] = field(default_factory=dict)


class Asking:
    """What asks.

    Args:
        servers: The name servers, by address; none for the system's.
        patience: Seconds for an answer.
        system: What the system says of its name servers (resolv.conf(5)).
    """

    def __init__(
        self,
        servers: Sequence[Endpoint] = (),
        patience: float = PATIENCE,
        system: str = "/etc/resolv.conf",
    ) -> None:
        self._servers = servers
        self._patience = patience
        self._system = system

    async def ask(self, name: str, kind: str) -> Answer:
        """Returns the records of a name, of the kind `A`, `AAAA` or `SRV`.

        Raises:
            NothingError: There are none.
            UnresolvedError: Nobody knows: there was no answer, or no good one, or one too large.
        """
        try:
            answer = await self._resolved(name, kind)
        except dns.resolver.NXDOMAIN:
            raise NothingError("there is no such name") from None
        except dns.resolver.NoAnswer:
            raise NothingError(f"the name has no {kind} records") from None
        except dns.exception.DNSException as failure:
            raise UnresolvedError(_cause(failure)) from failure
        if len(answer) > MOST:
            raise UnresolvedError(f"the answer has more than {MOST} records")
        ttl = answer.chaining_result.minimum_ttl
        beside, ttls = _beside(answer.response)
        return Answer(tuple(record.to_text() for record in answer), ttl, beside, ttls)

    async def _resolved(self, name: str, kind: str) -> dns.resolver.Answer:
        try:
            return await self._resolver().resolve(
                name,
                kind,
                search=not self._servers,
                lifetime=self._patience,
                backend=dns.asyncbackend.get_backend("asyncio"),
            )
        finally:
            # dnspython waits by asyncio.wait_for, which before Python 3.12 loses a cancellation
            # that comes with the answer: whoever cancelled would wait for ever.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError

    def _resolver(self) -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(self._system, configure=not self._servers)
        if self._servers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(each.host, each.port) for each in self._servers
            ]
        resolver.timeout = min(_TRY, self._patience)
        return resolver


def _beside(
    response: dns.message.Message,
) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, float]]:
    """Returns the IPv4 addresses that came along, and for how long they hold, by name."""
    found: dict[str, tuple[str, ...]] = {}
    ttls: dict[str, float] = {}
    for records in response.additional:
        if records.rdtype == dns.rdatatype.A:
            name = records.name.to_text().lower()
            found[name] = tuple(each.to_text() for each in records)
            ttls[name] = records.ttl
    return found, ttls


def _cause(failure: dns.exception.DNSException) -> str:
    """Returns what is known of a failure, in words that are the same each time."""
    if isinstance(failure, dns.resolver.LifetimeTimeout):
        return "no name server answered in time"
    if isinstance(failure, dns.resolver.NoResolverConfiguration):
        return "the system has no name servers"
    if isinstance(failure, dns.resolver.NoNameservers):
        errors: Iterable[tuple[object, ...]] = failure.kwargs.get("errors", ())
        said = sorted({str(each[3]) for each in errors})
        return f"name servers failed: {', '.join(said)}"
    return str(failure)
