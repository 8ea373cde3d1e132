"""The sending side of a WebSocket: messages, pings and the close, and what a slow client is spared.

Where the client takes nothing, what must be said is said later or not at all; a front that sends
all the same fills the memory, so it looks at `writable`. Receiving is the `Socket`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from websockets.extensions import Extension
from websockets.frames import Frame, Opcode

from gateway.http.websocket import ABNORMAL, INTERNAL_ERROR, SocketClosed, WebSocket
from gateway.listener.pings import Pings
from gateway.listener.service import log
from gateway.wire.websocket_frames import (
    BINARY,
    CLOSE,
    INVALID_DATA,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT,
    close_payload,
    frame,
)

if TYPE_CHECKING:
    from gateway.listener.connection import Connection

REASONS: Final = {
    PROTOCOL_ERROR: "the frames break RFC 6455",
    INVALID_DATA: "a text message is not UTF-8",
    INTERNAL_ERROR: "the gateway failed",
}
"""What goes with a close code of the listener's own."""


class Sending(WebSocket):
    """What a WebSocket says to its client."""

    __slots__ = (
        "_connection",
        "_ending",
        "_is_open",
        "_is_over",
        "_late_pong",
        "_packing",
        "_pings",
        "_stalled",
        "subprotocol",
    )

    def __init__(
        self, connection: Connection, packing: Extension | None, subprotocol: str | None
    ) -> None:
        self.subprotocol = subprotocol
        self._connection = connection
        self._packing = packing
        self._stalled: tuple[float, Callable[[], None]] | None = None
        self._pings: Pings | None = None
        self._late_pong: bytes | None = None
        self._ending: tuple[int, str] | None = None
        self._is_open = True  # whether no close was sent
        self._is_over = False

    @property
    def is_open(self) -> bool:
        """See WebSocket."""
        return self._is_open

    @property
    def writable(self) -> bool:
        """See WebSocket."""
        return not self._connection.full

    def send_text(self, text: str | bytes) -> None:
        """See WebSocket."""
        if self._is_open:
            self._send(TEXT, text.encode() if isinstance(text, str) else text)

    def send_binary(self, data: bytes) -> None:
        """See WebSocket."""
        if self._is_open:
            self._send(BINARY, data)

    def _send(self, opcode: int, data: bytes) -> None:
        if self._packing is None:
            self._connection.send_soon(frame(opcode, data))
        else:
            packed = self._packing.encode(Frame(Opcode(opcode), data))
            self._connection.send_soon(frame(opcode, packed.data, packed=packed.rsv1))

    async def drained(self) -> None:
        """See WebSocket."""
        if self._connection.full:
            await self._connection.drained()
        if not self._is_open:
            raise SocketClosed(*(self._ending or (ABNORMAL, "")))

    def when_stalled(self, seconds: float, stalled: Callable[[], None]) -> None:
        """See WebSocket."""
        self._stalled = (seconds, stalled)
        self._connection.watch_stall_anew()

    def ping(self, answered: Callable[[float], None] | None = None) -> None:
        """See WebSocket."""
        if not self._is_open:
            return
        if self._pings is None:
            self._pings = Pings()
        connection = self._connection
        connection.send_soon(frame(PING, self._pings.sends(connection.loop.time(), answered)))

    def _say_close(self, code: int, reason: str) -> None:
        self._connection.send_soon(frame(CLOSE, close_payload(code, reason)))
        self._is_open = False
        self._ending = code, reason

    # A client that takes nothing.

    def taken(self) -> None:
        """Takes note that the client has taken what it was slow to take."""
        late, self._late_pong = self._late_pong, None
        if late is not None:
            self._pong(late)

    @property
    def stall_timeout(self) -> float | None:
        """The seconds that a client may take nothing, if the front has a word in it."""
        return None if self._stalled is None else self._stalled[0]

    def stalled(self) -> None:
        """Takes note that the client has taken nothing for so long."""
        if self._stalled is None or not self._is_open:
            self._connection.abort()
        else:
            self._guarded(self._stalled[1])

    # Pings.

    def _pong(self, data: bytes) -> None:
        """Answers a ping; of a client that takes nothing only the last one (RFC 6455 5.5.3)."""
        if self._connection.full:
            self._late_pong = data
        elif not self._is_over:
            self._connection.send_soon(frame(PONG, data))

    def _ponged(self, data: bytes) -> None:
        if self._pings is not None:
            for answered, seconds in self._pings.answers(data, self._connection.loop.time()):
                self._guarded(lambda: answered(seconds))  # noqa: B023  called at once

    # Callbacks.

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:  # noqa: BLE001  whatever a bug raises, the client is told
            self._bug()

    def _bug(self) -> None:
        log.exception("a WebSocket's callback failed")
        self.close(INTERNAL_ERROR, REASONS[INTERNAL_ERROR])
