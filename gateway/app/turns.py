"""Long work on the event loop, in steps between which others get their turn.

What builds a generation is written as generators that yield where it can wait. It holds the
interpreter's lock all the time: in a thread it would hold up the loop at each of the lock's turns.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Final, TypeVar

_T = TypeVar("_T")

_SLICE: Final = 0.002  # seconds on the event loop before others get their turn


class Turn:
    """A turn of long work.

    Args:
        alone: Whether nobody waits for the loop, as before the first generation serves.
        clock: Seconds that only grow.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        *,
        alone: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._alone = alone
        self._clock = clock
        self._sleep = sleep
        self._began = clock()

    async def over(self) -> None:
        """Ends this turn and begins the next; to be called where the work can wait.

        After a few milliseconds others have as long: a call takes several turns of the loop, each
        of which would wait for a step.
        """
        taken = self._clock() - self._began
        if taken > _SLICE:
            await self._sleep(0 if self._alone else taken)
            self._began = self._clock()

    def begin(self) -> None:
        """Begins a turn now: what was awaited since the last one was no work of the loop's."""
        self._began = self._clock()


async def in_turns(steps: Generator[None, None, _T], turn: Turn) -> _T:
    """Does work to its end, and returns what it returns.

    Args:
        steps: The work.
        turn: In which it begins.
    """
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: _T = stop.value
            return result
        await turn.over()


def at_once(steps: Generator[None, None, _T]) -> _T:
    """Does work to its end, for who is alone in the process."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: _T = stop.value
            return result
