"""Where calls wait that come before it is known where any endpoint is.

They stand in the upstream's queue, like those that wait for a connection, and each waits until its
deadline at most. They are let in when endpoints are known, and sent away when those could not be
found out. No task and no timer a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from gateway.call import Call, Cancel, Deadline, Done, RpcError, StreamCall, Unary
from gateway.upstream.attempts.counts import Counts
from gateway.upstream.channel.deadlines import NEVER, Deadlines
from gateway.upstream.channel.faults import BUSY
from gateway.upstream.channel.queue import Queue
from gateway.upstream.channel.request import complete, past_deadline

MOST: Final = 10_000
"""Calls that may wait."""

_AT_ONCE: Final = 256  # calls that are let in, or sent away, in one turn of the loop

_Decide: TypeAlias = "Callable[[_Waiting], None]"


class Lobby:
    """The calls that wait for the first endpoints. To be made in a running loop.

    Attributes:
        queue: What they are counted in.
        counts: Where it is counted that there was no place.
    """

    __slots__ = ("_deadlines", "_loop", "counts", "queue")

    def __init__(self, queue: Queue, counts: Counts) -> None:
        self.queue = queue
        self.counts = counts
        self._loop = asyncio.get_running_loop()
        self._deadlines: Deadlines[_Waiting] = Deadlines(self._loop)

    def __len__(self) -> int:
        return len(self._deadlines)

    def start(self, call: Call, done: Done, begin: Unary) -> Cancel:
        """Has a unary call wait; `begin(call, done)` starts it then."""
        return self._take(_Unary(self, call, done, begin)).leave

    async def stream(self, call: StreamCall) -> None:
        """Returns when a streaming call may begin.

        Raises:
            RpcError: It may not: there is no place, its deadline has passed, or there are no
                endpoints.
        """
        let: asyncio.Future[None] = self._loop.create_future()
        waiting = self._take(_Stream(self, call, let))
        try:
            await let
        finally:
            waiting.leave()

    def admit(self) -> None:
        """Lets all in, in the order in which they came."""
        self._empty(lambda waiting: waiting.enter())

    def refuse(self, failure: Callable[[], RpcError]) -> None:
        """Ends all that wait, each with a failure of its own."""
        self._empty(lambda waiting: waiting.end(failure()))

    def forget(self, waiting: _Waiting) -> None:
        """Counts a call out."""
        self._deadlines.remove(waiting)
        self.queue.waiting -= 1

    def _take(self, waiting: _Waiting) -> _Waiting:
        refused, crowded = self.queue.full, len(self) >= MOST
        deadline = waiting.deadline
        self._deadlines.add(waiting, NEVER if deadline is None else deadline.at)
        self.queue.waiting += 1
        if refused:
            self.counts.refused += 1
            waiting.end(self.queue.fault().error())
        elif crowded:
            waiting.end(BUSY.error())
        return waiting

    def _empty(self, decide: _Decide) -> None:
        self._next(self._deadlines.runs(), decide)

    def _next(self, left: Sequence[_Waiting], decide: _Decide) -> None:
        """Decides on calls, in turns with what else the loop has to do."""
        for waiting in left[:_AT_ONCE]:
            if waiting.waits:
                decide(waiting)
        if len(left) > _AT_ONCE:
            self._loop.call_soon(self._next, left[_AT_ONCE:], decide)
        else:
            self._deadlines.stop()


class _Waiting:
    """A call that waits, until it enters, ends or leaves."""

    __slots__ = ("deadline", "lobby", "waits")

    def __init__(self, lobby: Lobby, deadline: Deadline | None) -> None:
        self.lobby = lobby
        self.deadline = deadline
        self.waits = True

    def expire(self) -> None:
        """Ends it, since its deadline has passed (`channel.deadlines.Run`)."""
        self.end(past_deadline())

    def enter(self) -> None:
        """Has it begin."""
        self._out()

    def end(self, failure: RpcError) -> None:  # noqa: ARG002  each kind's own
        """Has it end with a failure."""
        self._out()

    def leave(self) -> None:
        """Has it wait no more, if it does."""
        if self.waits:
            self._out()

    def _out(self) -> None:
        self.waits = False
        self.lobby.forget(self)


class _Unary(_Waiting):
    """A unary call. What cancels it while it waits also does when it is under way."""

    __slots__ = ("_begin", "_call", "_cancel", "_done")

    def __init__(self, lobby: Lobby, call: Call, done: Done, begin: Unary) -> None:
        super().__init__(lobby, call.deadline)
        self._call = call
        self._done = done
        self._begin = begin
        self._cancel: Cancel | None = None

    def enter(self) -> None:
        super().enter()
        self._cancel = self._begin(self._call, self._done)

    def end(self, failure: RpcError) -> None:
        super().end(failure)
        complete(self._done, failure, self._call)

    def leave(self) -> None:
        super().leave()
        if self._cancel is not None:
            self._cancel()


class _Stream(_Waiting):
    """A streaming call."""

    __slots__ = ("_let",)

    def __init__(self, lobby: Lobby, call: StreamCall, let: asyncio.Future[None]) -> None:
        super().__init__(lobby, call.deadline)
        self._let = let

    def enter(self) -> None:
        super().enter()
        if not self._let.done():
            self._let.set_result(None)

    def end(self, failure: RpcError) -> None:
        super().end(failure)
        if not self._let.done():
            self._let.set_exception(failure)
