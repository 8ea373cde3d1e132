"""One call, as its user sees it: messages out, messages in, metadata, a status.

All waiting for the other side is here; what happens is the exchange's and its session's.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Final, Self

from gateway.call import Code
from gateway.client.connection import Connection
from gateway.client.errors import RpcError, Status, ended
from gateway.client.exchange import Exchange, Opening, Phase
from gateway.client.frames import Metadata
from gateway.client.framing import Framing, Reader
from gateway.client.session import CANCELLED

_GRACE: Final = 1.0  # seconds that the gateway has to say itself that the time is over
_LATE: Final = ended(Code.DEADLINE_EXCEEDED, "The time for the call is over.")


class Stream:
    """One call, made by `Gateway.stream`: to be used in `async with`, which makes it.

    To leave the block before the call has ended cancels it. Iterating gives the messages, and
    raises RpcError at the end of a call that failed. Each message that is taken makes room for
    another: who takes none has the backend wait.
    """

    def __init__(
        self, connection: Connection, framing: Framing, opening: Opening, reader: Reader
    ) -> None:
        self._connection = connection
        self._framing = framing
        self._reader = reader
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._exchange = Exchange(opening, self._changed.set)
        self._turn = asyncio.Lock()  # of those who send: one message at a time asks for room
        self._timer: asyncio.TimerHandle | None = None
        self._entered = False

    def __repr__(self) -> str:
        return f"<Stream {self._exchange.opening.method} {self._exchange.phase.name}>"

    async def __aenter__(self) -> Self:
        if self._entered:
            raise RuntimeError("a stream is one call: make another for another")
        self._entered = True
        self._connection.begin(self._exchange)
        deadline = self._exchange.opening.deadline
        if deadline is not None:
            self._timer = self._loop.call_at(deadline, self._late)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cancel()
        if self._timer is not None:
            self._timer.cancel()

    # Sending.

    async def send(self, message: Any, *, end: bool = False) -> None:
        """Sends a request message; waits until the gateway has room for it.

        Messages of several tasks are sent in the order in which they were given.

        Args:
            message: In JSON a value as of `json`, else a protobuf message or bytes.
            end: Whether it is the last.

        Raises:
            RpcError: The call has failed.
            RuntimeError: There can be no further message: `end` was said, or the call is over.
            TypeError: The message is of a type that can't be sent.
            ValueError: The message can't be written, or is larger than the gateway takes.
        """
        exchange, body = self._exchange, self._framing.body(message)
        async with self._turn:
            try:
                self._check_open()
                while not self._may_send(len(body)):
                    await self._change()
                    self._check_open()
            except BaseException:
                exchange.sending.withdraw()
                raise
            assert exchange.carrier is not None
            exchange.carrier.send(exchange, body, end=end)

    def _may_send(self, size: int) -> bool:
        """Whether a message may be sent now. Raises ValueError where it never may."""
        carrier = self._exchange.carrier
        if carrier is None:
            return False
        most = carrier.limits.message_size
        if size > most:
            raise ValueError(f"a message of {size} bytes; the gateway takes {most}")
        return self._exchange.sending.ask(size)

    async def end(self) -> None:
        """Says that there are no more requests. Without effect where that is said, or all is over.

        Raises:
            RuntimeError: The stream's block was not entered.
        """
        self._check_entered()
        while self._exchange.phase is Phase.WAITING and not self._exchange.closed:
            await self._change()
        if self._exchange.phase is Phase.OPEN and not self._exchange.closed:
            assert self._exchange.carrier is not None
            self._exchange.carrier.send(self._exchange, None, end=True)
            self._changed.set()  # who waits to send hears of it, and stands in nobody's way

    def cancel(self) -> None:
        """Ends the call at both sides. Without effect where it is over."""
        if self._entered:
            self._connection.leave(self._exchange, CANCELLED)

    # Receiving.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        exchange = self._exchange
        self._check_entered()
        while not exchange.inbox:
            if exchange.status is not None:
                if exchange.status.ok:
                    raise StopAsyncIteration
                raise RpcError.of(exchange.status)
            await self._change()
        assert exchange.carrier is not None
        return self._reader(exchange.carrier.take(exchange))

    async def headers(self) -> Metadata:
        """Waits for the backend's initial metadata: pairs in order, () where there is none."""
        self._check_entered()
        while self._exchange.headers is None:
            await self._change()
        return self._exchange.headers

    async def status(self) -> Status:
        """Waits for the end of the call. It stands behind the messages, which must be taken."""
        self._check_entered()
        while self._exchange.status is None:
            await self._change()
        return self._exchange.status

    async def only(self) -> Any:
        """Waits for the reply of a call that has one.

        Raises:
            RpcError: The call failed, or has no reply, or several.
        """
        reply = await anext(self, _NOTHING)
        another = _NOTHING if reply is _NOTHING else await anext(self, _NOTHING)
        if another is not _NOTHING:
            raise _internal("There is more than one reply: it is a call for stream().")
        if reply is _NOTHING:
            raise _internal("The call ended without a reply.")
        return reply

    # Waiting.

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _late(self) -> None:
        """Ends a call whose time is over: at once if it waits, else when the gateway doesn't."""
        deadline = self._exchange.opening.deadline
        assert deadline is not None
        over = deadline + _GRACE
        if self._exchange.phase is Phase.OPEN and self._loop.time() < over:
            self._timer = self._loop.call_at(over, self._late)
        else:
            self._connection.leave(self._exchange, _LATE)

    def _check_entered(self) -> None:
        if not self._entered:
            raise RuntimeError("a stream is used in `async with`")

    def _check_open(self) -> None:
        self._check_entered()
        status = self._exchange.status
        if status is not None:
            if not status.ok:
                raise RpcError.of(status)
            raise RuntimeError("the call is over: nothing can be sent any more")
        if self._exchange.closed:
            raise RuntimeError("the end was said: nothing can be sent any more")


_NOTHING: Final = object()


def _internal(message: str) -> RpcError:
    return RpcError.of(ended(Code.INTERNAL, message))
