"""A provider of signed tokens, as the config has it."""

from __future__ import annotations

import time

from gateway.app.providers import Making
from gateway.app.settings import SettingError
from gateway.config.models.auth import Jwt as Given
from gateway.fronts.cross_site import is_own_doing
from gateway.policies.auth.bearer import BearerTokens
from gateway.policies.auth.jwt.claims import Expected
from gateway.policies.auth.jwt.keys import KeySet
from gateway.policies.auth.jwt.provider import Jwt
from gateway.policies.auth.jwt.source import Source
from gateway.policies.auth.provider import Provider
from gateway.policies.auth.stored_file import FileError
from gateway.policies.auth.token_cache import TokenCache


def jwt(making: Making) -> Provider:
    """Returns a provider (`providers.Make`).

    Raises:
        SettingError: Its file of keys can't be used, or its issuer is no URL and should be.
    """
    given = making.given.jwt
    assert given is not None, "the section says which kind it is"
    cache = TokenCache(making.token_cache, making.now, time.monotonic)
    expected = Expected(
        given.issuer,
        frozenset(given.audiences),
        leeway=given.leeway,
        scopes=given.scopes_claim,
        roles=given.roles_claim,
        plan=given.plan_claim,
    )
    return Jwt(
        making.name,
        expected,
        _source(making.name, given, KeySet(given.algorithms, cache.forget_refusals)),
        tokens=BearerTokens(given.cookie, is_own_doing),
        cache=cache,
        now=making.now,
    )


def _source(name: str, given: Given, keys: KeySet) -> Source:
    path = f"auth.providers.{name}.jwt"
    if given.jwks is not None and given.jwks.file is not None:
        from gateway.policies.auth.jwt.stored_keys import StoredKeys  # noqa: PLC0415  as below

        try:
            return StoredKeys(keys, given.jwks.file)
        except FileError as wrong:
            raise SettingError(f"{path}.jwks.file", str(wrong)) from wrong
    # Only who fetches pays for the import of a client of HTTP: 0.2 s, 15 MiB.
    from gateway.policies.auth.fetching import Fetcher  # noqa: PLC0415  see above
    from gateway.policies.auth.jwt import documents  # noqa: PLC0415  see above
    from gateway.policies.auth.jwt.fetched_keys import FetchedKeys  # noqa: PLC0415  see above

    fetcher = Fetcher()
    if given.jwks is not None and given.jwks.uri is not None:
        fetch = documents.at(fetcher, given.jwks.uri)
    else:
        try:
            fetch = documents.of_issuer(fetcher, given.issuer)
        except ValueError as wrong:
            text = f"{wrong}, so jwks must say where its keys are"
            raise SettingError(f"{path}.issuer", text) from wrong
    return FetchedKeys(name, keys, fetch, ended=fetcher.close, clock=time.monotonic)
