"""A request and its reply on aiohttp's types: `gateway.http.Exchange` for what is behind a Relay.

`respond`, `start` and the reading of a whole body are asked for from callbacks, while aiohttp wants
a coroutine: `run` is that coroutine. It calls the handler, and sleeps only if the handler did not
answer at once. The head and the framing come from `Connection`, which checked them; aiohttp's own
view of the request is not used.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from aiohttp import web

from gateway.http import BodyError, BodyFault, Exchange
from gateway.http.exchange import DRAINING, STREAM_IDLE, HeaderList
from gateway.listener import faults
from gateway.listener.body import is_coded
from gateway.listener.fields import fields
from gateway.listener.forwarded import origin
from gateway.listener.head import CHUNKED
from gateway.listener.idleness import Idleness
from gateway.listener.service import Service, log

if TYPE_CHECKING:
    from gateway.listener.connection import Connection

_CANCELLED_FOR: Final = {STREAM_IDLE: faults.STREAM_IDLE, DRAINING: faults.DRAINING}


class _Collect(NamedTuple):
    limit: int
    then: Callable[[bytes], None]
    failed: Callable[[BodyError], None]


class AiohttpExchange(Exchange):
    """One request behind aiohttp, and the means to answer it."""

    def __init__(self, connection: Connection, raw: web.BaseRequest, service: Service) -> None:
        head = connection.head
        client = origin(connection.peer, connection.scheme, head.headers, service.trusted)
        self.request = head.request(client)
        self._connection = connection
        self._head = head
        self._raw = raw
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._response: web.StreamResponse | None = None
        self._whole = False
        self._finished = False
        self._is_gone = False
        self._empty = head.method == "HEAD"
        self._collect: _Collect | None = None
        self._reading = False
        self._sent_head: asyncio.Future[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._callbacks: list[Callable[[], None]] = []
        self._cancelled_for = ""
        self._writing = False
        self._idleness: Idleness | None = None

    # The request's body.

    def collect(
        self, limit: int, then: Callable[[bytes], None], failed: Callable[[BodyError], None]
    ) -> None:
        """See Exchange. A wait of more than `body_timeout` for the next byte is a TIMEOUT."""
        if (error := self._unreadable(limit)) is not None:
            failed(error)
            return
        content = self._raw.content
        if not content.is_eof():
            self._connection.send_continue()
            self._collect = _Collect(limit, then, failed)
            self._rouse()
            return
        data = content.read_nowait()
        if len(data) > limit:
            failed(BodyError(BodyFault.TOO_LARGE, limit))
        else:
            then(data)

    async def chunks(self) -> AsyncIterator[bytes]:
        """See Exchange. `stream_size` and `stream_idle_timeout` are its limits."""
        limit = self._service.limits.stream_size
        if (error := self._unreadable(limit or None)) is not None:
            raise error
        content = self._raw.content
        if not content.is_eof():
            self._connection.send_continue()
        self._watch_idleness()
        total = 0
        while True:
            self._reading = True
            try:
                data = await content.readany()
            except ConnectionError as broken:
                raise BodyError(BodyFault.INCOMPLETE) from broken
            finally:
                self._reading = False
            if not data:
                return
            self._touch()
            total += len(data)
            if limit and total > limit:
                raise BodyError(BodyFault.TOO_LARGE, limit)
            yield data

    def _unreadable(self, limit: int | None) -> BodyError | None:
        """Returns why the body can't be had, where the head or what has come already says so."""
        if not self._head.length:
            return None
        if is_coded(self.request.headers):
            return BodyError(BodyFault.ENCODING)
        if limit is not None and self._head.length != CHUNKED and self._head.length > limit:
            return BodyError(BodyFault.TOO_LARGE, limit)
        return BodyError(BodyFault.INCOMPLETE) if self._connection.body_broken else None

    async def _read_whole(self, wanted: _Collect) -> None:
        try:
            data = await self._whole_body(wanted.limit)
        except BodyError as error:
            then = partial(wanted.failed, error)
        else:
            then = partial(wanted.then, data)
        if self._collect is wanted:
            self._collect = None
            self._guarded(then)

    async def _whole_body(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        seconds = self._service.limits.body_timeout
        while True:
            try:
                async with asyncio.timeout(seconds):
                    data = await self._raw.content.readany()
            except TimeoutError as late:
                raise BodyError(BodyFault.TIMEOUT, seconds) from late
            if not data:
                return b"".join(parts)
            size += len(data)
            if size > limit:
                raise BodyError(BodyFault.TOO_LARGE, limit)
            parts.append(data)

    # The reply.

    def respond(self, status: int, headers: HeaderList, body: bytes) -> None:
        """See Exchange. Headers that can't be sent are a bug: logged, and answered with 500."""
        if not self._may_begin():
            return
        try:
            made = fields(headers)
        except ValueError:
            log.exception("a reply with a header that can't be sent")
            status, own, body = faults.INTERNAL.parts(self.request.headers)
            made = fields(own)
        self._whole = True
        self._end()
        self._response = web.Response(status=status, headers=made, body=body)
        self._rouse()

    def start(self, status: int, headers: HeaderList) -> None:
        """See Exchange. The body is chunked on 1.1, and ends with the connection on 1.0.

        Raises:
            ValueError: A header can't be sent.
        """
        if not self._may_begin():
            return
        self._empty = self._empty or status in {204, 304}
        self._response = web.StreamResponse(status=status, headers=fields(headers))
        if self._head.http10:
            self._response.force_close()
        self._sent_head = self._loop.create_future()
        self._rouse()

    async def write(self, data: bytes) -> None:
        """See Exchange."""
        response = await self._begun()
        if not data or self._empty:
            return
        self._writing = True
        try:
            await response.write(data)
            await self._raw.writer.drain()
        except ConnectionError as broken:
            raise asyncio.CancelledError from broken
        finally:
            self._writing = False
        if self._is_gone:
            raise asyncio.CancelledError
        self._touch()

    async def finish(self) -> None:
        """See Exchange."""
        if self._is_gone or self._finished:
            return
        response = await self._begun()
        self._writing = True
        try:
            await response.write_eof()
        except ConnectionError:
            return  # the client has gone, and its connection tells so
        finally:
            self._writing = False
        self._finished = True
        self._end()
        self._rouse()

    def abort(self) -> None:
        """See Exchange."""
        self._connection.abort()

    # The work behind the reply.

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """See Exchange. One task an exchange; `stream_idle_timeout` begins with it.

        When nothing has passed either way for so long, a reader gets a BodyError of TIMEOUT, and a
        task that does not read is cancelled with the message STREAM_IDLE: it may still answer.
        """
        if self._task is not None:
            work.close()
            raise RuntimeError("an exchange has one task")
        self._task = self._loop.create_task(work)
        self._service.tasks.add(self._task)
        self._task.add_done_callback(self._worked)
        if self._is_gone:
            self._task.cancel()
        else:
            self._watch_idleness()

    def on_gone(self, callback: Callable[[], None]) -> None:
        """See Exchange."""
        if self._is_gone:
            callback()
        elif not self._over:
            self._callbacks.append(callback)

    def _worked(self, task: asyncio.Task[None]) -> None:
        """Looks how the spawned task ended, and answers for it where it did not."""
        self._service.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a request's task failed", exc_info=error)
        if self._is_gone or self._over:
            return
        if task.cancelled() and self._cancelled_for in _CANCELLED_FOR:
            self._fail(_CANCELLED_FOR[self._cancelled_for])
            return
        if error is None:
            log.error("a request's task ended without an answer")
        self._fail(faults.INTERNAL)

    def _fail(self, fault: faults.Fault) -> None:
        """Answers with an error of the listener's own, or cuts a reply that has begun."""
        if self._response is not None:
            self.abort()
            return
        self.respond(*fault.parts(self.request.headers))

    # What the listener calls.

    async def run(self) -> web.StreamResponse:
        """Has the request handled, and writes the reply; returns when all of it is written."""
        self._guarded(lambda: self._service.handler()(self))
        while True:
            response = self._response
            if response is not None and not response.prepared:
                # A stream may answer a body that is still coming, and both end well.
                unread = self._whole and not self._raw.content.is_eof()
                if unread or self._service.draining:
                    response.force_close()
                await response.prepare(self._raw)
                if self._sent_head is not None and not self._sent_head.done():
                    self._sent_head.set_result(None)
            if response is not None and self._over:
                await response.write_eof()
                return response
            if self._collect is not None:
                await self._read_whole(self._collect)
                continue
            self._wake = self._loop.create_future()
            await self._wake
            self._wake = None

    def _guarded(self, call: Callable[[], None]) -> None:
        """Calls the handler or a callback of its; that it raises is a bug, and answered as one."""
        try:
            call()
        except Exception:  # noqa: BLE001  whatever a bug raises, the client gets an answer
            log.exception("a handler failed")
            if not self._over and not self._is_gone:
                self._fail(faults.INTERNAL)

    def gone(self) -> None:
        """Ends the work: the client has gone."""
        self._is_gone = True
        callbacks = self._callbacks.copy()
        wanted, self._collect = self._collect, None
        self._end()
        if self._task is not None:
            self._task.cancel()
        if self._sent_head is not None:
            self._sent_head.cancel()
        for callback in callbacks:
            self._guarded(callback)
        if wanted is not None:
            self._guarded(partial(wanted.failed, BodyError(BodyFault.INCOMPLETE)))

    def body_broken(self) -> None:
        """Tells whoever reads the body that there is no more of it."""
        self._raw.content.set_exception(BodyError(BodyFault.INCOMPLETE))

    def cancel(self, why: str) -> None:
        """Cancels the work for a client that is still there.

        Args:
            why: STREAM_IDLE or DRAINING, which a spawned task finds in its CancelledError. Work
                without a task is told as if the client had gone, and answered for.
        """
        if self._task is not None and not self._task.done():
            self._cancelled_for = why
            self._task.cancel(why)
        elif self._task is None and not (self._is_gone or self._over):
            callbacks, self._callbacks = self._callbacks, []
            for callback in callbacks:
                self._guarded(callback)
            self._fail(_CANCELLED_FOR[why])

    # Its state.

    @property
    def _over(self) -> bool:
        return self._whole or self._finished

    def _may_begin(self) -> bool:
        if self._is_gone:
            return False
        if self._response is not None:
            raise RuntimeError("a request is answered once")
        return True

    async def _begun(self) -> web.StreamResponse:
        """Returns the response once its head is sent."""
        if self._is_gone:
            raise asyncio.CancelledError
        if self._response is None or self._sent_head is None:
            raise RuntimeError("`start` comes before `write` and `finish`")
        if not self._sent_head.done():
            # Shielded: a cancelled writer must not take the signal from the next one.
            await asyncio.shield(self._sent_head)
        return self._response

    def _rouse(self) -> None:
        """Has `run` look at what there is to do."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        elif self._collect is not None and self._over:
            # Answered before the body was there: nobody wants it any more.
            self._collect = None
            self._raw.content.set_exception(BodyError(BodyFault.INCOMPLETE))

    def _end(self) -> None:
        self._callbacks.clear()
        if self._idleness is not None:
            self._idleness.stop()

    # Idleness.

    def _touch(self) -> None:
        if self._idleness is not None:
            self._idleness.touch()

    def _watch_idleness(self) -> None:
        if self._idleness is None:
            seconds = self._service.limits.stream_idle_timeout
            self._idleness = Idleness(self._loop, seconds, self._be_idle)

    def _be_idle(self) -> None:
        if self._writing:
            return  # a client that does not take what is written is the connection's to cut
        if self._cancelled_for:
            self.abort()  # it was told, and still does nothing
        elif self._reading:
            self._cancelled_for = STREAM_IDLE
            seconds = self._service.limits.stream_idle_timeout
            self._raw.content.set_exception(BodyError(BodyFault.TIMEOUT, seconds))
        else:
            self.cancel(STREAM_IDLE)
