"""Watches what the config was read from, and says when it is to be read again (`reload: watch`).

Thin: `watched` looks, this has the clock and the thread. A burst of changes, such as a checkout, is
told of once, when nothing has changed for a moment; a file that never rests, after a while.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final

from gateway.cli.watched import Verdict, Watched

log = logging.getLogger("gateway")

EVERY: Final = 1.0
"""Seconds between two looks, where a look is quick."""

_AGAIN: Final = 0.25  # seconds to the next look while something changes
_PATIENCE: Final = 30.0  # seconds after which what does not rest is told of all the same
_SHARE: Final = 50  # a look takes a 50th of the time at most: 2 % of a core
_SHOWN: Final = 3


class Watching:
    """Calls back when a file has changed.

    Args:
        tell: What it calls, inside the loop.
        sleep: Waits so many seconds.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        tell: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._sleep = sleep
        self._clock = clock
        self._watched = Watched()
        # It is looked at in threads: one at a time.
        self._looking = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def follow(self, paths: Iterable[Path], since: int) -> None:
        """Watches these from now on; see `Watched.follow`."""
        async with self._looking:
            await asyncio.to_thread(self._watched.follow, paths, since)
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    async def rebase(self) -> None:
        """Is told that the config is about to be read: what there is now is known then."""
        async with self._looking:
            await asyncio.to_thread(self._watched.rebase)

    async def close(self) -> None:
        """Looks no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _watch(self) -> None:
        pause, moving_since = EVERY, 0.0
        while True:
            await self._sleep(pause)
            began = self._clock()
            try:
                verdict = await self._look()
            except Exception:
                log.exception("a bug in what watches files; it goes on")
                verdict = Verdict.SAME
            pause = max(EVERY, _SHARE * (self._clock() - began))
            if verdict is Verdict.SAME:
                moving_since = 0.0
            elif verdict is Verdict.MOVING:
                moving_since = moving_since or began
                if began - moving_since < _PATIENCE:
                    pause = _AGAIN
                    continue
            if verdict is not Verdict.SAME:
                moving_since = 0.0
                self._say()

    async def _look(self) -> Verdict:
        async with self._looking:
            return await asyncio.to_thread(self._watched.look)

    def _say(self) -> None:
        paths = [str(path) for path in self._watched.changed()]
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        log.info("changed on disk: %s%s", ", ".join(paths[:_SHOWN]), more)
        self._tell()
