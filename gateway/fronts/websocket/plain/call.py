"""One socket and its one call, from the upgrade to the end.

A unary call is a call with a completion, a streaming one a task of the socket's. When the client
leaves, the call is cancelled at its backend. Who answers an upgrade, and what the call carries, is
known before (`opening`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from gateway.call import Call, Cancel, Metadata, Reply, RpcError, StreamCall
from gateway.chain import as_error
from gateway.errors import error
from gateway.fronts.error_details import AnyToJson
from gateway.fronts.http_errors import draining
from gateway.fronts.keepalive import Handle, KeepAlive, Timer
from gateway.fronts.roster import Told
from gateway.fronts.websocket.codes import AWAY, NO_PONG
from gateway.fronts.websocket.plain.ending import close_code, reason
from gateway.fronts.websocket.plain.forms import Form
from gateway.fronts.websocket.plain.inbox import Inbox, One, Requests
from gateway.fronts.websocket.plain.outbox import Each, Replies, Single
from gateway.fronts.websocket.plain.routes import PlainRoute
from gateway.fronts.websocket.rates import Pace
from gateway.http import WebSocket
from gateway.http.websocket import NORMAL, Message
from gateway.routing.binding import Bound
from gateway.schema.method import Kind

IDLE: Final = "no message came"
SHUTTING_DOWN: Final = "the gateway is shutting down"

# The listener cuts what is left at the end of a drain: clients are told before.
_MARGIN: Final = 0.9


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """What a client may do over one WebSocket.

    Attributes:
        message_size: Bytes of one frame's message, unpacked.
        messages: Messages of a stream that are read in a second; more wait at the client.
        ping: Seconds between pings, which find clients that are gone.
        idle_timeout: Seconds until the first frame must have come, where the call waits for it.
        drain_timeout: Returns the seconds that a call may still take when the gateway shuts down,
            by the config of that time.
        compressed: Whether to take a client's offer to compress.
    """

    message_size: int = 1024 * 1024
    messages: float = 200.0
    ping: float = 25.0
    idle_timeout: float = 75.0
    drain_timeout: Callable[[], float] = lambda: 30.0
    compressed: bool = False


@dataclass(slots=True, kw_only=True)
class PlainStreamCall(StreamCall):
    """A streaming call, between the two directions of a socket."""

    requests: Requests
    replies: Replies

    @classmethod
    def of(cls, call: Call, requests: Requests, replies: Replies) -> PlainStreamCall:
        """Returns a call like another, between these two."""
        return cls(**call.parts(), requests=requests, replies=replies)

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        message = await self.requests.receive()
        if self.record is not None and message is not None:
            self.record.took(len(message))
        return message

    async def start(self, initial: Metadata) -> None:
        """See StreamCall. The plain form has no place for metadata."""

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        if self.record is not None:
            self.record.gave(len(message))
        await self.replies.send(message)


class Teller:
    """Tells the client of a socket how its call ended.

    Args:
        socket: The client's.
        form: How its frames are written.
        request_id: What names the call.
        any_to_json: Renders details.
    """

    __slots__ = ("_any_to_json", "_form", "_request_id", "_socket")

    def __init__(
        self, socket: WebSocket, form: Form, request_id: str, any_to_json: AnyToJson
    ) -> None:
        self._socket = socket
        self._form = form
        self._request_id = request_id
        self._any_to_json = any_to_json

    def tell(self, failure: RpcError) -> None:
        """Sends an error, and closes."""
        if self._socket.record is not None:
            self._socket.record.failed(failure)
        self._form.fail(self._socket, failure, self._request_id, self._any_to_json)
        self._socket.close(close_code(failure.status), reason(failure.status))


class PlainCall:
    """A call under way, or to be: the driver of its socket.

    Args:
        socket: The client's; nobody listens to it yet.
        form: How its frames are written.
        route: What is called.
        bound: Path and query, read.
        call: The call, without its message.
        tell: Tells the client of a failure, and closes.
        options: What the client may do.
        clock: The event loop's, seconds.
        timer: Calls later.
        lease: What must live as long as the call.
        enter: Enters the socket in the roster; returns what takes it out.
    """

    __slots__ = (
        "_bound", "_call", "_cancel", "_clock", "_form", "_inbox", "_keepalive", "_lease", "_left",
        "_options", "_over", "_route", "_socket", "_started", "_task", "_tell", "_timeout",
        "_timer",
    )  # fmt: skip

    def __init__(
        self,
        socket: WebSocket,
        form: Form,
        route: PlainRoute,
        bound: Bound,
        call: Call,
        *,
        tell: Callable[[RpcError], None],
        options: SocketOptions,
        clock: Callable[[], float],
        timer: Timer,
        lease: object,
        enter: Callable[[Callable[[], Told]], Callable[[], None]],
    ) -> None:
        self._socket = socket
        self._form = form
        self._route = route
        self._bound = bound
        self._call = call
        self._tell = tell
        self._options = options
        self._clock = clock
        self._timer = timer
        self._lease = lease
        self._left = enter(self._told)
        self._started = False
        self._over = False
        self._inbox: Inbox | None = None
        self._cancel: Cancel | None = None
        self._task: asyncio.Task[None] | None = None
        self._timeout: Handle | None = None
        self._keepalive = KeepAlive(socket, options.ping, timer, self._gone, self._hears)

    def run(self) -> None:
        """Starts the call, or waits for the frame that does."""
        self._socket.listen(self._received, self._closed, self._draining)
        if self._kind.client_streams:
            make = partial(self._form.request, self._bound)
            pace = Pace(self._options.messages)
            self._inbox = Inbox(self._socket, make, pace, self._clock, self._timer)
            self._stream(self._inbox)
        elif self._route.starts:
            self._guarded(self._start)
        else:
            self._wait()

    @property
    def _kind(self) -> Kind:
        return self._route.method.descriptor.kind

    # What the socket tells.

    def _received(self, frame: Message) -> None:
        if not self._over:
            self._guarded(partial(self._take, frame))

    def _take(self, frame: Message) -> None:
        content = self._form.content(frame)
        if self._inbox is not None:
            if content is None:
                self._inbox.end()
            else:
                self._inbox.put(content)
        elif not self._started:
            self._start(content)
        elif content is not None:
            taken = "no message, and one" if self._route.starts else "one message, and another one"
            raise error("UNEXPECTED_MESSAGE", f"This call takes {taken} came.")

    def _closed(self, _code: int, _reason: str) -> None:
        self._left()
        self._stop()

    def _told(self) -> Told:
        return Told(self._call.principal, {"streams": int(self._started and not self._over)})

    def _draining(self) -> None:
        if self._over:
            return
        if self._started:
            left = self._options.drain_timeout() * _MARGIN
            self._expire_in(left, lambda: self._fail(draining()))
        else:
            self._leave(AWAY, SHUTTING_DOWN)

    def _gone(self) -> None:
        self._leave(NO_PONG, "no answer to a ping")

    def _hears(self) -> bool:
        return self._inbox is None or not self._inbox.paused

    # Waiting for the first frame.

    def _wait(self) -> None:
        deadline = self._call.deadline
        left = None if deadline is None else deadline.remaining(self._clock())
        if left is None or left > self._options.idle_timeout:
            self._expire_in(self._options.idle_timeout, lambda: self._leave(AWAY, IDLE))
        else:
            self._expire_in(max(0.0, left), lambda: self._fail(_too_late()))

    def _expire_in(self, seconds: float, then: Callable[[], None]) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
        self._timeout = self._timer(seconds, then)

    # The call.

    def _start(self, content: bytes | None = None) -> None:
        """Starts the call of one message, that of path and query alone where there is no other."""
        bound = self._bound
        message = bound.message(b"") if content is None else self._form.request(bound, content)
        if self._timeout is not None:
            self._timeout.cancel()
        if self._kind.server_streams:
            self._stream(One(message))
            return
        self._started = True
        self._call.request = message
        cancel = self._route.method.start(self._call, self._done)
        if not self._over:
            self._cancel = cancel

    def _done(self, result: Reply | RpcError) -> None:
        self._cancel = None
        self._guarded(partial(self._answer, result))

    def _answer(self, result: Reply | RpcError) -> None:
        if isinstance(result, RpcError):
            raise result
        self._write(result.message)
        self._finish()

    def _stream(self, requests: Requests) -> None:
        self._started = True
        self._task = self._socket.spawn(self._run(requests))

    async def _run(self, requests: Requests) -> None:
        replies: Replies
        if self._kind.server_streams:
            replies = Each(self._socket, self._write)
        else:
            replies = Single(self._write)
        try:
            await self._route.method.stream(self._streaming(requests, replies))
            replies.end()
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            self._task = None
            self._fail(as_error(failure))
        else:
            self._task = None
            self._finish()

    def _streaming(self, requests: Requests, replies: Replies) -> PlainStreamCall:
        """Returns the call as a stream: in that one gates say who calls."""
        call = PlainStreamCall.of(self._call, requests, replies)
        self._call = call
        return call

    def _write(self, message: bytes) -> None:
        self._form.send(self._socket, message, self._route.reply)

    # The end.

    def _finish(self) -> None:
        self._leave(NORMAL, "")

    def _leave(self, code: int, text: str) -> None:
        self._stop()
        self._socket.close(code, text)

    def _fail(self, failure: RpcError) -> None:
        if not self._over:
            self._stop()
            self._tell(failure)

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            self._fail(as_error(failure))

    def _stop(self) -> None:
        """Ends the call, if it has not ended, and all timers."""
        self._over = True
        self._keepalive.stop()
        if self._timeout is not None:
            self._timeout.cancel()
        if self._inbox is not None:
            self._inbox.close()
        cancel, self._cancel = self._cancel, None
        if cancel is not None:
            cancel()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()


def _too_late() -> RpcError:
    return error("DEADLINE_EXCEEDED", "The deadline passed before a message came.")
