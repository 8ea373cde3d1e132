"""Where a claim stands among others: by its name, or within another by a path with dots."""

from __future__ import annotations

from collections.abc import Mapping


def found(claims: Mapping[str, object], name: str) -> object:
    """Returns a claim; with dots in its name, one in another where no claim has the whole name.

    Args:
        claims: JSON values.
        name: `roles`, `realm_access.roles`, `https://shop.example/roles`.
    """
    if name in claims:
        return claims[name]
    value: object = claims
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
