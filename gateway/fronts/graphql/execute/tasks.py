"""Python that a run waits for: resolvers, so many at once, and what they return to be awaited.

A resolver that returns a value at once takes no task. One that returns an awaitable is a task of
the event loop, and counts until it ends; beyond the limit, resolvers are not even called. It knows
nothing of fields and values.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from gateway.errors import error

AT_ONCE: Final = 100
"""Resolvers of one run that are under way together."""

Take: TypeAlias = Callable[[Any], None]
"""Takes what Python returned, or the exception that it raised."""


class Tasks:
    """What of Python is under way in one run.

    Args:
        at_once: The most resolvers that are under way together.
    """

    __slots__ = ("_at_once", "_over", "_queue", "_running", "_tasks")

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._over = False
        self._queue: deque[tuple[Callable[[], Any], Take]] = deque()
        self._running = 0
        self._tasks: set[asyncio.Future[Any]] = set()

    def call(self, work: Callable[[], Any], take: Take) -> None:
        """Calls a resolver, now or when others have ended; awaits what it returns."""
        if self._running >= self._at_once:
            self._queue.append((work, take))
            return
        try:
            result = work()
        except Exception as failure:  # noqa: BLE001 - it is the field's, not the run's
            take(failure)
            return
        if not inspect.isawaitable(result):
            take(result)
            return
        self._running += 1

        def ended(value: Any) -> None:
            self._running -= 1
            take(value)
            while self._queue and self._running < self._at_once and not self._over:
                self.call(*self._queue.popleft())

        self.wait(result, ended)

    def wait(self, awaitable: Awaitable[Any], take: Take) -> None:
        """Awaits what a resolver has returned a list of, or what tells a type."""
        # A coroutine is the task's own, so that one that is cancelled before it began is closed.
        work = awaitable if inspect.iscoroutine(awaitable) else _awaited(awaitable)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def ended(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            if not self._over:
                take(_result(task))

        task.add_done_callback(ended)

    def cancel(self) -> None:
        """Ends all of it; nobody takes anything any more."""
        self._over = True
        self._queue.clear()
        for task in self._tasks:
            task.cancel()


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _result(task: asyncio.Task[Any]) -> Any:
    if task.cancelled():  # by the resolver itself
        return error("CANCELLED", "The field was cancelled.")
    return task.exception() or task.result()
