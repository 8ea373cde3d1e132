"""The operation `purge`: lets go of replies that are kept, by tag, by method, or of all.

Large purges let others run between their parts; what is fetched meanwhile for calls that began
before is not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from gateway.app.operations import Operation, only
from gateway.config import matches
from gateway.listener.operations import NOT_ASKED_RIGHT, OperationError
from gateway.policies.cache.kept import Kept
from gateway.state.cache import CacheStore

AT_ONCE: Final = 1000
"""Entries that are let go of in one go: about a millisecond."""

_WAYS: Final = ("tag", "method", "all")


def asked(arguments: Mapping[str, str]) -> tuple[str, str]:
    """Returns what is to be purged: by which way, and what of it.

    Raises:
        OperationError: Not just one way is given, or it says nothing.
    """
    only(arguments, *_WAYS)
    if len(arguments) != 1:
        raise OperationError(NOT_ASKED_RIGHT, f"Give one of {', '.join(_WAYS)}.")
    ((way, value),) = arguments.items()
    if not value or (way == "all" and value != "true"):
        expected = "all: expected true." if way == "all" else f"{way}: expected a value."
        raise OperationError(NOT_ASKED_RIGHT, expected)
    return way, value


def purging(store: CacheStore[Kept]) -> Operation:
    """Returns the operation for what is kept in memory; it answers `{"purged": 3}`."""

    async def purge(arguments: Mapping[str, str]) -> dict[str, Any]:
        way, value = asked(arguments)
        if way == "all":
            return {"purged": store.clear()}
        purged = 0
        for part in _parts(store, way, value):
            while (gone := part(AT_ONCE)) == AT_ONCE:
                purged += gone
                await asyncio.sleep(0)
            purged += gone
        return {"purged": purged}

    return purge


def _parts(store: CacheStore[Kept], way: str, value: str) -> Iterator[Callable[[int], int]]:
    """Yields what lets go of up to so many entries, and tells of how many it did."""
    if way == "tag":
        yield partial(store.purge_tag, value)
        return
    for method in store.groups:
        if matches(value, method):
            yield partial(store.purge_group, method)
