"""A provider that asks the issuer of opaque tokens, as the config has it."""

from __future__ import annotations

import time

from gateway.app.providers import Making
from gateway.fronts.cross_site import is_own_doing
from gateway.policies.auth.bearer import BearerTokens
from gateway.policies.auth.fetching import Fetcher
from gateway.policies.auth.introspection import SIZE, Endpoint, Introspection
from gateway.policies.auth.introspection_answer import Expected
from gateway.policies.auth.provider import Provider
from gateway.policies.auth.token_cache import TokenCache


def introspection(making: Making) -> Provider:
    """Returns a provider (`providers.Make`)."""
    given = making.given.introspection
    assert given is not None, "the section says which kind it is"
    expected = Expected(
        making.name, given.issuer, frozenset(given.audiences), roles=given.roles_claim
    )
    return Introspection(
        Endpoint(given.endpoint, given.client_id, given.client_secret.get_secret_value()),
        expected,
        tokens=BearerTokens(given.cookie, is_own_doing),
        cache=TokenCache(making.token_cache, making.now, time.monotonic),
        fetcher=Fetcher(connect=given.timeout, total=given.timeout, size=SIZE),
        now=making.now,
        clock=time.monotonic,
    )
