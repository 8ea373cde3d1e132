"""What of a config can't mean what it says: services that no proto has, clients that are not asked.

Asked once the protos are known. Which upstream a service has is `config.assign`'s finding.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from gateway.config import Config, Source, matches
from gateway.config.models.auth import Provider


def unknown_services(config: Config, source: Source, known: Collection[str]) -> Iterator[str]:
    """Yields a line for each service that an upstream names and no proto has.

    Args:
        config: The config.
        source: Its lines.
        known: Full names of all services of the protos.
    """
    for path, text in _services(config):
        if "*" not in text and text not in known:
            near = difflib.get_close_matches(text, known, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            yield f"{source.locate(path)}: {path}: no proto has a service {text}{hint}"


def idle_globs(config: Config, source: Source, known: Collection[str]) -> Iterator[str]:
    """Yields a line for each glob of an upstream that matches no service; arguments as above."""
    for path, text in _services(config):
        if "*" in text and not any(matches(text, name) for name in known):
            yield f"{source.locate(path)}: {path}: no service of the protos matches {text}"


def unasked(config: Config, source: Source) -> Iterator[str]:
    """Yields a line for each provider of certificates where no client is asked for one."""
    tls = config.listener.tls
    if tls is None or tls.client_ca is None:
        for name, given in config.auth.providers.items():
            if given.mtls is not None:
                path = f"auth.providers.{name}.mtls"
                text = "no client is asked for a certificate; listener.tls.client_ca does that"
                yield f"{source.locate(path)}: {path}: {text}"


def alike(config: Config, source: Source) -> Iterator[str]:
    """Yields a line for each provider that looks at the same as one before it, and in the same way.

    Where both would do, only the first is ever asked.
    """
    first: dict[object, str] = {}
    for name, given in config.auth.providers.items():
        what = _looks_at(given)
        before = first.setdefault(what, name)
        if before != name:
            path = f"auth.providers.{name}"
            text = f"looks at the same as {before}: where both will do, only {before} is asked"
            yield f"{source.locate(path)}: {path}: {text}"


def _looks_at(given: Provider) -> object:
    """Returns what tells providers apart: equal ones know the same callers by the same."""
    if given.jwt is not None:
        return "jwt", given.jwt.issuer, frozenset(given.jwt.audiences)
    if given.api_key is not None:
        return "api_key", given.api_key.header, given.api_key.keys.file
    if given.basic is not None:
        return "basic", given.basic.users.file
    if given.introspection is not None:
        return "introspection", given.introspection.endpoint, given.introspection.client_id
    if given.ext_authz is not None:
        return "ext_authz", given.ext_authz.upstream
    return "mtls"


def unencrypted(config: Config, source: Source) -> Iterator[str]:
    """Yields a line for each issuer that is asked for keys, or about tokens, without TLS."""
    for name, given in config.auth.providers.items():
        for key, url, text in _asked(given):
            if _is_open(url):
                path = f"auth.providers.{name}.{key}"
                yield f"{source.locate(path)}: {path}: {text} without TLS; expected https:"


def _asked(given: Provider) -> Iterator[tuple[str, str, str]]:
    """Yields keys that hold a URL, the URL, and what is done there."""
    if given.introspection is not None:
        yield (
            "introspection.endpoint",
            given.introspection.endpoint,
            "tokens and the secret are sent",
        )
    if given.jwt is not None:
        fetched = "the keys that sign tokens are fetched"
        if given.jwt.jwks is None:
            yield "jwt.issuer", given.jwt.issuer, fetched
        elif given.jwt.jwks.uri is not None:
            yield "jwt.jwks.uri", given.jwt.jwks.uri, fetched


def _is_open(url: str) -> bool:
    """Whether others can read what is sent there; on the way to this machine nobody can."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        own = ip_address(host).is_loopback
    except ValueError:
        own = host == "localhost"
    return parts.scheme == "http" and not own


def _services(config: Config) -> Iterator[tuple[str, str]]:
    for name, upstream in config.upstreams.items():
        for index, text in enumerate(upstream.services):
            yield f"upstreams.{name}.services.{index}", text
