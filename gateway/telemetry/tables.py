"""Tables of what comes again and again, bounded though clients make up some of it."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def keep(table: dict[K, V], key: K, value: V, most: int) -> V:
    """Keeps a value in a table, and returns it; a table that has so many begins anew."""
    if len(table) >= most:
        table.clear()
    table[key] = value
    return value
