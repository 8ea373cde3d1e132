"""What outlives generations, by what it is made of: limits' tables, caches, connections to a state.

A generation takes what it needs; where the one before had the same, it is the same object. What the
generation that serves does not use is closed: after a grace, as calls of the one before may still
use it. What has nothing to close (`Taken.still`) is gone when nobody refers to it any more. What is
to be there again when a later generation asks for it (`Taken.for_good`) stays to the end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable
from typing import Final, Generic, Protocol, TypeVar, cast

from gateway.app.build_error import BuildError

log = logging.getLogger(__name__)

_GRACE: Final = 5.0  # seconds; for calls of the generation before, but not for its long streams


class Kept(Protocol):
    """Something that is kept over generations."""

    async def open(self) -> None:
        """Begins its work: once, when the first generation that uses it is about to serve."""

    async def close(self) -> None:
        """Ends; once, also if it was never opened."""


K = TypeVar("K", bound=Kept)
T = TypeVar("T")


class Still(Generic[T]):
    """Something that is kept, and has no work of its own and nothing to close (Kept).

    Args:
        it: That.

    Attributes:
        it: That.
    """

    def __init__(self, it: T) -> None:
        self.it = it

    async def open(self) -> None:
        """Has nothing to begin."""

    async def close(self) -> None:
        """Has nothing to end: who still uses it, may."""


class ForGood(Still[T]):
    """Something that is kept until the end, also by generations that do not use it."""


class Taken:
    """What one generation uses. Made by `Lasting.taken`.

    Attributes:
        memory: As of Lasting.
        used: By what it is made of.
        at_once: Of which of these the end has no grace.
    """

    def __init__(self, there: dict[Hashable, Kept], memory: int | None = None) -> None:
        self._there = there
        self.memory = memory
        self.used: dict[Hashable, Kept] = {}
        self.at_once: set[Hashable] = set()

    def of(self, key: Hashable, make: Callable[[], K], *, at_once: bool = False) -> K:
        """Returns what there is of a key, or makes it.

        Args:
            key: All that it is made of; the first part names its kind.
            make: Makes it, without beginning its work.
            at_once: Closes it as soon as the generation that serves does not use it: where what
                comes in its place is to go on from what it has done.
        """
        if at_once:
            self.at_once.add(key)
        if key not in self.used:
            self.used[key] = self._there[key] if key in self._there else make()
        return cast("K", self.used[key])

    def still(self, key: Hashable, make: Callable[[], T]) -> T:
        """As `of`, for what has no work of its own, and nothing to close."""
        return self.of(key, lambda: Still(make())).it

    def for_good(self, key: Hashable, make: Callable[[], T]) -> T:
        """As `still`, for what stays to the end once it has been made."""
        return self.of(key, lambda: ForGood(make())).it


class Lasting:
    """All of it. To be used inside one running loop.

    Args:
        memory: The descriptor of memory that this process shares with others that serve the same;
            None where there are none.
    """

    def __init__(self, memory: int | None = None) -> None:
        self._memory = memory
        self._there: dict[Hashable, Kept] = {}
        self._at_once: set[Hashable] = set()
        self._leaving: dict[asyncio.TimerHandle, list[Kept]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        # Nothing is to be closed while it opens: it would go on.
        self._opening = asyncio.Lock()
        self._closed = False

    def taken(self) -> Taken:
        """Returns what a new generation takes its own from."""
        return Taken(self._there, self._memory)

    async def open(self, taken: Taken) -> None:
        """Has what is new begin its work. What the one before uses goes on.

        Raises:
            BuildError: All was closed: nobody would close what begins now.
        """
        async with self._opening:
            if self._closed:
                raise BuildError(["the gateway ends: no new config takes effect"])
            fresh = {key: each for key, each in taken.used.items() if key not in self._there}
            self._there |= fresh
            self._at_once |= taken.at_once
            await asyncio.gather(*(each.open() for each in fresh.values()))

    async def settle(self, taken: Taken) -> None:
        """Closes all but what a generation uses: it serves now. The last first, see `close`."""
        idle = [
            key
            for key, each in reversed(self._there.items())
            if key not in taken.used and not isinstance(each, ForGood)
        ]
        at_once = [self._there.pop(key) for key in idle if key in self._at_once]
        later = [self._there.pop(key) for key in idle if key in self._there]
        self._at_once &= self._there.keys()
        if later:
            self._leave(later)
        if at_once:
            await self._begin_to_close(at_once)

    def _leave(self, idle: list[Kept]) -> None:
        """Closes after the grace."""

        def end() -> None:
            del self._leaving[handle]
            self._begin_to_close(idle)

        handle = asyncio.get_running_loop().call_later(_GRACE, end)
        self._leaving[handle] = idle

    def _begin_to_close(self, idle: Iterable[Kept]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(_close_all(idle))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return task

    async def close(self) -> None:
        """Closes all now, the last first: it may stand on what was made before it."""
        async with self._opening:
            self._closed = True
            leaving, self._leaving = self._leaving, {}
            for handle in leaving:
                handle.cancel()
            there, self._there = self._there, {}
            await asyncio.gather(*self._closing)
            for idle in leaving.values():
                await _close_all(idle)
            await _close_all(reversed(there.values()))


async def _close_all(those: Iterable[Kept]) -> None:
    for each in those:
        await _close(each)


async def _close(kept: Kept) -> None:
    try:
        await kept.close()
    except Exception:
        log.exception("%s could not be closed", type(kept).__name__)
