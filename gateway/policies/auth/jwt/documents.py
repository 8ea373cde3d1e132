"""Where an issuer says its keys are: at a URL of the config's, or of its own discovery document.

OpenID Connect Discovery 1.0 section 4 and RFC 8414 section 3 say where that document is: the one
has its path behind the issuer's, the other between host and path. The first that is there counts,
and only if it names the very issuer that was asked for (section 4.3, section 3.3): else one tenant
of a server could speak for another.

When documents are fetched is not decided here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from gateway.policies.auth.fetching import Fetched, Fetcher, FetchError

Fetch: TypeAlias = "Callable[[], Awaitable[Fetched]]"
"""Returns the issuer's key set as it is now. Raises FetchError."""

_ABSENT: Final = frozenset({400, 401, 403, 404, 405, 410})


def at(fetcher: Fetcher, uri: str) -> Fetch:
    """Returns what fetches the keys from a URL."""
    return partial(fetcher.get, uri)


def of_issuer(fetcher: Fetcher, issuer: str) -> Fetch:
    """Returns what fetches the keys from where the issuer says they are.

    Raises:
        ValueError: The issuer's name is no URL that has a document (a query, a fragment).
    """
    parts = urlsplit(issuer)
    if parts.scheme not in {"http", "https"} or not parts.netloc or "?" in issuer or "#" in issuer:
        raise ValueError("it is no URL with http:// or https:// and without a query")
    path = parts.path.rstrip("/")
    host = f"{parts.scheme}://{parts.netloc}"
    places = (
        f"{host}{path}/.well-known/openid-configuration",
        f"{host}/.well-known/oauth-authorization-server{path}",
    )

    async def fetch() -> Fetched:
        document = await _first(fetcher, places)
        return await fetcher.get(_keys_of(document, issuer, places[0]))

    return fetch


async def _first(fetcher: Fetcher, places: tuple[str, str]) -> object:
    try:
        return (await fetcher.get(places[0])).json
    except FetchError as failure:
        if failure.status not in _ABSENT:
            raise
        try:
            return (await fetcher.get(places[1])).json
        except FetchError:
            raise failure from None


def _keys_of(document: object, issuer: str, place: str) -> str:
    """Returns the URL of the keys that a discovery document names."""
    if not isinstance(document, dict):
        raise FetchError(place, "it is no discovery document")
    if document.get("issuer") != issuer:
        raise FetchError(place, "its issuer is not the one of the config")
    uri = document.get("jwks_uri")
    if not isinstance(uri, str) or not uri.startswith(("https://", "http://")):
        raise FetchError(place, "it names no URL of keys")
    if issuer.startswith("https:") and not uri.startswith("https:"):
        raise FetchError(place, "it names keys that are not fetched by https")
    return uri
