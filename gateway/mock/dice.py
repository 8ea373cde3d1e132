"""Chance that repeats itself: every throw follows from a seed and from what it is thrown for.

Dice for something are thrown apart from all others, so a field more in a message changes no other
field. It has no state beyond the number of its throws, and it is no source of secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

_T = TypeVar("_T")
_SIZE: Final = 16
_WHOLE: Final = 2**64


class Dice:
    """Throws that are the same for the same names.

    Args:
        seed: What all throws follow from.
    """

    __slots__ = ("_seed", "_thrown")

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._thrown = 0

    def of(self, *names: str | int | bytes) -> Dice:
        """Returns the dice for something, by its names, whatever was thrown before."""
        digest = blake2b(self._seed, digest_size=_SIZE)
        for name in names:
            data = name if isinstance(name, bytes) else str(name).encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big"))
            digest.update(data)
        return Dice(digest.digest())

    def share(self) -> float:
        """Returns a number in [0, 1)."""
        return (self._throw() >> 11) / 2**53

    def between(self, least: int, most: int) -> int:
        """Returns an integer from `least` to `most`, both included."""
        span = most - least + 1
        if span > _WHOLE:
            return least + ((self._throw() << 64) | self._throw()) % span
        return least + self._throw() % span

    def pick(self, choices: Sequence[_T]) -> _T:
        """Returns one of at least one choice."""
        return choices[self._throw() % len(choices)]

    def data(self, length: int) -> bytes:
        """Returns so many bytes."""
        found = b""
        while len(found) < length:
            found += self._throw().to_bytes(8, "big")
        return found[:length]

    def _throw(self) -> int:
        self._thrown += 1
        thrown = self._seed + self._thrown.to_bytes(8, "big")
        return int.from_bytes(blake2b(thrown, digest_size=8).digest(), "big")
