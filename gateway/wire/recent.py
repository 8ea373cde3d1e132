"""A bounded map of what was worked out for bytes that come again."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A bounded map that forgets what has not been asked for lately.

    Two dictionaries: what is used moves to the young one; when that is full, it becomes the old one
    and what was old is dropped. So it holds `size` entries at least and twice as many at most.

    Attributes:
        young: What was used lately, to be looked at first where each call counts.
    """

    __slots__ = ("_old", "_size", "young")

    def __init__(self, size: int) -> None:
        self._size = size
        self.young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self.young) + len(self._old)

    def get(self, key: K) -> V | None:
        """Returns what was put under the key, or None."""
        found = self.young.get(key)
        if found is None and self._old:
            found = self._old.pop(key, None)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Keeps a value."""
        if len(self.young) >= self._size:
            self._old, self.young = self.young, {}
        self.young[key] = value
