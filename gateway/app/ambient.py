"""What browsers show of themselves, and the sites whose pages may have them do so.

A browser sends cookies, a password that it was told once, and a certificate with any WebSocket that
any page opens. `Origin` says whose page that is; where pages of all origins may open one, all sites
may act as the users of this one.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.config import Config, Source
from gateway.config.models.auth import Provider
from gateway.http.origin import ANY


def open_to_sites(config: Config, source: Source) -> Iterator[str]:
    """Yields a line for each provider by which pages of any site could act as its users.

    Args:
        config: The config.
        source: Its lines.
    """
    origins = config.websocket.origins if config.websocket else ()
    if ANY not in origins:
        return
    path = f"websocket.origins.{origins.index(ANY)}"
    for name, given in config.auth.providers.items():
        if shown := _shown(given):
            yield (
                f"{source.locate(path)}: {path}: pages of all sites may open sockets, to which "
                f"browsers add the {shown} of auth.providers.{name}; name the origins instead"
            )


def _shown(given: Provider) -> str | None:
    """Returns what browsers show to a provider without being asked; None if there is nothing."""
    for tokens in (given.jwt, given.introspection):
        if tokens is not None and tokens.cookie is not None:
            return "cookies"
    if given.basic is not None:
        return "passwords"
    return None if given.mtls is None else "certificates"
