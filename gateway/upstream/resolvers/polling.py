"""A resolver that looks again and again: the driver of all that are not told of changes.

What is looked at is given to it, and so are the clock and how to wait; when to look is decided in
`schedule`.
"""

from __future__ import annotations

import asyncio
import random as chance
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

from gateway.upstream.resolvers import Look, Told, UnresolvedError
from gateway.upstream.resolvers.schedule import LEAST, after_answer, after_failure

Wait: TypeAlias = "Callable[[asyncio.Event, float], Awaitable[None]]"
"""Waits until an event is set, so many seconds at most."""


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Waits until an event is set, `seconds` at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Polling:
    """A resolver (`gateway.upstream.resolvers.Resolver`) that looks for itself.

    Args:
        look: Looks once.
        refresh: How often, in seconds, where answers do not say that they change sooner.
        clock: In seconds.
        random: Returns a number in [0, 1).
        wait: Waits.
    """

    def __init__(
        self,
        look: Look,
        refresh: float,
        *,
        clock: Callable[[], float],
        random: Callable[[], float] = chance.random,
        wait: Wait = wait,
    ) -> None:
        self._look = look
        self._refresh = refresh
        self._clock = clock
        self._random = random
        self._wait = wait
        self._wanted = asyncio.Event()

    def again(self) -> None:
        """Looks as soon as may be: a moment after the last look."""
        self._wanted.set()

    async def run(self, told: Told) -> None:
        """Looks until it is cancelled."""
        vain = 0  # looks in a row that were of no use
        while True:
            self._wanted.clear()
            began = self._clock()
            try:
                found = await self._look()
            except UnresolvedError as failure:
                vain += 1
                told.failed(str(failure))
            else:
                told.listed(found.listings)
                vain = vain + 1 if told.stranded else 0
            if vain:
                delay = after_failure(vain, self._refresh, self._random)
            else:
                delay = after_answer(found.ttl, self._refresh, self._random)
            await self._wait(self._wanted, delay)
            early = began + min(LEAST, self._refresh) - self._clock()
            if self._wanted.is_set() and early > 0:
                await self._wait(asyncio.Event(), early)
