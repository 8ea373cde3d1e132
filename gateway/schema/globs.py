"""Which services are meant: globs over full names, and the services that are never meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

# What a backend says of itself is for the gateway, not for its clients.
_NEVER = ("grpc.health.*", "grpc.reflection.*")


def chosen(services: Iterable[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """Returns the services that match a pattern, in their order, but health and reflection.

    Args:
        services: Full names.
        patterns: Globs, case-sensitive; `*` matches dots too.
    """
    return tuple(
        service
        for service in services
        if _matches(service, patterns) and not _matches(service, _NEVER)
    )


def idle(services: Sequence[str], patterns: Iterable[str]) -> list[tuple[str, str]]:
    """Returns the patterns that match none of the services, each with a hint, maybe empty.

    `*` is never idle: it means whatever there is.
    """
    found = []
    for pattern in patterns:
        if pattern != "*" and not chosen(services, [pattern]):
            near = difflib.get_close_matches(pattern, services, n=1)
            found.append((pattern, f"did you mean {near[0]}?" if near else ""))
    return found


def _matches(service: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(service, pattern) for pattern in patterns)
