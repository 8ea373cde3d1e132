"""The request side of a plain call: frames that wait for the backend to take them.

What the backend does not take soon enough stays with the client: the socket is read no further
while more than `MOST` bytes wait, and for a while where frames come faster than they may.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from gateway.call import RpcError
from gateway.errors import error
from gateway.fronts.keepalive import Handle, Timer
from gateway.fronts.numbered import of_message
from gateway.fronts.websocket.rates import Pace
from gateway.http import WebSocket

MOST: Final = 64 * 1024
"""Bytes of frames that wait; one frame may, whatever its size."""


class Requests(Protocol):
    """Where a call's request messages come from."""

    async def receive(self) -> bytes | None:
        """Returns the next serialized request message; None when there are no more.

        Raises:
            RpcError: What the client sent is no message.
        """


class One:
    """A single message, made already."""

    __slots__ = ("_message",)

    def __init__(self, message: bytes) -> None:
        self._message: bytes | None = message

    async def receive(self) -> bytes | None:
        """See Requests."""
        message, self._message = self._message, None
        return message


class Inbox:
    """Frames of a client that streams.

    Args:
        socket: Where they come from; paused and resumed.
        make: A frame's content to the serialized request message. Raises RpcError.
        pace: How often a frame may come.
        clock: The pace's, seconds.
        timer: Calls later.
    """

    __slots__ = (
        "_clock", "_ended", "_make", "_number", "_pace", "_size", "_slowed", "_socket", "_timer",
        "_waiter", "_waiting", "paused",
    )  # fmt: skip

    def __init__(
        self,
        socket: WebSocket,
        make: Callable[[bytes], bytes],
        pace: Pace,
        clock: Callable[[], float],
        timer: Timer,
    ) -> None:
        self.paused = False
        self._socket = socket
        self._make = make
        self._pace = pace
        self._clock = clock
        self._timer = timer
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._number = 0
        self._ended = False
        self._slowed: Handle | None = None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, content: bytes) -> None:
        """Takes a frame in.

        Raises:
            RpcError: UNEXPECTED_MESSAGE: there were to be no more.
        """
        if self._ended:
            raise error("UNEXPECTED_MESSAGE", "A message came after the end of the requests.")
        self._waiting.append(content)
        self._size += len(content) + 1  # an empty one is not free either
        wait = self._pace.spend(self._clock())
        if wait > 0 and self._slowed is None:
            self._slowed = self._timer(wait, self._in_time)
        if not self.paused and (self._slowed is not None or self._size > MOST):
            self.paused = True
            self._socket.pause()
        self._rouse()

    def end(self) -> None:
        """Takes note that there are no more."""
        self._ended = True
        self._rouse()

    def close(self) -> None:
        """Calls nobody any more."""
        if self._slowed is not None:
            self._slowed.cancel()

    async def receive(self) -> bytes | None:
        """See Requests."""
        while not self._waiting:
            if self._ended:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        content = self._waiting.popleft()
        self._size -= len(content) + 1
        self._go_on()
        self._number += 1
        try:
            return self._make(content)
        except RpcError as failure:
            raise of_message(self._number, failure) from None

    def _in_time(self) -> None:
        self._slowed = None
        self._go_on()

    def _go_on(self) -> None:
        if self.paused and self._slowed is None and self._size <= MOST // 2:
            self.paused = False
            self._socket.resume()

    def _rouse(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
