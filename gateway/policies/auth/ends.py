"""Waits for the end of what many wait for, who may all give up.

A future keeps those who wait in a list, from which each that leaves is taken in a walk through all:
ten thousand clients that go at once held up the loop for a second. Here each costs the same,
however many there are.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Ends:
    """Those who wait, for any number of futures."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[Any], set[asyncio.Future[None]]] = {}

    async def of(self, future: asyncio.Future[Any]) -> None:
        """Returns when a future is done, however it ended. Who gives up does not cancel it."""
        if future.done():
            return
        waiting = self._waiting.get(future)
        if waiting is None:
            waiting = self._waiting[future] = set()
            future.add_done_callback(self._tell)
        own = asyncio.get_running_loop().create_future()
        waiting.add(own)
        try:
            await own
        finally:
            waiting.discard(own)

    def _tell(self, future: asyncio.Future[Any]) -> None:
        for own in self._waiting.pop(future):
            if not own.done():
                own.set_result(None)
