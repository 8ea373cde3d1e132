"""A provider that asks a service of the operator's own, as the config has it."""

from __future__ import annotations

from gateway.app.providers import Making
from gateway.fronts.cross_site import is_own_doing
from gateway.policies.auth.ext_authz.provider import ExtAuthz
from gateway.policies.auth.provider import Provider
from gateway.routing.metadata import never_passes


def ext_authz(making: Making) -> Provider:
    """Returns a provider (`providers.Make`)."""
    given = making.given.ext_authz
    assert given is not None, "the section says which kind it is"
    return ExtAuthz(
        making.name,
        making.handler(given.upstream),
        timeout=given.timeout,
        may_change=lambda name: not never_passes(name),
        now=making.now,
        is_own_doing=is_own_doing,
    )
