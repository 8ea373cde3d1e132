"""The two ways of making a stream's call: a unary one is a completion, any other a task.

Both take request messages from their stream when the backend wants one, and put replies and the end
there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from gateway.call import Call, Cancel, Code, Metadata, Reply, RpcError, StreamCall
from gateway.chain import Method, as_error
from gateway.errors import error
from gateway.fronts.numbered import of_message
from gateway.fronts.websocket.frames import End, Framing
from gateway.fronts.websocket.run import Run
from gateway.fronts.websocket.serving import Bodies, Serving
from gateway.fronts.websocket.session import Session
from gateway.fronts.websocket.stream import Stream
from gateway.head import Head
from gateway.record import RequestRecord

Headers: TypeAlias = "Mapping[str, str]"

NO_HEADERS: Final[Headers] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run works with.

    Attributes:
        session: Whose stream it is.
        stream: The stream.
        flush: Has written what is to be written.
        serving: What the call is made with.
        method: The method.
        bodies: How its messages are carried.
        framing: How frames are written.
        record: What is noted of the stream; None for nothing.
    """

    session: Session
    stream: Stream
    flush: Callable[[], None]
    serving: Serving
    method: Method
    bodies: Bodies
    framing: Framing
    record: RequestRecord | None = None

    def succeeded(self, trailers: Metadata, own: Headers = NO_HEADERS) -> None:
        """Ends the stream well; `own` are headers of the gateway's that were not told before."""
        told = [*own.items(), *self.serving.rules.response(trailers)]
        self.end(End(Code.OK, trailers=told))

    def end(self, end: End, *, drop: bool = False) -> None:
        """Ends the stream; see Session.end."""
        self.session.end(self.stream, end, drop=drop)
        if self.record is not None:
            self.record.end()

    def end_of(self, failure: RpcError, request_id: str, own: Headers) -> End:
        """Returns how the client is told of a failure."""
        if self.record is not None:
            self.record.failed(failure)
        return self.serving.end_of(failure, request_id, self.framing, own)


class UnaryRun(Run):
    """A unary call: made when its one message is there.

    Args:
        setting: What it works with.
        call: The call, without its message.
    """

    __slots__ = ("_call", "_cancel", "_made", "_setting")

    def __init__(self, setting: Setting, call: Call) -> None:
        self._setting = setting
        self._call = call
        self._cancel: Cancel | None = None
        self._made = False

    def begin(self) -> None:
        """See Run."""
        self.arrived()

    def arrived(self) -> None:
        """See Run."""
        try:
            self._take()
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            self.cancel()
            self._failed(failure)

    def written(self) -> None:
        """See Run."""

    def shows(self, head: Head) -> None:
        """See Run."""
        self._call.head = head

    def cancel(self) -> None:
        """See Run."""
        self._made = True
        if self._cancel is not None:
            self._cancel()

    def end_of(self, failure: RpcError) -> End:
        """See Run."""
        call = self._call
        return self._setting.end_of(failure, call.request_id, call.reply_headers or NO_HEADERS)

    def _take(self) -> None:
        setting = self._setting
        inflow = setting.stream.inflow
        if self._made:
            if inflow.inbox:
                raise one_too_many()
            return
        body = setting.session.take(setting.stream)
        if body is None:
            if inflow.ended:
                raise missing()
            return
        self._made = True
        self._call.request = setting.bodies.request(body)
        cancel = setting.method.start(self._call, self._done)
        if not setting.stream.outflow.ended:
            self._cancel = cancel

    def _done(self, result: Reply | RpcError) -> None:
        self._cancel = None
        setting = self._setting
        try:
            if isinstance(result, RpcError):
                self._failed(result)
            else:
                self._answer(result)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            self._failed(failure)
        setting.flush()

    def _answer(self, reply: Reply) -> None:
        setting = self._setting
        own = dict(self._call.reply_headers or NO_HEADERS)
        own.update((name.lower(), value) for name, value in reply.headers.items())
        headers = [*own.items(), *setting.serving.rules.response(reply.initial)]
        body = setting.bodies.reply(reply.message)
        if headers:
            setting.session.headers(setting.stream, headers)
        setting.session.send(setting.stream, body)
        setting.succeeded(reply.trailers)

    def _failed(self, failure: Exception) -> None:
        setting = self._setting
        setting.end(self.end_of(as_error(failure)))


