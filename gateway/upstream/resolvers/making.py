"""Which resolver a spec asks for: the one module that knows them all."""

from __future__ import annotations

from collections.abc import Callable

from gateway.upstream.resolvers import Look, Resolver
from gateway.upstream.resolvers.file import FileLook
from gateway.upstream.resolvers.polling import Polling
from gateway.upstream.spec import DnsSpec, FileSpec, ResolverSpec


def resolver_of(spec: ResolverSpec, clock: Callable[[], float]) -> Resolver:
    """Returns what follows the endpoints of an upstream.

    Args:
        spec: Where they are looked up.
        clock: The event loop's, in seconds.
    """
    return Polling(look_of(spec), spec.refresh, clock=clock)


def look_of(spec: ResolverSpec) -> Look:
    """Returns what looks endpoints up once."""
    if isinstance(spec, FileSpec):
        return FileLook(spec)
    return _dns(spec)


def _dns(spec: DnsSpec) -> Look:
    from gateway.upstream.resolvers.dns import AddressLook  # noqa: PLC0415  it loads dnspython
    from gateway.upstream.resolvers.srv import ServiceLook  # noqa: PLC0415  so does this

    return AddressLook(spec) if spec.port is not None else ServiceLook(spec)
