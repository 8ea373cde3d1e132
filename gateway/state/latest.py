"""Writes in the background: one at a time of a key, and of those that wait only the newest.

So none overtakes another, whatever round trips each takes, and the newest of a key is what stays.
What is under way is bounded, by number of keys and in bytes; what goes beyond is not written, nor
is what waited for the same key: it is older. What writes do is not known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple


class _Write(NamedTuple):
    """A write that waits for one of its key, or is under way."""

    size: int
    begin: Callable[[], Awaitable[None]]


class Latest:
    """Writes of one process. Used inside one running loop.

    Args:
        keys: Keys that may have writes under way.
        size: Bytes that these and those that wait may hold together.
    """

    __slots__ = ("_keys", "_left", "_tasks", "_waiting")

    def __init__(self, keys: int, size: int) -> None:
        self._keys = keys
        self._left = size
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._waiting: dict[bytes, _Write] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, key: bytes, size: int, write: Callable[[], Awaitable[None]]) -> None:
        """Writes something in a while, in place of what waits for its key.

        Args:
            key: What is written.
            size: Bytes that the write holds.
            write: Writes it. It must not raise.
        """
        before = self._waiting.pop(key, None)
        if before is not None:
            self._left += before.size
        under_way = key in self._tasks
        if size > self._left or (len(self._tasks) >= self._keys and not under_way):
            return
        self._left -= size
        self._waiting[key] = _Write(size, write)
        if not under_way:
            self._tasks[key] = asyncio.get_running_loop().create_task(self._run(key))

    async def settle(self) -> None:
        """Waits for all writes."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values())

    async def _run(self, key: bytes) -> None:
        try:
            while (write := self._waiting.pop(key, None)) is not None:
                try:
                    await write.begin()
                finally:
                    self._left += write.size
        finally:
            del self._tasks[key]
