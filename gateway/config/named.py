"""The files that a config names, and what is in them now.

Some are read again by those who use them whenever they change: keys, users, key sets, endpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

from gateway.config.models import Config
from gateway.config.values import Key, places
from gateway.regular import read_regular

_FOLLOWED: Final[tuple[Key, ...]] = (
    ("auth", "providers", "*", "api_key", "keys", "file"),
    ("auth", "providers", "*", "basic", "users", "file"),
    ("auth", "providers", "*", "jwt", "jwks", "file"),
    ("upstreams", "*", "resolver", "file"),
)
_TOLD_BY_WHAT_THEY_MAKE: Final[tuple[Key, ...]] = (
    ("schema",),
    ("graphql", "operations"),
    ("telemetry",),
)


def followed(config: Config) -> frozenset[Path]:
    """Returns the files that take effect without a reload, whenever they change."""
    return frozenset(path for key, path in places(config) if is_below(key, _FOLLOWED))


def contents(config: Config) -> Mapping[Key, bytes]:
    """Returns digests of the files of certificates, keys and joins. Blocks.

    Several files of one key have one. A file that can't be read has none: who needs it says what is
    wrong.
    """
    digests: dict[Key, bytes] = {}
    for key, data in _contents(config):
        digests[key] = blake2b(digests.get(key, b"") + data, digest_size=16).digest()
    return digests


def is_below(key: Key, patterns: tuple[Key, ...]) -> bool:
    """Whether a key is one of these, or below one; `*` is any name."""
    return any(
        len(key) >= len(pattern)
        and all(one in ("*", other) for one, other in zip(pattern, key, strict=False))
        for pattern in patterns
    )


def _contents(config: Config) -> Iterator[tuple[Key, bytes]]:
    for key, path in places(config):
        if is_below(key, _FOLLOWED) or is_below(key, _TOLD_BY_WHAT_THEY_MAKE):
            continue
        try:
            yield key, read_regular(path)
        except OSError:
            continue
