"""A client's socket that another worker holds: `gateway.http.WebSocket` over a Unix connection."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final, cast

from gateway.fronts.websocket.relay_records import (
    Kind,
    Records,
    closed,
    closing,
    record,
    shaken,
)
from gateway.http import Request, SocketClosed, WebSocket
from gateway.http.websocket import ABNORMAL, INTERNAL_ERROR, NORMAL, Message

log = logging.getLogger("gateway.websocket")

_FAILED: Final = "the gateway failed"


class Link(asyncio.Protocol):
    """One end of a connection between two workers.

    Args:
        records: Called with each record, in order.
        lost: Called once, when the connection is gone.

    Attributes:
        full: Whether the other end does not take what it is sent.
    """

    def __init__(self, records: Callable[[Kind, bytes], None], lost: Callable[[], None]) -> None:
        self.full = False
        self._records = records
        self._lost = lost
        self._parser = Records()
        self._transport: asyncio.Transport | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._drained: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        for kind, payload in self._parser.feed(data):
            self._records(kind, payload)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's
        """See asyncio.Protocol."""
        self._transport = None
        self.resume_writing()
        self._lost()

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self.full = True

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self.full = False
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        """Sends a record, if there is a connection."""
        if self._transport is not None:
            self._transport.write(record(kind, payload))

    async def drained(self) -> None:
        """Returns when the other end can take more, or is gone."""
        if self.full:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def pause(self) -> None:
        """Has nothing more received for now."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Has records received again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        """Ends the connection when all was sent."""
        if self._transport is not None:
            self._transport.close()


class RelayedSocket(WebSocket):
    """The socket, where its session is.

    Args:
        adopt: Called once with the socket and its handshake.
        left: Called once, when it is over.

    Attributes:
        link: The connection to the worker that holds it.
    """

    __slots__ = (
        "_adopt",
        "_closed",
        "_draining",
        "_held",
        "_is_over",
        "_left",
        "_loop",
        "_message",
        "_pings",
        "_shut",
        "_stalled",
        "_tasks",
        "_waiting",
        "link",
        "subprotocol",
    )

    def __init__(
        self,
        adopt: Callable[[RelayedSocket, Request], None],
        left: Callable[[RelayedSocket], None],
    ) -> None:
        self.subprotocol = None
        self.link = Link(self._record, self._lost)
        self._adopt = adopt
        self._left = left
        self._loop = asyncio.get_running_loop()
        self._message: Callable[[Message], None] | None = None
        self._closed: Callable[[int, str], None] | None = None
        self._draining: Callable[[], None] | None = None
        self._stalled: Callable[[], None] | None = None
        self._pings: deque[tuple[float, Callable[[float], None] | None]] = deque()
        self._waiting: deque[tuple[Kind, bytes]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = True
        self._shut = False
        self._is_over = False

    # What a front asks for.

    def listen(
        self,
        message: Callable[[Message], None],
        closed: Callable[[int, str], None],
        draining: Callable[[], None] | None = None,
    ) -> None:
        """See WebSocket."""
        self._message = message
        self._closed = closed
        self._draining = draining
        self.resume()

    def pause(self) -> None:
        """See WebSocket."""
        self._held = True
        self.link.pause()

    def resume(self) -> None:
        """See WebSocket."""
        if self._held and self._message is not None:
            self._held = False
            self._loop.call_soon(self._go_on)

    @property
    def is_open(self) -> bool:
        """See WebSocket."""
        return not (self._shut or self._is_over)

    @property
    def writable(self) -> bool:
        """See WebSocket."""
        return not self.link.full

    def send_text(self, text: str | bytes) -> None:
        """See WebSocket."""
        if self.is_open:
            self.link.send(Kind.TEXT, text.encode() if isinstance(text, str) else text)

    def send_binary(self, data: bytes) -> None:
        """See WebSocket."""
        if self.is_open:
            self.link.send(Kind.BINARY, data)

    async def drained(self) -> None:
        """See WebSocket."""
        await self.link.drained()
        if not self.is_open:
            raise SocketClosed(ABNORMAL, "")

    def when_stalled(self, seconds: float, stalled: Callable[[], None]) -> None:
        """See WebSocket."""
        self._stalled = stalled
        self.link.send(Kind.WATCH, str(seconds).encode())

    def ping(self, answered: Callable[[float], None] | None = None) -> None:
        """See WebSocket."""
        if self.is_open:
            self._pings.append((self._loop.time(), answered))
            self.link.send(Kind.PING)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """See WebSocket."""
        if self.is_open:
            self.link.send(Kind.CLOSE, closing(code, reason))
            self._shut = True
            self._held = False
            self._loop.call_soon(self._go_on)

    def abort(self) -> None:
        """See WebSocket."""
        self.link.send(Kind.ABORT)
        self._shut = True

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """See WebSocket."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._worked)
        if self._is_over:
            task.cancel()
        return task

    def drain(self) -> None:
        """Asks for an end: this worker shuts down, or that of the client's socket does."""
        if self._draining is not None:
            self._guarded(self._draining)

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            log.error("the task of a relayed WebSocket failed", exc_info=failure)
            self.close(INTERNAL_ERROR, _FAILED)

    # What the other worker says.

    def _record(self, kind: Kind, payload: bytes) -> None:
        match kind:
            case Kind.OPENED:
                request, self.subprotocol = shaken(payload)
                self._adopt(self, request)
            case Kind.TEXT | Kind.BINARY:
                self._waiting.append((kind, payload))
                self._go_on()
            case Kind.CLOSED:
                self._end(*closed(payload))
            case Kind.DRAINING:
                self.drain()
            case Kind.PONG:
                at, answered = self._pings.popleft()
                if answered is not None:
                    since = self._loop.time() - at
                    self._guarded(lambda: answered(since))
            case Kind.STALLED:
                if self._stalled is not None:
                    self._guarded(self._stalled)
            case _:
                raise AssertionError(f"{kind} is the owner's to send")

    def _go_on(self) -> None:
        """Passes on what has come, as far as it is taken."""
        waiting, message = self._waiting, self._message
        while waiting and not self._held and message is not None:
            kind, payload = waiting.popleft()
            if not self._shut:
                text = payload.decode() if kind is Kind.TEXT else payload
                self._guarded(partial(message, text))
        if not self._held:
            self.link.resume()

    def _lost(self) -> None:
        self._end(ABNORMAL, "")

    def _end(self, code: int, reason: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        told = self._closed
        self._message = self._closed = self._draining = self._stalled = None
        self._waiting.clear()
        self._pings.clear()
        for task in list(self._tasks):
            task.cancel()
        self.link.close()
        self._left(self)
        if told is not None:
            self._guarded(lambda: told(code, reason))

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            log.exception("a callback of a relayed WebSocket failed")
            self.close(INTERNAL_ERROR, _FAILED)
