"""What a config names and nothing answers to: services of upstreams, and certificates of clients.

Asked once the protos are known. Which upstream a service has is `config.assign`'s finding.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from gateway.config import Config, Source, matches


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


def _services(config: Config) -> Iterator[tuple[str, str]]:
    for name, upstream in config.upstreams.items():
        for index, text in enumerate(upstream.services):
            yield f"upstreams.{name}.services.{index}", text
