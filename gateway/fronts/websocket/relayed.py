"""The owner's part: a client's socket that another worker holds, as `gateway.http.WebSocket`.

Fronts can't tell it from a socket of the listener's. What has come and is not taken waits here; the
other worker is told to read the client no further as soon as something does.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final

from gateway.fronts.websocket.relay_link import Link
from gateway.fronts.websocket.relay_records import Arrival, Kind, arrived, closed, closing
from gateway.http import SocketClosed, WebSocket
from gateway.http.websocket import ABNORMAL, GOING_AWAY, INTERNAL_ERROR, NORMAL, Message

log = logging.getLogger("gateway.websocket")

_FAILED: Final = "the gateway failed"


class RelayedSocket(WebSocket):
    """The socket, where its session is.

    Args:
        adopt: Called once with the socket and what is known of its client; returns whether it is
            driven here.
        left: Called once, when it is over.

    Attributes:
        link: The connection to the worker that holds it.
    """

    __slots__ = (
        "_adopt",
        "_closed",
        "_draining",
        "_ending",
        "_has_arrived",
        "_held",
        "_is_full",
        "_is_over",
        "_left",
        "_loop",
        "_message",
        "_pings",
        "_shut",
        "_stalled",
        "_stopped",
        "_tasks",
        "_waiters",
        "_waiting",
        "link",
        "subprotocol",
    )

    def __init__(
        self,
        adopt: Callable[[RelayedSocket, Arrival], bool],
        left: Callable[[RelayedSocket], None],
    ) -> None:
        self.subprotocol = None
        self.link = Link(self._record, self._rouse, self._lost)
        self._adopt = adopt
        self._left = left
        self._loop = asyncio.get_running_loop()
        self._message: Callable[[Message], None] | None = None
        self._closed: Callable[[int, str], None] | None = None
        self._draining: Callable[[], None] | None = None
        self._stalled: Callable[[], None] | None = None
        self._pings: deque[tuple[float, Callable[[float], None] | None]] = deque()
        self._waiting: deque[Message] = deque()
        self._waiters: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_arrived = False  # whether it is known whose socket it is
        self._held = True  # whether the front takes no messages
        self._stopped = False  # whether the other worker was told to send none
        self._is_full = False  # whether the client takes nothing
        self._shut = False  # whether messages are of no interest any more
        self._is_over = False
        self._ending = ABNORMAL, ""

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
        return not (self._is_full or self.link.full)

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
        if self.is_open and not self.writable:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        if not self.is_open:
            raise SocketClosed(*self._ending)

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
            self._ending = code, reason
            self._shut_out()

    def abort(self) -> None:
        """See WebSocket."""
        self.link.send(Kind.CUT)
        self._shut_out()

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """See WebSocket."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._worked)
        if self._is_over:
            task.cancel()
        return task

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            log.error("the task of a relayed WebSocket failed", exc_info=failure)
            self.close(INTERNAL_ERROR, _FAILED)

    # What is asked for where it is relayed to.

    def drain(self) -> None:
        """Asks for an end: this worker shuts down, or that of the client's connection does."""
        if not self._has_arrived:
            self.link.close()  # the worker that was about to ask keeps the socket
        elif self._draining is not None:
            self._guarded(self._draining)
        else:
            self.close(GOING_AWAY)

    def cut(self, code: int, reason: str) -> None:
        """Closes it without waiting for the client's answer."""
        self.close(code, reason)
        self._end(ABNORMAL, "")

    # What the other worker says.

    def _record(self, kind: Kind, payload: bytes) -> None:
        match kind:
            case Kind.TEXT:
                self._came(payload.decode())
            case Kind.BINARY:
                self._came(payload)
            case Kind.FULL | Kind.TAKEN:
                self._is_full = kind is Kind.FULL
                self._rouse()
            case Kind.PONG:
                at, answered = self._pings.popleft()
                if answered is not None:
                    self._guarded(partial(answered, self._loop.time() - at))
            case Kind.STALLED:
                if self._stalled is not None:
                    self._guarded(self._stalled)
            case Kind.DRAINING:
                self.drain()
            case Kind.CLOSED:
                # As with the listener's, what came before the client left is passed on.
                while self._waiting:
                    self._pass_on(self._waiting.popleft())
                self._end(*closed(payload))
            case Kind.ARRIVED:
                self._arrived(arrived(payload))
            case _:
                raise AssertionError(f"{kind} is the owner's to send")

    def _arrived(self, arrival: Arrival) -> None:
        self._has_arrived = True
        self.subprotocol = arrival.subprotocol
        is_adopted = False
        try:
            is_adopted = self._adopt(self, arrival)
        except Exception:
            log.exception("a relayed WebSocket can't be adopted")
        if is_adopted:
            self.link.send(Kind.ADOPTED)
        else:
            self.link.close()

    def _came(self, message: Message) -> None:
        if self._held or self._waiting:
            self._waiting.append(message)
            self._govern()
        else:
            self._pass_on(message)

    def _go_on(self) -> None:
        """Passes on what waits, as far as it is taken."""
        while self._waiting and not self._held:
            self._pass_on(self._waiting.popleft())
        self._govern()

    def _pass_on(self, message: Message) -> None:
        if self._message is not None and not self._shut:
            self._guarded(partial(self._message, message))

    def _govern(self) -> None:
        """Has the client read on, or no further."""
        stopped = bool(self._waiting)
        if stopped is not self._stopped:
            self._stopped = stopped
            self.link.send(Kind.HOLD if stopped else Kind.GO)

    def _rouse(self) -> None:
        """Wakes those who wait for the client to take more, if it does or never will."""
        if self.writable or not self.is_open:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    # The end.

    def _shut_out(self) -> None:
        """Takes no more messages: they must not stand before the client's answer to a close."""
        self._shut = True
        self._held = False
        self._waiting.clear()
        self._govern()
        self._rouse()

    def _lost(self) -> None:
        self._end(ABNORMAL, "")

    def _end(self, code: int, reason: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._ending = code, reason
        told, self._closed = self._closed, None
        self._message = self._draining = self._stalled = None
        self._waiting.clear()
        self._pings.clear()
        self._rouse()
        for task in list(self._tasks):
            task.cancel()
        self.link.close()
        self._left(self)
        if told is not None:
            self._guarded(partial(told, code, reason))

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            log.exception("a callback of a relayed WebSocket failed")
            self.close(INTERNAL_ERROR, _FAILED)
