"""Claims as values of CEL: JSON of bounded size and depth, whatever an issuer wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from gateway.policies.cel.limits import DEPTH, NODES

_SCALARS: Final = frozenset({str, float, bool, type(None)})
_LEAST: Final = -(2**63)
_MOST: Final = 2**64 - 1  # CEL has signed and unsigned numbers of 64 bits


class UnfitClaims(Exception):  # noqa: N818  what the caller has, not an error of ours
    """Claims that no condition looks at: too many, too deep, or not JSON with 64-bit numbers."""


def readable(claims: Mapping[str, object], keys: Iterable[str] | None) -> dict[str, object]:
    """Returns the claims that a condition reads, copied.

    Args:
        claims: All of a caller.
        keys: Which are read; None for all.

    Raises:
        UnfitClaims: They have more than NODES values, are deeper than DEPTH, or are not JSON
            with numbers of 64 bits. cel-cpp would take those for errors, hidden in their lists.
    """
    copy = _Copy()
    if keys is None:
        return copy.members(claims, 1)
    found: dict[str, object] = {}
    for key in keys:
        if key in claims:
            value = claims[key]
            found[key] = value if type(value) in _SCALARS else copy.value(value, 1)
    return found


class _Copy:
    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = NODES

    def value(self, value: object, depth: int) -> object:
        if type(value) in _SCALARS or (type(value) is int and _LEAST <= value <= _MOST):
            return value
        if isinstance(value, Mapping):
            return self.members(value, depth)
        if isinstance(value, list | tuple):
            self._enter(len(value), depth)
            return [self.value(each, depth + 1) for each in value]
        raise UnfitClaims

    def members(self, value: Mapping[str, object], depth: int) -> dict[str, object]:
        self._enter(len(value), depth)
        if not all(type(key) is str for key in value):
            raise UnfitClaims
        return {key: self.value(each, depth + 1) for key, each in value.items()}

    def _enter(self, count: int, depth: int) -> None:
        self._left -= count
        if self._left < 0 or depth > DEPTH:
            raise UnfitClaims
