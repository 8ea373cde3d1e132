"""Long work on the event loop, in steps between which others get their turn.

What builds a generation is written as generators that yield where it can wait. It holds the
interpreter's lock all the time: in a thread it would hold up the loop at each of the lock's turns.
Who need not give way does it `at_once`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from typing import Final, TypeVar

_T = TypeVar("_T")

_SLICE: Final = 0.001  # seconds on the event loop before others get their turn
_MOST: Final = 8.0  # times as long as the work had that others have, where they have much to do
_LONGEST: Final = 0.1  # seconds after which no call is left that felt the work
_BUSY: Final = 0.25  # how much of a pause they use then
_PATIENCE: Final = 2.0  # seconds after which the work is not to take much longer
_LEAST: Final = 2.0  # times as long as the work had that others have at most from then on


class Turn:
    """A turn of long work.

    A step that takes long is felt by each call that is under way or comes meanwhile. So that no
    call feels several, others have the longer a pause after it, the more of the last they used; in
    work that takes long, less.

    Args:
        alone: Whether nobody waits for the loop, as before the first generation serves.
        clock: Seconds that only grow.
        cpu: Seconds that the loop's thread has worked.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        *,
        alone: bool = False,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._alone = alone
        self._clock = clock
        self._cpu = cpu
        self._sleep = sleep
        self._times = _MOST  # nobody knows yet what others have to do
        self._began = clock()
        self._until = self._began + _PATIENCE

    async def over(self) -> bool:
        """Ends this turn and begins the next; to be called where the work can wait.

        Returns:
            Whether others had theirs: a turn that was short goes on.
        """
        now = self._clock()
        taken = now - self._began
        if taken <= _SLICE:
            return False
        if self._alone:
            await self._sleep(0)
        else:
            worked = self._cpu()
            await self._sleep(min(taken * self._times, _LONGEST))
            used = (self._cpu() - worked) / max(self._clock() - now, taken)
            most = _MOST if self._clock() < self._until else _LEAST
            self._times = 1 + (most - 1) * min(1.0, used / _BUSY)
        self._began = self._clock()
        return True

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
    """Does work to its end, for who need not give way, and returns what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: _T = stop.value
            return result