@dataclass(slots=True, kw_only=True)
class StreamRun(StreamCall, Run):
    """A streaming call of any of the three kinds, and the task that runs it."""

    setting: Setting
    _loop: asyncio.AbstractEventLoop
    _takes_one: bool
    _gives_one: bool
    _task: asyncio.Task[None] | None = None
    _waiter: asyncio.Future[None] | None = None
    _received: int = 0
    _sent: asyncio.Future[None] | None = None
    _reply: bytes | None = None
    _headed: bool = False

    @classmethod
    def of(cls, setting: Setting, call: Call) -> StreamRun:
        """Returns a call like another."""
        return cls(
            **call.parts(),
            setting=setting,
            _loop=asyncio.get_running_loop(),
            _takes_one=not setting.method.descriptor.kind.client_streams,
            _gives_one=not setting.method.descriptor.kind.server_streams,
        )

    # Run.

    def begin(self) -> None:
        """See Run."""
        self._task = self._loop.create_task(self._run())

    def arrived(self) -> None:
        """See Run."""
        if self._is_full and self.setting.stream.inflow.inbox:
            self.cancel()
            end = self.end_of(one_too_many())
            self.setting.end(end, drop=True)
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def written(self) -> None:
        """See Run."""
        if self._sent is not None and not self._sent.done():
            self._sent.set_result(None)

    def shows(self, head: Head) -> None:
        """See Run."""
        self.head = head

    def cancel(self) -> None:
        """See Run."""
        if self._task is not None:
            self._task.cancel()

    def end_of(self, failure: RpcError) -> End:
        """See Run."""
        return self.setting.end_of(failure, self.request_id, self._untold)

    # StreamCall.

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        inflow = self.setting.stream.inflow
        while not self._is_full:
            if inflow.inbox:
                return self._take()
            if inflow.ended:
                if self._takes_one:
                    raise missing()
                return None
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        if inflow.inbox:
            raise one_too_many()
        return None

    async def start(self, initial: Metadata) -> None:
        """See StreamCall."""
        setting = self.setting
        headers = [*self._untold.items(), *setting.serving.rules.response(initial)]
        self._headed = True
        setting.session.headers(setting.stream, headers)
        setting.flush()

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        setting = self.setting
        if self.record is not None:
            self.record.gave(len(message))
        if self._gives_one:  # it is one only where the call ends well, and no other comes
            if self._reply is not None:
                raise error("UPSTREAM_PROTOCOL_ERROR", "The backend sent more than one reply.")
            self._reply = setting.bodies.reply(message)
            return
        setting.session.send(setting.stream, setting.bodies.reply(message))
        setting.flush()
        outflow = setting.stream.outflow
        if self.record is not None and outflow.waiting:
            self.record.stalls += 1
        while outflow.waiting:
            self._sent = self._loop.create_future()
            try:
                await self._sent
            finally:
                self._sent = None

    # Within.

    @property
    def _untold(self) -> Headers:
        """The gateway's own headers, until they were told."""
        return NO_HEADERS if self._headed else self.reply_headers or NO_HEADERS

    @property
    def _is_full(self) -> bool:
        """Whether all request messages that the method takes were received."""
        return self._takes_one and bool(self._received)

    def _take(self) -> bytes:
        setting = self.setting
        body = setting.session.take(setting.stream)
        assert body is not None, "the inbox has a message"
        if not setting.stream.inflow.taken:
            setting.flush()  # the client was granted more
        self._received += 1
        try:
            message = setting.bodies.request(body)
        except RpcError as failure:
            if self._takes_one:
                raise
            raise of_message(self._received, failure) from None
        if self.record is not None:
            self.record.took(len(message))
        return message

    def _one_reply(self) -> bytes:
        if self._reply is None:
            raise error("UPSTREAM_PROTOCOL_ERROR", "The backend ended the call without a reply.")
        return self._reply

    async def _run(self) -> None:
        setting = self.setting
        try:
            trailers = await setting.method.stream(self)
            if self._gives_one:
                setting.session.send(setting.stream, self._one_reply())
            setting.succeeded(trailers, self._untold)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            setting.end(self.end_of(as_error(failure)))
        setting.flush()


def missing() -> RpcError:
    """Returns the error of a call that takes one message and got none."""
    return error("MISSING_MESSAGE", "The method takes one message, and none was sent.")


def one_too_many() -> RpcError:
    """Returns the error of a call that takes one message and got more."""
    return error("UNEXPECTED_MESSAGE", "The method takes one message, and more were sent.")
