"""The cookies in which clients keep ids, as the config names them: for gates, and for fronts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from gateway.chain import Method
from gateway.config import Config
from gateway.cookies import IdCookie


def by_upstream(config: Config) -> Mapping[str, IdCookie]:
    """Returns the cookie of each upstream that has one; a client keeps it for a second at least."""
    return {
        name: IdCookie(given.cookie, math.ceil(given.ttl))
        for name, upstream in config.upstreams.items()
        if (given := upstream.affinity) is not None and given.cookie is not None
    }


def id_cookies(config: Config, of: Collection[str] | None = None) -> tuple[IdCookie, ...]:
    """Returns those of some upstreams, each once: one name is kept for one time.

    Args:
        config: The config.
        of: The names of the upstreams; None for all.
    """
    return _once(cookie for name, cookie in by_upstream(config).items() if of is None or name in of)


def cookies_of(methods: Iterable[Method]) -> tuple[IdCookie, ...]:
    """Returns those that calls of some methods may look for, each once."""
    return _once(cookie for method in methods for cookie in method.cookies)


def _once(cookies: Iterable[IdCookie]) -> tuple[IdCookie, ...]:
    return tuple({each.name: each for each in cookies}.values())
