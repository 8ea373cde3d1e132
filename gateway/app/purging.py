"""The operation `purge`: lets go of replies that are kept, by tag, by method, or of all.

It answers `{"purged": 3}`. Large purges let others run between their parts; what is fetched
meanwhile for calls that began before is not kept, at least by who purges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.app.operations import Operation
from gateway.config import matches
from gateway.operations import NOT_ASKED_RIGHT, NOT_NOW, OperationError
from gateway.operations.arguments import only
from gateway.policies.cache.kept import Kept
from gateway.state.cache import CacheStore

if TYPE_CHECKING:
    from gateway.state.redis_cache import RedisCache

AT_ONCE: Final = 1000
"""Entries in memory that are let go of in one go: about a millisecond."""

_WAYS: Final = ("tag", "method", "all")


def purging(store: CacheStore[Kept]) -> Operation:
    """Returns the operation for what is kept in memory."""

    async def purge(arguments: Mapping[str, str]) -> dict[str, Any]:
        way, value = _asked(arguments)
        # Also what is fetched now, while nothing of it is kept.
        store.outdate(value if way == "tag" else None)
        purged = 0
        for part in _parts(store, way, value):
            while (gone := part(AT_ONCE)) == AT_ONCE:
                purged += gone
                await asyncio.sleep(0)
            purged += gone
        return {"purged": purged}

    return purge


def purging_shared(state: RedisCache) -> Operation:
    """Returns the operation for what gateways keep together."""
    # Only who has a Redis has loaded its client.
    from gateway.state.redis import StateUnavailable  # noqa: PLC0415  see above

    async def purge(arguments: Mapping[str, str]) -> dict[str, Any]:
        way, value = _asked(arguments)
        state.outdate(value if way == "tag" else None)  # also what is fetched now
        try:
            if way == "tag":
                return {"purged": await state.purge_tag(value)}
            methods = _found(way, value, await state.groups())
            return {"purged": sum([await state.purge_group(each) for each in methods])}
        except StateUnavailable as error:
            text = "What is kept can't be purged now, or not all of it: the state can't be reached."
            raise OperationError(NOT_NOW, text) from error

    return purge


def _asked(arguments: Mapping[str, str]) -> tuple[str, str]:
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


def _parts(store: CacheStore[Kept], way: str, value: str) -> Iterator[Callable[[int], int]]:
    """Yields what lets go of up to so many entries, and tells of how many it did."""
    if way == "tag":
        yield partial(store.purge_tag, value)
        return
    for method in _found(way, value, store.groups):
        yield partial(store.purge_group, method)


def _found(way: str, value: str, methods: Iterable[str]) -> list[str]:
    return [method for method in methods if way == "all" or matches(value, method)]
