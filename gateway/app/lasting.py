"""What outlives generations, by what it is made of: limits' tables, caches, connections to a state.

A generation takes what it needs; where the one before had the same, it is the same object. What the
generation that serves does not use is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar, cast

log = logging.getLogger(__name__)


class Kept(Protocol):
    """Something that is kept over generations."""

    async def open(self) -> None:
        """Begins its work: once, when the first generation that uses it is about to serve."""

    async def close(self) -> None:
        """Ends; once, also if it was never opened."""


K = TypeVar("K", bound=Kept)
T = TypeVar("T")


class Still(Generic[T]):
    """Something that is kept and has no work of its own (Kept).

    Args:
        it: That.
        end: Called when nobody uses it any more; None for nothing.

    Attributes:
        it: That.
    """

    def __init__(self, it: T, end: Callable[[], None] | None = None) -> None:
        self.it = it
        self._end = end

    async def open(self) -> None:
        """Has nothing to begin."""

    async def close(self) -> None:
        """See Kept."""
        if self._end is not None:
            self._end()


class Taken:
    """What one generation uses. Made by `Lasting.taken`.

    Attributes:
        memory: As of Lasting.
        used: By what it is made of.
    """

    def __init__(self, there: dict[Hashable, Kept], memory: int | None = None) -> None:
        self._there = there
        self.memory = memory
        self.used: dict[Hashable, Kept] = {}

    def of(self, key: Hashable, make: Callable[[], K]) -> K:
        """Returns what there is of a key, or makes it.

        Args:
            key: All that it is made of; the first part names its kind.
            make: Makes it, without beginning its work.
        """
        if key not in self.used:
            self.used[key] = self._there[key] if key in self._there else make()
        return cast("K", self.used[key])

    def still(self, key: Hashable, make: Callable[[], T]) -> T:
        """As `of`, for what has no work of its own, and nothing to end."""
        return self.of(key, lambda: Still(make())).it


class Lasting:
    """All of it. To be used inside one running loop.

    Args:
        memory: The descriptor of memory that this process shares with others that serve the same;
            None where there are none.
    """

    def __init__(self, memory: int | None = None) -> None:
        self._memory = memory
        self._there: dict[Hashable, Kept] = {}

    def taken(self) -> Taken:
        """Returns what a new generation takes its own from."""
        return Taken(self._there, self._memory)

    async def open(self, taken: Taken) -> None:
        """Has what is new begin its work. What the one before uses goes on."""
        fresh = {key: each for key, each in taken.used.items() if key not in self._there}
        self._there |= fresh
        await asyncio.gather(*(each.open() for each in fresh.values()))

    async def settle(self, taken: Taken) -> None:
        """Closes all but what a generation uses: it serves now. The last first, see `close`."""
        idle = [key for key in self._there if key not in taken.used]
        for key in reversed(idle):
            await _close(self._there.pop(key))

    async def close(self) -> None:
        """Closes all, the last first: it may stand on what was made before it."""
        there, self._there = self._there, {}
        for each in reversed(there.values()):
            await _close(each)


async def _close(kept: Kept) -> None:
    try:
        await kept.close()
    except Exception:
        log.exception("%s could not be closed", type(kept).__name__)
