"""The digest of a config, by which operators see which one serves."""

from __future__ import annotations

from hashlib import blake2b

from gateway.config import Config
from gateway.config.values import leaves


def digest_of(config: Config) -> str:
    """Returns 16 hex digits that two configs share which say the same, but for their secrets.

    No secret goes into it, so that nobody can find one by guessing.
    """
    # A secret's `repr` is the same for all.
    said = repr(sorted((key, repr(value)) for key, value in leaves(config).items()))
    return blake2b(said.encode(), digest_size=8).hexdigest()
