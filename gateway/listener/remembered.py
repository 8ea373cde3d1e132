"""What was read of bytes that come again: a bounded memory, the last used ones kept.

Two halves instead of a chain through all entries: what is used stands in the young half; when that
is full it becomes the old one, and the old one is forgotten.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

T = TypeVar("T")

ENTRIES: Final = 256
"""Entries of each half."""

KEY_SIZE: Final = 2048
"""Bytes of the longest key that is remembered: with what is read of it, some 8 KiB an entry."""


class Remembered(Generic[T]):
    """Values by their bytes."""

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[bytes, T] = {}
        self._old: dict[bytes, T] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: bytes) -> T | None:
        """Returns the value that is remembered, or None."""
        found = self._young.get(key)
        if found is None and (found := self._old.pop(key, None)) is not None:
            self.put(key, found)
        return found

    def put(self, key: bytes, value: T) -> None:
        """Remembers a value, unless its key is too long."""
        if len(key) > KEY_SIZE:
            return
        if len(self._young) >= ENTRIES:
            self._old = self._young
            self._young = {}
        self._young[key] = value
