"""Fetches a reply, and has it kept if it may be.

What was asked before a purge of its tags is not kept: it may be what was purged. An end that says
that what was kept is wrong (another reply, NOT_FOUND, no right any more) has it dropped, also where
nothing is kept in its place; one that says nothing of it (`Keeping.says_nothing`) does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from gateway.call import Call, Cancel, Reply, RpcError, Unary
from gateway.policies.cache.keeping import Found, Keeping
from gateway.policies.cache.shelf import Shelf

Answer: TypeAlias = Found | Reply
"""How a flight ends where it does well: with what is kept, or a reply that is not."""


class Fetch:
    """Makes calls of a method whose replies are kept.

    Args:
        keeping: How they are kept.
        shelf: Where.
        clock: The store's, in seconds.
    """

    __slots__ = ("_clock", "_keeping", "_shelf")

    def __init__(self, keeping: Keeping, shelf: Shelf, clock: Callable[[], float]) -> None:
        self._keeping = keeping
        self._shelf = shelf
        self._clock = clock

    def start(
        self, key: bytes, proceed: Unary, call: Call, done: Callable[[Answer | RpcError], None]
    ) -> Cancel:
        """Makes a call (`flights.Start`, given a key and what makes it)."""
        purges = self._shelf.purges

        def ended(result: Reply | RpcError) -> None:
            done(self._settled(key, call.request, result, purges))

        return proceed(call, ended)

    def _settled(
        self, key: bytes, request: bytes, result: Reply | RpcError, purges: int
    ) -> Answer | RpcError:
        to_keep = self._keeping.of(request, result, self._clock())
        if to_keep is not None and not self._shelf.outdated(purges, to_keep.tags):
            forms = self._shelf.put(key, to_keep.kept, to_keep.tags)
            return Found(to_keep.kept, forms, is_new=True)
        if to_keep is not None:
            return Found(to_keep.kept, None, is_new=True)
        if not self._keeping.says_nothing(result):
            self._shelf.drop(key)
        return result
