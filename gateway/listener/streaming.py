"""What a stream needs besides a plain exchange: its task, its reader, its writer, its idleness."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING

from gateway.http import BodyError, BodyFault
from gateway.http.exchange import DRAINING, STREAM_IDLE
from gateway.listener import faults
from gateway.listener.codings import StreamPacker
from gateway.listener.limits import PIECE
from gateway.listener.service import log

if TYPE_CHECKING:
    from gateway.listener.connection import Connection
    from gateway.listener.exchange import HttpExchange

FAULTS = {STREAM_IDLE: faults.STREAM_IDLE, DRAINING: faults.DRAINING}
"""What a client is told whose work was cancelled, by why."""


class Work:
    """The task behind a reply, and what it reads and writes.

    Attributes:
        task: The spawned task, until it ends.
        packer: Packs the reply's body; None where it is sent as it is.
        silent: Whether the reply has no body, whatever is written.
        reading: Whether a reader waits for more of the body.
    """

    __slots__ = (
        "_cancelled_for",
        "_connection",
        "_exchange",
        "_late",
        "_wake",
        "_writers",
        "packer",
        "reading",
        "silent",
        "task",
    )

    def __init__(self, exchange: HttpExchange, connection: Connection) -> None:
        self.task: asyncio.Task[None] | None = None
        self.packer: StreamPacker | None = None
        self.silent = False
        self.reading = False
        self._exchange = exchange
        self._connection = connection
        self._wake: asyncio.Future[None] | None = None
        self._late = False
        self._writers = 0
        self._cancelled_for = ""

    # Its task.

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """See Exchange."""
        if self.task is not None:
            work.close()
            raise RuntimeError("an exchange has one task")
        connection = self._connection
        self.task = connection.loop.create_task(work)
        connection.service.tasks.add(self.task)
        self.task.add_done_callback(self._worked)
        if self._exchange.is_gone:
            self.task.cancel()
        else:
            self.touch()

    def _worked(self, task: asyncio.Task[None]) -> None:
        """Looks how the spawned task ended, and answers for it where it did not."""
        self._connection.service.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a request's task failed", exc_info=error)
        if not self._exchange.is_open:
            return
        if task.cancelled() and self._cancelled_for:
            self._exchange.fail(FAULTS[self._cancelled_for])
            return
        if error is None:
            log.error("a request's task ended without an answer")
        self._exchange.fail(faults.INTERNAL)

    def cancel(self, why: str) -> None:
        """Cancels the task, which finds in its CancelledError why."""
        if self.task is not None and not self.task.done():
            self._cancelled_for = why
            self.task.cancel(why)

    def gone(self) -> None:
        """Ends it: the client has gone."""
        if self.task is not None:
            self.task.cancel()
        self.rouse()

    def idle(self) -> None:
        """Takes note that nothing has passed either way for `stream_idle_timeout`."""
        self.touch()
        if self._writers:
            return  # a client that does not take what is written is the connection's to cut
        if self._cancelled_for:
            self._connection.abort()  # it was told, and still does nothing
        elif self.reading:
            self._cancelled_for = STREAM_IDLE
            self._late = True
            self.rouse()
        elif self.task is not None:
            self.cancel(STREAM_IDLE)
        else:
            self._exchange.cancel(STREAM_IDLE)

    def touch(self) -> None:
        """Takes note that something has passed."""
        self._connection.expire_in(self._connection.service.limits.stream_idle_timeout)

    # The request's body.

    async def chunks(self) -> AsyncIterator[bytes]:
        """See Exchange."""
        exchange, connection = self._exchange, self._connection
        limit = connection.service.limits.stream_size
        if (error := exchange.unreadable(limit or None)) is not None:
            raise error
        if exchange.body is not None:
            connection.send_continue()
        self.touch()
        total = 0
        while True:
            data = exchange.take(PIECE)
            if data:
                connection.govern_reading()
                self.touch()
                total += len(data)
                if limit and total > limit:
                    raise BodyError(BodyFault.TOO_LARGE, limit)
                yield data
                continue
            if exchange.broken:
                raise BodyError(BodyFault.INCOMPLETE)
            if exchange.body is None:
                return
            await self._more()
            if self._late:
                raise BodyError(BodyFault.TIMEOUT, connection.service.limits.stream_idle_timeout)
            if not exchange.is_open:
                raise BodyError(BodyFault.INCOMPLETE)

    async def _more(self) -> None:
        """Returns when more of the body has arrived, or there is a reason not to wait."""
        self._wake = self._connection.loop.create_future()
        self.reading = True
        self._connection.govern_reading()
        try:
            await self._wake
        finally:
            self.reading = False
            self._wake = None

    def rouse(self) -> None:
        """Has the reader look at what there is."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    # The reply's body.

    async def write(self, data: bytes) -> None:
        """Sends bytes; returns when the client can take more.

        Raises:
            CancelledError: It has gone.
        """
        if not data or self.silent:
            return
        connection = self._connection
        left_at_once = connection.send_soon(data)
        if connection.full:
            self._writers += 1
            try:
                await connection.drained()
            finally:
                self._writers -= 1
        elif left_at_once:
            await asyncio.sleep(0)  # whoever writes much without a wait lets others go first
        if not self._exchange.is_open:
            raise self.cancelled()
        self.touch()

    def cancelled(self) -> asyncio.CancelledError:
        """Returns what a writer gets when the client has gone."""
        return asyncio.CancelledError()
