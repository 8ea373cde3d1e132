"""The calls that wait for a connection of one native channel, in the order in which they came.

It keeps them and counts them in the upstream's queue; when there is a connection, and when there
will be none, is the channel's to know.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.upstream.channel.faults import BUSY, Fault
from gateway.upstream.channel.queue import Queue

if TYPE_CHECKING:
    from gateway.upstream.channel.native_stream import StreamRun
    from gateway.upstream.channel.native_unary import UnaryRun

    _Run: TypeAlias = UnaryRun | StreamRun

MOST_WAITING: Final = 10_000
"""Calls that may wait for a connection to one endpoint."""

_AT_ONCE: Final = 256  # calls that are ended in one turn of the loop


class Waiting:
    """Calls that wait.

    Args:
        loop: The loop that they live in.
        queue: Where they are counted.
    """

    __slots__ = ("_loop", "_queue", "_runs")

    def __init__(self, loop: asyncio.AbstractEventLoop, queue: Queue) -> None:
        self._loop = loop
        self._queue = queue
        # In order; the values say nothing.
        self._runs: dict[_Run, None] = {}

    def __bool__(self) -> bool:
        return bool(self._runs)

    def add(self, run: _Run) -> bool:
        """Has a call wait; or ends it, where there is no place, and returns False."""
        if self._queue.full:
            run.never(self._queue.fault(), f"{self._queue.most} calls wait for a connection")
        elif len(self._runs) >= MOST_WAITING:
            run.never(BUSY, f"{MOST_WAITING} calls wait for a connection")
        else:
            self._runs[run] = None
            self._queue.waiting += 1
            run.wait()
            return True
        return False

    def first(self) -> _Run:
        """Returns who has waited longest, and does not any more. There is one."""
        run = next(iter(self._runs))
        self.drop(run)
        return run

    def drop(self, run: _Run) -> None:
        """Takes note of a call that does not wait any more, if it did."""
        if run in self._runs:
            del self._runs[run]
            self._queue.waiting -= 1

    def send_away(self, fault: Fault, cause: str) -> None:
        """Ends all of them: they were not sent."""
        runs, self._runs = self._runs, {}
        self._queue.waiting -= len(runs)
        self._end(list(runs), fault, cause)

    def _end(self, runs: list[_Run], fault: Fault, cause: str) -> None:
        """Ends calls, in turns with what else the loop has to do."""
        for run in runs[:_AT_ONCE]:
            run.never(fault, cause)
        if len(runs) > _AT_ONCE:
            self._loop.call_soon(self._end, runs[_AT_ONCE:], fault, cause)
