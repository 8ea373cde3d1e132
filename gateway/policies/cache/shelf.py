"""Where a method's replies are kept: in memory, or in a state that gateways share.

The two differ in what it takes to look: memory answers at once, a shared state after a while. So
looking is no part of what they have in common.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from gateway.kept import Forms
from gateway.policies.cache.keeping import Found
from gateway.policies.cache.kept import Kept
from gateway.state.cache import CacheStore


class Shelf(Protocol):
    """Takes what is to be kept."""

    @property
    def purges(self) -> int:
        """How often something was purged."""

    def outdated(self, purges: int, tags: Collection[str]) -> bool:
        """Whether what has these tags was purged since there were so many purges."""

    def put(self, key: bytes, kept: Kept, tags: Collection[str] = ()) -> Forms | None:
        """Keeps something; returns where forms of it are kept, if they are."""

    def drop(self, key: bytes) -> None:
        """Keeps it no longer."""


class MemoryShelf:
    """The replies of one method in a store in memory.

    Args:
        store: The store, which other methods share.
        method: The method's full name.
    """

    __slots__ = ("_method", "_store", "drop", "outdated")

    def __init__(self, store: CacheStore[Kept], method: str) -> None:
        self._store = store
        self._method = method
        self.drop = store.drop
        self.outdated = store.outdated

    @property
    def purges(self) -> int:
        """See Shelf."""
        return self._store.purges

    def get(self, key: bytes, now: float) -> Found | None:
        """Returns what is kept under a key and of any use."""
        entry = self._store.get(key, now)
        return None if entry is None else Found(entry.value, entry, is_new=False)

    def put(self, key: bytes, kept: Kept, tags: Collection[str] = ()) -> Forms | None:
        """See Shelf."""
        return self._store.put(
            key, kept, kept.size(), until=kept.until, group=self._method, tags=tags
        )
