"""A WebSocket on a connection: `gateway.http.WebSocket` by websockets' sans-IO protocol.

The protocol reads and writes frames; here messages are joined, passed on, held back, and the times
of the closing kept. It owns neither the socket nor its timer: the `Connection` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Final

from websockets.exceptions import ProtocolError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN, Event
from websockets.server import ServerProtocol

from gateway.http.websocket import (
    ABNORMAL,
    GOING_AWAY,
    INTERNAL_ERROR,
    NORMAL,
    REASON_SIZE,
    Message,
    SocketClosed,
    WebSocket,
)
from gateway.listener.handshake import REASONS
from gateway.listener.limits import CLOSE_SECONDS, READ_AHEAD
from gateway.listener.service import log

if TYPE_CHECKING:
    from gateway.listener.connection import Connection

_TEXT, _BINARY, _CONT, _PING, _PONG = (
    Opcode.TEXT,
    Opcode.BINARY,
    Opcode.CONT,
    Opcode.PING,
    Opcode.PONG,
)
_PINGS: Final = 16  # unanswered ones that are remembered
# What is given to the protocol at once: compressed bytes may unpack to a thousand times as many.
_PIECE: Final = READ_AHEAD
_PACKED_PIECE: Final = 1024


class Socket(WebSocket):
    """A connection after its upgrade."""

    __slots__ = (
        "_closed",
        "_connection",
        "_draining",
        "_frames",
        "_is_over",
        "_joined",
        "_message",
        "_opcode",
        "_pinged",
        "_pings",
        "_protocol",
        "_receiving",
        "_shut",
        "_tasks",
        "held",
        "subprotocol",
    )

    def __init__(
        self, connection: Connection, protocol: ServerProtocol, subprotocol: str | None
    ) -> None:
        self.subprotocol = subprotocol
        self.held = True
        self._connection = connection
        self._protocol = protocol
        self._message: Callable[[Message], None] | None = None
        self._closed: Callable[[int, str], None] | None = None
        self._draining: Callable[[], None] | None = None
        self._frames: Sequence[Event] | None = None
        self._joined: bytearray | None = None
        self._opcode = _TEXT
        self._pings: dict[bytes, tuple[float, Callable[[float], None] | None]] | None = None
        self._pinged = 0
        self._tasks: set[asyncio.Task[None]] | None = None
        self._receiving = False
        self._shut = False  # whether messages are of no interest any more
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
        self.held = True

    def resume(self) -> None:
        """See WebSocket."""
        if self.held and self._message is not None:
            self.held = False
            self._connection.loop.call_soon(self._go_on)

    @property
    def is_open(self) -> bool:
        """See WebSocket."""
        return self._protocol.state is OPEN and not self._is_over

    @property
    def writable(self) -> bool:
        """See WebSocket."""
        return not self._connection.full

    def send_text(self, text: str | bytes) -> None:
        """See WebSocket."""
        if self.is_open:
            self._protocol.send_text(text.encode() if isinstance(text, str) else text)
            self._write()

    def send_binary(self, data: bytes) -> None:
        """See WebSocket."""
        if self.is_open:
            self._protocol.send_binary(data)
            self._write()

    async def drained(self) -> None:
        """See WebSocket."""
        if self._connection.full:
            await self._connection.drained()
        if not self.is_open:
            raise SocketClosed(*self._ending())

    def ping(self, answered: Callable[[float], None] | None = None) -> None:
        """See WebSocket."""
        if not self.is_open:
            return
        if self._pings is None:
            self._pings = {}
        if len(self._pings) >= _PINGS:
            del self._pings[next(iter(self._pings))]
        self._pinged += 1
        payload = b"%d" % self._pinged
        self._pings[payload] = (self._connection.loop.time(), answered)
        self._protocol.send_ping(payload)
        self._write()

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """See WebSocket."""
        if not self.is_open:
            return
        cut = reason.encode()[:REASON_SIZE].decode(errors="ignore")
        try:
            self._protocol.send_close(code, cut)
        except ProtocolError:
            raise ValueError(f"{code} is no close code that may be sent") from None
        self._write()
        self._connection.expire_in(CLOSE_SECONDS)
        # What waits is thrown away: it must not stand before the client's answer.
        self._shut = True
        self.held = False
        self._frames = None
        self._connection.loop.call_soon(self._go_on)

    def abort(self) -> None:
        """See WebSocket."""
        self._connection.abort()

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """See WebSocket."""
        task = self._connection.loop.create_task(work)
        if self._tasks is None:
            self._tasks = set()
        self._tasks.add(task)
        self._connection.service.tasks.add(task)
        task.add_done_callback(self._worked)
        if self._is_over:
            task.cancel()
        return task

    def _worked(self, task: asyncio.Task[None]) -> None:
        self._connection.service.tasks.discard(task)
        if self._tasks is not None:
            self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a WebSocket's task failed", exc_info=error)
            self.close(INTERNAL_ERROR, REASONS[INTERNAL_ERROR])

    # What the connection tells.

    def received(self, data: bytes) -> None:
        """Takes bytes in, and passes messages on."""
        connection = self._connection
        if self.held or self._frames or connection.unread:
            connection.buffer().extend(data)
            connection.govern_reading()
            return
        if (len(data) > _PACKED_PIECE and self._protocol.extensions) or len(data) > _PIECE:
            connection.buffer().extend(data)
            self._go_on()
            return
        self._receiving = True
        self._protocol.receive_data(data)
        self._pass_on(self._protocol.events_received())
        self._receiving = False
        self._write_at_once()

    def expired(self) -> None:
        """Takes note that the client has not answered the close in time."""
        self._connection.abort()

    def lost(self) -> None:
        """Takes note that the connection is closed."""
        self._end(ABNORMAL, "")

    def drain(self) -> None:
        """Asks for an end."""
        if self._draining is not None:
            self._guarded(self._draining)
        else:
            self.close(GOING_AWAY)

    def cut(self) -> None:
        """Ends it; the connection is cut soon."""
        self.close(GOING_AWAY)

    # Receiving.

    def _go_on(self) -> None:
        """Passes on what was held back, as far as it is taken."""
        connection = self._connection
        if self._receiving or self.held or self._is_over:
            return
        piece = _PACKED_PIECE if self._protocol.extensions else _PIECE
        self._receiving = True
        frames, self._frames = self._frames, None
        if frames:
            self._pass_on(frames)
        while self._takes_bytes() and connection.unread:
            received = connection.buffer()
            data = bytes(received[:piece])
            del received[:piece]
            self._protocol.receive_data(data)
            self._pass_on(self._protocol.events_received())
        self._receiving = False
        self._write_at_once()
        if not self._is_over:
            connection.govern_reading()

    def _takes_bytes(self) -> bool:
        return not (self.held or self._is_over or self._frames)

    def _pass_on(self, frames: Sequence[Event]) -> None:
        for at, frame in enumerate(frames):
            if self.held:
                self._frames = frames[at:]
                return
            if isinstance(frame, Frame):  # the protocol's other events are of handshakes
                self._frame(frame)

    def _frame(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is _TEXT or opcode is _BINARY:
            if frame.fin:
                self._whole(opcode, frame.data)
            else:
                self._opcode = opcode
                self._joined = bytearray(frame.data)
        elif opcode is _CONT and self._joined is not None:
            self._joined += frame.data
            if frame.fin:
                joined, self._joined = self._joined, None
                self._whole(self._opcode, joined)
        elif opcode is _PONG:
            self._pong(bytes(frame.data))

    def _whole(self, opcode: Opcode, data: bytes | bytearray | memoryview) -> None:
        if self._message is None or self._shut:
            return
        message: Message
        if opcode is _TEXT:
            try:
                message = str(data, "utf-8")
            except UnicodeDecodeError:
                self._shut = True
                if self._protocol.state is OPEN:
                    self._protocol.fail(CloseCode.INVALID_DATA)
                return
        else:
            message = bytes(data)
        try:
            self._message(message)
        except Exception:  # noqa: BLE001  whatever a bug raises, the client is told
            self._bug()

    def _pong(self, payload: bytes) -> None:
        pings = self._pings
        if pings is None or payload not in pings:
            return  # one that nobody asked for (RFC 6455 5.5.3)
        now = self._connection.loop.time()
        for sent in list(pings):  # a pong answers all pings before its own
            at, answered = pings.pop(sent)
            if answered is not None:
                self._guarded(lambda: answered(now - at))  # noqa: B023  called at once
            if sent == payload:
                break

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:  # noqa: BLE001  whatever a bug raises, the client is told
            self._bug()

    def _bug(self) -> None:
        log.exception("a WebSocket's callback failed")
        self.close(INTERNAL_ERROR, REASONS[INTERNAL_ERROR])

    # Sending, and the end.

    def _write(self) -> None:
        """Sends what the protocol has to say, with all else of this loop iteration."""
        if not self._receiving:
            for data in self._protocol.data_to_send():
                self._connection.send_soon(data)

    def _write_at_once(self) -> None:
        """Sends what the protocol has to say to what it received."""
        writes = self._protocol.data_to_send()
        if not writes:
            return
        over = not writes[-1]  # what it says when the connection is to end
        data = writes[0] if len(writes) == 1 else b"".join(writes)
        if data:
            self._connection.send(data)
        if over:
            self._finish()

    def _finish(self) -> None:
        """Ends after a close handshake, or because the client broke the protocol."""
        failed = self._protocol.close_rcvd is None
        connection = self._connection
        frames, self._frames = self._frames, None
        for frame in frames or ():  # they came before the close, if also while held back
            if isinstance(frame, Frame):
                self._frame(frame)
        self._end(*self._ending())
        connection.close(reading=failed)

    def _ending(self) -> tuple[int, str]:
        close = self._protocol.close_rcvd or self._protocol.close_sent
        return (ABNORMAL, "") if close is None else (int(close.code), close.reason)

    def _end(self, code: int, reason: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        closed, self._closed = self._closed, None
        self._message = self._draining = self._frames = self._pings = None
        for task in list(self._tasks or ()):
            task.cancel()
        if closed is not None:
            self._guarded(lambda: closed(code, reason))
