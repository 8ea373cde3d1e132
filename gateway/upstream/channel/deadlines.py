"""Ends calls whose deadline has passed: one timer for all of them, and none a call.

Most calls have deadlines that lie equally far ahead, so a new call's is later than the timer's, and
costs nothing. When the timer fires, all calls are looked at; with many, they are looked at less
often, and may end some milliseconds late.
"""

from __future__ import annotations

import asyncio
from typing import Final, Generic, Protocol, TypeVar

NEVER: Final = float("inf")

# The least time between two looks, in seconds, and what each call adds to it.
_LEAST = 0.001
_EACH = 1e-6


class Run(Protocol):
    """A call under way."""

    def expire(self) -> None:
        """Ends the call, since its deadline has passed; takes it out of the Deadlines."""


R = TypeVar("R", bound=Run)


class Deadlines(Generic[R]):
    """The calls under way of one channel, with the times at which they are over."""

    __slots__ = ("_armed", "_loop", "_runs", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._runs: dict[R, float] = {}
        self._armed = NEVER
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._runs)

    def runs(self) -> list[R]:
        """Returns the calls under way."""
        return list(self._runs)

    def add(self, run: R, at: float) -> None:
        """Takes a call in, which is over at `at` on the loop's clock, or NEVER."""
        self._runs[run] = at
        if at < self._armed:
            self._arm(at)

    def remove(self, run: R) -> None:
        """Lets go of a call."""
        self._runs.pop(run, None)

    def stop(self) -> None:
        """Ends the watch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = NEVER

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        self._armed = NEVER
        now = self._loop.time()
        # A timer may fire within its clock's resolution before its time.
        for run in [run for run, at in self._runs.items() if at <= now + _LEAST]:
            run.expire()
        if self._runs:
            first = min(self._runs.values())
            soonest = now + _LEAST + len(self._runs) * _EACH
            if first < self._armed and first != NEVER:
                self._arm(max(first, soonest))
