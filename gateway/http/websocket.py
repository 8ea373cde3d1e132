"""A WebSocket: the interface between a listener and a front (RFC 6455).

Messages are passed by a callback, called as they arrive: no task and no future a message. Whoever
can't take more says `pause`; then the client is read no further. Whoever sends looks at `writable`,
or awaits `send`. `Messages` has messages awaited one at a time instead.

Framing, ping replies, the close handshake and its time are the listener's.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Final, TypeAlias

from gateway.http.request import Request
from gateway.record import RequestRecord

Message: TypeAlias = "str | bytes"
"""A text message or a binary one."""

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
ABNORMAL: Final = 1006
TOO_LARGE: Final = 1009
INTERNAL_ERROR: Final = 1011
TRY_AGAIN_LATER: Final = 1013
"""Close codes (RFC 6455 section 7.4.1, and the IANA registry). ABNORMAL is never sent: the
connection was lost."""

TOO_LARGE_REASON: Final = "the message is larger than is allowed"
"""What goes with TOO_LARGE, where a front has no words of its own."""

REASON_SIZE: Final = 123
"""Bytes of a reason as UTF-8: what a control frame holds beside the code (RFC 6455 5.5)."""


class SocketClosed(Exception):  # noqa: N818  an end, not always an error
    """The WebSocket is closed.

    Attributes:
        code: Its close code.
        reason: What was said with it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class WebSocket(ABC):
    """An open WebSocket.

    After it has closed, what is sent goes nowhere, and `send` raises SocketClosed.
    """

    __slots__ = ()

    subprotocol: str | None
    """What was chosen of the client's `Sec-WebSocket-Protocol`."""

    record: RequestRecord | None = None
    """What is noted of it; None for nothing."""

    @abstractmethod
    def listen(
        self,
        message: Callable[[Message], None],
        closed: Callable[[int, str], None],
        draining: Callable[[], None] | None = None,
    ) -> None:
        """Says who is told; messages wait until then.

        Callbacks must not raise: that is a bug, logged, and the WebSocket is closed with 1011.

        Args:
            message: Called with each message, in order, as it arrives.
            closed: Called once, last, with close code and reason; 1005 for a close without a code,
                1006 where the connection was lost.
            draining: Called when the listener wants to end: say goodbye, and `close`. Without it
                the WebSocket is closed with 1001. What is open at the end of the drain is closed.
        """

    @abstractmethod
    def pause(self) -> None:
        """Has no further message passed; what the client sends stays with it.

        Pings, pongs and the end are seen all the same, while no more than 64 KiB stand before them.
        When the client has closed, what came before is passed on in spite of it.
        """

    @abstractmethod
    def resume(self) -> None:
        """Has messages passed again, soon."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether messages can be sent: the closing has not begun."""

    @property
    @abstractmethod
    def writable(self) -> bool:
        """Whether the client takes what it is sent. While not, send nothing that can wait."""

    @abstractmethod
    def send_text(self, text: str | bytes) -> None:
        """Sends a text message without waiting; bytes are UTF-8 already."""

    @abstractmethod
    def send_binary(self, data: bytes) -> None:
        """Sends a binary message without waiting."""

    @abstractmethod
    async def drained(self) -> None:
        """Returns when the client can take more.

        Raises:
            SocketClosed: It will take nothing more.
        """

    @abstractmethod
    def when_stalled(self, seconds: float, stalled: Callable[[], None]) -> None:
        """Says who is told of a client that takes nothing, and when.

        Without it the connection is cut after the listener's `stream_idle_timeout`.

        Args:
            seconds: How long a client may take nothing at all of what waits for it.
            stalled: Called when it has, and again after as long: `close`, which ends in a cut if
                the client still takes nothing, or `abort`.
        """

    async def send(self, message: Message) -> None:
        """Sends a message; returns when the client can take more.

        Raises:
            SocketClosed: It will take nothing more.
        """
        if isinstance(message, str):
            self.send_text(message)
        else:
            self.send_binary(message)
        await self.drained()

    @abstractmethod
    def ping(self, answered: Callable[[float], None] | None = None) -> None:
        """Sends a ping (RFC 6455 section 5.5.2).

        Args:
            answered: Called with the seconds it took, when the pong to it or to a later one is
                there; never, if none comes. It may be called from among messages.
        """

    @abstractmethod
    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Begins the close handshake; the connection is cut if the client does not answer in time.

        Args:
            code: 1000 to 1014 (not 1004, 1005, 1006), or 3000 to 4999.
            reason: At most 123 bytes as UTF-8; what is longer is cut.
        """

    @abstractmethod
    def abort(self) -> None:
        """Cuts the connection."""

    @abstractmethod
    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Runs `work` as a task that is cancelled when the WebSocket has closed.

        Work that raises is a bug, logged, and the WebSocket is closed with 1011.
        """


class Messages:
    """A WebSocket's messages, awaited one at a time.

    Args:
        socket: A WebSocket that nobody listens to yet.
        most: Bytes of messages that wait to be received; with more, the client is read no further.
    """

    __slots__ = ("_closed", "_most", "_paused", "_size", "_socket", "_waiter", "_waiting")

    def __init__(self, socket: WebSocket, most: int = 64 * 1024) -> None:
        self._socket = socket
        self._most = most
        self._size = 0
        self._waiting: deque[Message] = deque()
        self._closed: SocketClosed | None = None
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        socket.listen(self._take, self._end)

    async def receive(self) -> Message:
        """Returns the next message. One caller at a time.

        Raises:
            SocketClosed: There is none left, and none will come.
        """
        while not self._waiting:
            if self._closed is not None:
                raise SocketClosed(self._closed.code, self._closed.reason)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message = self._waiting.popleft()
        self._size -= len(message) + 1
        if self._paused and self._size <= self._most // 2:
            self._paused = False
            self._socket.resume()
        return message

    def _take(self, message: Message) -> None:
        self._waiting.append(message)
        self._size += len(message) + 1  # an empty message is not free either
        if self._size > self._most and not self._paused:
            self._paused = True
            self._socket.pause()
        self._rouse()

    def _end(self, code: int, reason: str) -> None:
        self._closed = SocketClosed(code, reason)
        self._rouse()

    def _rouse(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def size_of(message: Message) -> int:
    """Returns the bytes of a message, without making them where that can be known."""
    if isinstance(message, bytes) or message.isascii():
        return len(message)
    return len(message.encode())


def asks_for_websocket(request: Request) -> bool:
    """Returns whether a request wants to become a WebSocket, rightly or not."""
    upgrades = request.headers.all("upgrade")
    return bool(upgrades) and any(
        name.strip().lower() == "websocket" for name in ",".join(upgrades).split(",")
    )


def offered_subprotocols(request: Request) -> list[str]:
    """Returns the subprotocols that a client offers, in its order of preference."""
    offered = ",".join(request.headers.all("sec-websocket-protocol")).split(",")
    return [name for text in offered if (name := text.strip())]
