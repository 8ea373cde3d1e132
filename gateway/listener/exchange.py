"""A request and its reply: `gateway.http.Exchange` on a `Connection`.

What is answered by `respond` needs neither task nor future: the handler is called as the request
arrives, and the reply is written as it is given. What streams need besides is in `streaming`, and
is made only for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.http import BodyError, BodyFault, Request
from gateway.http.exchange import HeaderList
from gateway.http.websocket import TOO_LARGE, TOO_LARGE_REASON, WebSocket
from gateway.kept import KeptBody
from gateway.listener import faults
from gateway.listener.codings import SLICE, StreamPacker
from gateway.listener.cors import shared
from gateway.listener.dressing import dress
from gateway.listener.fields import lines
from gateway.listener.head import Fields
from gateway.listener.receiving import Receiving
from gateway.listener.refusing import told
from gateway.listener.reply import (
    CLOSE,
    IN_CHUNKS,
    KEEP_ALIVE,
    LAST_CHUNK,
    WITHOUT_BODY,
    check,
    chunk,
    head,
)
from gateway.listener.service import log
from gateway.listener.streaming import FAULTS, Work
from gateway.listener.upgrade import Terms, upgrade

if TYPE_CHECKING:
    from gateway.listener.connection import Connection

NEW: Final = 0
STARTED: Final = 1
OVER: Final = 2
GONE: Final = 3
"""How far the reply is: not begun, its head is sent, all is sent; or there is no client."""

_APART: Final = 64 * 1024  # bytes: a larger body is not copied to stand behind its head


class HttpExchange(Receiving):
    """One request on a connection, and the means to answer it.

    Attributes:
        state: NEW, STARTED, OVER, or GONE.
        unsent: Whether its reply is given, but not sent yet: it is being packed beside the loop.
    """

    __slots__ = (
        "__weakref__", "_chunked", "_watchers", "_work", "record", "state", "unsent",
    )  # fmt: skip

    def __init__(self, connection: Connection, request: Request, fields: Fields) -> None:
        super().__init__(connection, request, fields)
        self.state = NEW
        self.unsent = False
        self.record = None
        self._watchers: list[Callable[[], None]] | None = None
        self._work: Work | None = None
        self._chunked = False

    # The request's body.

    def body_over(self) -> None:
        """See Receiving."""
        self._connection.never_expire()
        if self._work is not None:
            self._work.touch()

    def chunks(self) -> AsyncIterator[bytes]:
        """See Exchange. `stream_size` and `stream_idle_timeout` are its limits."""
        return self.work.chunks()

    # The reply.

    def respond(
        self, status: int, headers: HeaderList, body: bytes, kept: KeptBody | None = None
    ) -> None:
        """See Exchange. What can't be sent is a bug: logged, and answered with 500."""
        if self.state != NEW:
            self._refuse_second()
            return
        connection = self._connection
        cors, packing = connection.service.cors, connection.service.packing
        if cors is not None:
            status, headers, body = shared(cors, self.request, (status, headers, body))
        plan = None
        if packing is not None:
            sent = self.fields.headers
            plan = packing.plan(self.request, sent, status, headers, len(body))
        try:
            check(status)
            made = lines(headers if plan is None else plan.headers)
        except ValueError:
            log.exception("a reply that can't be sent")
            status, headers, body = told(self.record, faults.INTERNAL, self.request.headers)
            made, plan = lines(headers), None
        self.state = OVER
        self._watchers = self.collecting = None
        if self.body is not None or self.broken or connection.service.draining:
            self._forgo_body()
        if self._work is not None:
            self._work.rouse()
        if plan is None or plan.coding is None:
            self._send(status, made, body)
        else:
            self.unsent = True
            send = partial(self._send_dressed, status)
            dress(connection.service, plan, self.request.method, body, kept=kept, send=send)

    def _send_dressed(self, status: int, headers: HeaderList, body: bytes | None) -> None:
        """Sends a whole reply, unless the client has gone meanwhile."""
        if self.state == OVER:
            self.unsent = False
            self.closes = self.closes or self._connection.service.draining
            self._send(status, lines(headers), body)

    def _send(self, status: int, made: str, body: bytes | None) -> None:
        """Sends a whole reply; a body of None is one that HEAD asks for and nobody has made."""
        connection = self._connection
        if status in WITHOUT_BODY or body is None:
            framing, body = self._persistence(), b""
        else:
            framing = f"Content-Length: {len(body)}\r\n"
            if self.closes or self.fields.http10:
                framing += self._persistence()
            if self.request.method == "HEAD":
                body = b""
        if len(body) > _APART:
            connection.send(head(status, made, framing))
            connection.send(body)
        else:
            connection.send(head(status, made, framing) + body)
        if self.record is not None:
            self.record.answered(status, len(body))
        connection.answered()

    def start(self, status: int, headers: HeaderList) -> None:
        """See Exchange. The body is chunked on 1.1, and ends with the connection on 1.0.

        Raises:
            ValueError: The status or a header can't be sent.
        """
        if self.state != NEW:
            self._refuse_second()
            return
        check(status)
        service = self._connection.service
        if service.cors is not None:
            headers = (*headers, *service.cors.headers_for(self.request))
        packing = service.packing
        plan = None if packing is None else packing.plan_stream(self.request, status, headers)
        made = lines(headers if plan is None else plan.packed)
        # A stream may answer a body that is still coming, and both end well.
        self.closes = self.closes or self.fields.http10 or service.draining
        framing = self._persistence()
        work = self.work
        work.silent = self.request.method == "HEAD" or status in WITHOUT_BODY
        if status not in WITHOUT_BODY and not self.fields.http10:
            self._chunked = True
            framing += IN_CHUNKS
        if plan is not None and plan.coding is not None and not work.silent:
            work.packer = StreamPacker()
        self.state = STARTED
        if self.record is not None:
            self.record.replies(status)
        self._connection.send_soon(head(status, made, framing))

    async def write(self, data: bytes) -> None:
        """See Exchange."""
        work = self._begun()
        if work.packer is None or not data:
            await self._write(work, data)
            return
        for piece in work.packer.pieces(data):
            await self._write(work, piece)
            if len(data) > SLICE:
                await asyncio.sleep(0)

    async def _write(self, work: Work, data: bytes) -> None:
        if self.record is not None and not work.silent:
            self.record.sent += len(data)
        await work.write(chunk(data) if self._chunked and data else data)

    async def finish(self) -> None:
        """See Exchange."""
        if self.state >= OVER:
            return
        work = self._begun()
        if work.packer is not None:
            last = work.packer.end()
            if self.record is not None:
                self.record.sent += len(last)
            self._connection.send_soon(chunk(last) if self._chunked else last)
        if self._chunked and not work.silent:
            self._connection.send_soon(LAST_CHUNK)
        self.end()
        if self.record is not None:
            self.record.end()
        self._connection.answered()

    def abort(self) -> None:
        """See Exchange."""
        if self.record is not None:
            self.record.end()
        self._connection.abort()

    def websocket(
        self,
        *,
        subprotocol: str | None = None,
        headers: HeaderList = (),
        message_size: int = 1024 * 1024,
        too_large: int = TOO_LARGE,
        too_large_reason: str = TOO_LARGE_REASON,
        compressed: bool = False,
    ) -> WebSocket | None:
        """See Exchange."""
        if self.state != NEW:
            self._refuse_second()
            return None
        return upgrade(
            self,
            self._connection,
            subprotocol,
            headers,
            Terms(message_size, too_large, too_large_reason, compressed),
        )

    def refuse(self, fault: faults.Fault, extra: str) -> None:
        """Answers with an error of the listener's own and further header lines, and closes."""
        reply = told(self.record, fault, self.request.headers)
        cors = self._connection.service.cors
        status, own, body = reply if cors is None else shared(cors, self.request, reply)
        self.end()
        self.closes = True
        framing = f"{extra}{CLOSE}"
        if status not in WITHOUT_BODY:
            framing += f"Content-Length: {len(body)}\r\n"
        shown = b"" if self.request.method == "HEAD" else body
        self._connection.send(head(status, lines(own), framing) + shown)
        if self.record is not None:
            self.record.answered(status, len(shown))
        self._connection.answered()

    def end(self) -> None:
        """Takes note that it is answered."""
        self.state = OVER
        self._watchers = self.collecting = None
        self._forgo_body()

    def _persistence(self) -> str:
        return CLOSE if self.closes else KEEP_ALIVE if self.fields.http10 else ""

    def _refuse_second(self) -> None:
        if self.state != GONE:
            raise RuntimeError("a request is answered once")

    def _forgo_body(self) -> None:
        """Throws away what has come of a body that nobody wants; what is to come ends it all."""
        while self.body is not None and self.take(_APART):
            pass
        if self.body is not None or self.broken or self._connection.service.draining:
            self.closes = True

    def _begun(self) -> Work:
        if self.state == STARTED:
            return self.work
        if self.state == GONE:
            raise self.work.cancelled()
        raise RuntimeError("`start` comes before `write` and `finish`")

    # The work behind the reply.

    @property
    def work(self) -> Work:
        """What streams need."""
        if self._work is None:
            self._work = Work(self, self._connection)
        return self._work

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """See Exchange. One task an exchange; `stream_idle_timeout` begins with it.

        When nothing has passed either way for so long, a reader gets a BodyError of TIMEOUT, and a
        task that does not read is cancelled with the message STREAM_IDLE: it may still answer.
        """
        self.work.spawn(work)

    def on_gone(self, callback: Callable[[], None]) -> None:
        """See Exchange."""
        if self.state == GONE:
            callback()
        elif self.state != OVER:
            if self._watchers is None:
                self._watchers = []
            self._watchers.append(callback)

    def fail(self, fault: faults.Fault) -> None:
        """Answers with an error of the listener's own, or cuts a reply that has begun."""
        if self.state == NEW:
            self.respond(*told(self.record, fault, self.request.headers))
        elif self.state == STARTED:
            self.abort()

    def guarded(self, call: Callable[[], None]) -> None:
        """Calls the handler or a callback of its; that it raises is a bug, and answered as one."""
        try:
            call()
        except Exception:  # noqa: BLE001  whatever a bug raises, the client gets an answer
            self.bug()

    def bug(self) -> None:
        """Logs the exception that is being handled, and answers for it."""
        log.exception("a handler failed")
        self.fail(faults.INTERNAL)

    # What the listener calls.

    def gone(self) -> None:
        """Ends the work: the client has gone."""
        if self.state == OVER:
            self.state = GONE
            if self.unsent and self.record is not None:
                self.record.left()
            return
        self.state = GONE
        if self.record is not None:
            self.record.leaves()
        watchers, self._watchers = self._watchers, None
        wanted, self.collecting = self.collecting, None
        if self._work is not None:
            self._work.gone()
        for callback in watchers or ():
            self.guarded(callback)
        if wanted is not None:
            self.guarded(lambda: wanted.failed(BodyError(BodyFault.INCOMPLETE)))
        if self.record is not None:
            self.record.left()

    def received(self) -> None:
        """Takes note that more of the body has arrived."""
        if self.collecting is not None:
            self.guarded(self.read_on)
        elif self._work is not None:
            self._work.rouse()

    def late(self) -> None:
        """Takes note that the connection's deadline has passed."""
        if self.collecting is not None:
            self.guarded(lambda: self.body_late(self._connection.service.limits.body_timeout))
        elif self._work is not None and self.state < OVER:
            self._work.idle()

    @property
    def is_open(self) -> bool:
        """Whether there is a client that waits for more of the reply."""
        return self.state < OVER

    @property
    def is_gone(self) -> bool:
        """Whether the client has gone."""
        return self.state == GONE

    @property
    def reading(self) -> bool:
        """Whether somebody waits for more of the body."""
        return self.collecting is not None or (self._work is not None and self._work.reading)

    def cancel(self, why: str) -> None:
        """Cancels the work for a client that is still there.

        Args:
            why: STREAM_IDLE or DRAINING, which a spawned task finds in its CancelledError. Work
                without a task is told as if the client had gone, and answered for.
        """
        if self._work is not None and self._work.task is not None:
            self._work.cancel(why)
        elif self.state < OVER:
            watchers, self._watchers = self._watchers, None
            for callback in watchers or ():
                self.guarded(callback)
            self.fail(FAULTS[why])
