"""One request and its reply: the interface between a listener and a front.

A front is a synchronous function of an `Exchange`. For a unary call it asks for the whole body
(`collect`), starts the call, and answers from the call's completion with `respond`: no task and no
future. For a stream it `spawn`s a task that reads `chunks` and writes with `write`, both of which
wait for the other side. The listener owns sockets, limits on time and size, and the framing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from enum import Enum
from typing import TypeAlias

from gateway.http.request import Request
from gateway.http.websocket import TOO_LARGE, TOO_LARGE_REASON, WebSocket
from gateway.kept import KeptBody
from gateway.record import RequestRecord

HeaderList: TypeAlias = "Sequence[tuple[str, str]]"

STREAM_IDLE = "stream idle"
DRAINING = "draining"
"""Why a listener cancels a spawned task whose client is still there: the message of its
`CancelledError` (`args[0]`). Such a task may still write its protocol's error, briefly."""


class BodyFault(Enum):
    """Why a request's body can't be had."""

    TOO_LARGE = "too large"
    TIMEOUT = "timeout"
    INCOMPLETE = "incomplete"  # bad chunk framing, or less than Content-Length
    ENCODING = "encoding"  # a Content-Encoding that the listener does not undo


class BodyError(Exception):
    """A request body that can't be had. The front answers it in its protocol's form.

    Attributes:
        fault: What is wrong.
        limit: The limit that was passed (bytes, or seconds for a timeout), where there is one.
    """

    def __init__(self, fault: BodyFault, limit: float | None = None) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.limit = limit


class Exchange(ABC):
    """One request and the means to answer it. Answer it once: `respond`, or `start` … `finish`.

    After the client has gone, `respond` and `finish` do nothing, `write` raises CancelledError in
    the spawned task (which is being cancelled anyway).
    """

    __slots__ = ()

    request: Request
    record: RequestRecord | None = None
    """What is noted of it; None for nothing."""

    @abstractmethod
    def collect(
        self, limit: int, then: Callable[[bytes], None], failed: Callable[[BodyError], None]
    ) -> None:
        """Reads the whole body and calls `then` with it, or `failed`; exactly one of the two, once.

        May call before it returns (a body that has arrived already, or none). A body of more than
        `limit` bytes fails as soon as that is known.
        """

    @abstractmethod
    def chunks(self) -> AsyncIterator[bytes]:
        """Iterates over the body as it arrives; what is not asked for stays in the client's socket.

        Chunks are not empty and have no meaning as units. Raises BodyError.
        """

    @abstractmethod
    def respond(
        self, status: int, headers: HeaderList, body: bytes, kept: KeptBody | None = None
    ) -> None:
        """Answers with a whole reply, of a status from 200 to 599.

        The listener adds `Content-Length`, `Date` and what the connection needs, and leaves the
        body out for `HEAD`, 204 and 304. It may send it packed, with what its head says then.

        Args:
            status: The reply's.
            headers: Its header fields.
            body: Its body.
            kept: Where the body is kept, so that it is packed once only.
        """

    @abstractmethod
    def start(self, status: int, headers: HeaderList) -> None:
        """Sends the head of a reply whose body follows by `write`."""

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Sends a part of the body at once; returns when the client can take more."""

    @abstractmethod
    async def finish(self) -> None:
        """Ends the reply that `start` began."""

    @abstractmethod
    def abort(self) -> None:
        """Cuts the connection, so that a reply that has begun can't pass for a whole one."""

    @abstractmethod
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
        """Answers an upgrade request: the connection is a WebSocket from now on.

        Args:
            subprotocol: One of those that the client offers (`offered_subprotocols`), or None.
            headers: Further header fields of the reply.
            message_size: Bytes that a message from the client may have, unpacked.
            too_large: The close code for a message that has more.
            too_large_reason: The reason that goes with it, at most 123 bytes as UTF-8.
            compressed: Whether to take the client's offer to compress, if it makes one.

        Returns:
            The WebSocket, or None where there is none: the handshake was not right, and was
            answered so, or the client has gone.

        Raises:
            ValueError: The client did not offer the subprotocol, or a header can't be sent, or
                `too_large` with its reason can't be.
        """

    @abstractmethod
    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Runs `work` as this exchange's task: cancelled when the client goes away.

        Work that ends without an answer, or raises, is a bug: the listener logs it and aborts.
        """

    @abstractmethod
    def on_gone(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once if the client goes away before the reply is complete."""


Handler: TypeAlias = "Callable[[Exchange], None]"
"""A front, to a listener. Must not raise; an exception is a bug, logged and answered with 500."""
