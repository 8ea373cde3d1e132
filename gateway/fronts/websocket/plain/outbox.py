"""The reply side of a plain call: messages from the backend, each a frame to the client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from gateway.errors import error
from gateway.http import SocketClosed, WebSocket

_TURN: Final = 32
"""Messages after which others have a turn, if the client has taken all of them at once."""


class Replies(Protocol):
    """Where a call's reply messages go."""

    async def send(self, message: bytes) -> None:
        """Takes one serialized reply message; returns when another can be taken.

        Raises:
            RpcError: It is none.
        """

    def end(self) -> None:
        """Sends what was held back, when the call has ended well.

        Raises:
            RpcError: It has not.
        """


class Each:
    """Replies of a stream, sent as they come.

    Args:
        socket: The client's; waited for.
        write: Sends a serialized message to it.
    """

    __slots__ = ("_sent", "_socket", "_write")

    def __init__(self, socket: WebSocket, write: Callable[[bytes], None]) -> None:
        self._socket = socket
        self._write = write
        self._sent = 0

    async def send(self, message: bytes) -> None:
        """See Replies."""
        self._write(message)
        self._sent += 1
        if self._sent % _TURN == 0:
            await asyncio.sleep(0)
        if self._socket.writable:
            return
        try:
            await self._socket.drained()
        except SocketClosed:
            # The client has gone: that is the task's end, and no failure of the call.
            raise asyncio.CancelledError from None

    def end(self) -> None:
        """See Replies."""


class Single:
    """The one reply of a client-streaming call: it counts if the call ends well.

    Args:
        write: Sends a serialized message.
    """

    __slots__ = ("_message", "_write")

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._message: bytes | None = None

    async def send(self, message: bytes) -> None:
        """See Replies."""
        if self._message is not None:
            raise error("UPSTREAM_PROTOCOL_ERROR", "The backend sent more than one reply.")
        self._message = message

    def end(self) -> None:
        """See Replies."""
        if self._message is None:
            raise error("UPSTREAM_PROTOCOL_ERROR", "The backend ended the call without a reply.")
        self._write(self._message)
