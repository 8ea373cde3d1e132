"""Charges that go on in the background: of what calls have used, where counting takes a while.

Nobody waits for them but the end of the process, so what is under way is bounded: where the state
is so slow that there is ever more of it, what calls have used is not charged, and the log tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final

from gateway.policies.limits.ask import Verdict

log = logging.getLogger(__name__)

_MOST: Final = 10_000
"""Charges that may be under way at a time; each is a task."""


class Charges:
    """The charges of one process. Used inside one running loop.

    Args:
        most: How many may be under way.
    """

    __slots__ = ("_lost", "_most", "_tasks")

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lost = 0  # since none was under way
        self._tasks: set[asyncio.Future[Verdict]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    async def open(self) -> None:
        """Begins nothing."""

    async def close(self) -> None:
        """Waits for all that are under way: each ends in the time that the state has."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def full(self) -> bool:
        """Whether there are as many as there may be."""
        return len(self._tasks) >= self._most

    def begin(self, decision: Awaitable[Verdict]) -> None:
        """Has something charged in the background."""
        task = asyncio.ensure_future(decision)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def lose(self) -> None:
        """Takes note that something is not charged."""
        if not self._lost:
            log.warning("%d charges are under way: what calls use is not charged", self._most)
        self._lost += 1

    def _ended(self, task: asyncio.Future[Verdict]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("what a call has used could not be charged", exc_info=failure)
        if self._lost and not self._tasks:
            log.warning("%d charges were lost while too many were under way", self._lost)
            self._lost = 0
