"""Writes in the background: one at a time of a key, and of those that wait only the newest.

So none overtakes another, whatever round trips each takes, and the newest of a key is what stays.
What is under way is bounded, by number of keys and in bytes; what goes beyond is not written, nor
is what waited for the same key: it is older. Writes that hold no bytes take things away, and what
is not taken away is wrong: they have a bound of their own, and the log tells where it is reached.
What writes do is not known here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple

log = logging.getLogger(__name__)

_MOST: Final = 10_000
"""Keys that may have writes under way, those that hold no bytes among them."""


class _Write(NamedTuple):
    """A write that waits for one of its key, or is under way."""

    size: int
    begin: Callable[[], Awaitable[None]]


class Latest:
    """Writes of one process. Used inside one running loop.

    Args:
        keys: Keys that may have writes under way, but for those that hold no bytes.
        size: Bytes that these and those that wait may hold together.
        most: Keys that may have writes under way, of any kind.
    """

    __slots__ = ("_is_told", "_keys", "_left", "_most", "_tasks", "_waiting")

    def __init__(self, keys: int, size: int, most: int = _MOST) -> None:
        self._keys = keys
        self._left = size
        self._most = most
        self._is_told = False  # that there are more, since there were none
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._waiting: dict[bytes, _Write] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, key: bytes, size: int, write: Callable[[], Awaitable[None]]) -> None:
        """Writes something in a while, in place of what waits for its key.

        Args:
            key: What is written.
            size: Bytes that the write holds; 0 where it takes something away.
            write: Writes it. Where it raises, the log tells.
        """
        before = self._waiting.pop(key, None)
        if before is not None:
            self._left += before.size
        under_way = key in self._tasks
        if not under_way and len(self._tasks) >= (self._keys if size else self._most):
            if not size:
                self._tell()
            return
        if size > self._left:
            return
        self._left -= size
        self._waiting[key] = _Write(size, write)
        if not under_way:
            task = asyncio.get_running_loop().create_task(self._run(key))
            self._tasks[key] = task
            task.add_done_callback(partial(self._ended, key))

    async def settle(self) -> None:
        """Waits for all writes."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values())

    async def _run(self, key: bytes) -> None:
        try:
            while (write := self._waiting.pop(key, None)) is not None:
                try:
                    await write.begin()
                except Exception:
                    log.exception("a write in the background failed")
                finally:
                    self._left += write.size
        finally:
            self._over(key)

    def _ended(self, key: bytes, task: asyncio.Task[None]) -> None:
        """Takes note of a task that has ended, also of one that was cancelled before it began."""
        if self._tasks.get(key) is task:
            self._over(key)

    def _over(self, key: bytes) -> None:
        """Lets go of a key that nothing is written of any more."""
        del self._tasks[key]
        waiting = self._waiting.pop(key, None)  # only where it was cancelled
        if waiting is not None:
            self._left += waiting.size
        if not self._tasks:
            self._is_told = False

    def _tell(self) -> None:
        if not self._is_told:
            self._is_told = True
            log.warning(
                "%d writes are under way: some of what is outdated stays until it ends", self._most
            )
