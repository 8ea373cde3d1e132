"""A WebSocket on a connection: `gateway.http.WebSocket`, from frames and to frames.

Frames are read by `incoming`. Here messages are passed on and held back, pings answered, and the
times of the closing kept. It owns neither the socket nor its timer: the `Connection` does. What has
come and was not taken waits in the connection's buffer; who sends much has it taken in turns with
other connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Final, cast

from websockets.extensions import Extension

from gateway.http.websocket import (
    ABNORMAL,
    GOING_AWAY,
    INTERNAL_ERROR,
    NORMAL,
    REASON_SIZE,
    TOO_LARGE,
    Message,
)
from gateway.listener.limits import CLOSE_SECONDS
from gateway.listener.sending import REASONS, Sending
from gateway.listener.service import log
from gateway.wire.websocket import Incoming
from gateway.wire.websocket_frames import (
    BINARY,
    CLOSE,
    CONT,
    FIN,
    PING,
    PONG,
    TEXT,
    Broken,
    Received,
    frame,
    payload,
    read_close,
    span,
)

if TYPE_CHECKING:
    from gateway.listener.connection import Connection

_MESSAGES: Final = frozenset((TEXT, BINARY))
_ALIVE: Final = frozenset((FIN | PING, FIN | PONG))
_TURN: Final = 256 * 1024  # what is taken at once: bytes, unpacked, and so many for each frame:
_A_FRAME: Final = 1024


class Socket(Sending):
    """A connection after its upgrade.

    Attributes:
        held: Whether messages are held back.
        behind: Whether there is more to take, and its turn comes soon.
        record: What is noted of it; None for nothing.
    """

    __slots__ = (
        "_closed",
        "_draining",
        "_incoming",
        "_is_leaving",
        "_message",
        "_seen",
        "_shut",
        "_tasks",
        "_too_large",
        "behind",
        "held",
        "record",
    )

    def __init__(
        self,
        connection: Connection,
        incoming: Incoming,
        packing: Extension | None,
        too_large: tuple[int, str],
        subprotocol: str | None,
    ) -> None:
        super().__init__(connection, packing, subprotocol)
        self.held = True
        self.behind = False
        self.record = None
        self._incoming = incoming
        self._too_large = too_large
        self._message: Callable[[Message], None] | None = None
        self._closed: Callable[[int, str], None] | None = None
        self._draining: Callable[[], None] | None = None
        self._tasks: set[asyncio.Task[None]] | None = None
        self._seen = 0  # bytes of what is held back that were looked through for control frames
        self._shut = False  # whether messages are of no interest any more
        self._is_leaving = False  # whether a close of the client's is behind what is held back

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
        self.held = not self._is_leaving

    def resume(self) -> None:
        """See WebSocket."""
        if self.held and self._message is not None:
            self.held = False
            self._go_on_soon()

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """See WebSocket."""
        if not self._is_open:
            return
        self._say_close(code, reason.encode()[:REASON_SIZE].decode(errors="ignore"))
        self._connection.expire_in(CLOSE_SECONDS)
        # What waits is thrown away: it must not stand before the client's answer.
        self._shut = True
        self._leave()

    def abort(self) -> None:
        """See WebSocket."""
        self._shut = True
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
        if self.held or self.behind:
            self._keep(data)
        elif connection.unread:
            connection.buffer().extend(data)
            self._go_on()
        else:
            connection.cork()
            taken = self._take(data)
            connection.flush()
            if taken < len(data):
                self._keep(data[taken:])

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

    def _go_on_soon(self) -> None:
        if not self.behind:
            self.behind = True
            self._connection.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Passes on what waits, as far as it is taken."""
        self.behind = False
        connection = self._connection
        if self.held or self._is_over:
            return
        if connection.unread:
            buffer = connection.buffer()
            connection.cork()
            taken = self._take(buffer)
            connection.flush()
            del buffer[:taken]
            self._seen = max(0, self._seen - taken)
        self._keep(b"")

    def _keep(self, data: bytes) -> None:
        """Leaves what was not taken for later."""
        connection = self._connection
        if self._is_over:
            return
        if data:
            connection.buffer().extend(data)
        if self.held and connection.unread:
            self._look_ahead()
        if connection.ended and not self.behind:
            self._finish(ABNORMAL, "", reading=False)
        else:
            connection.govern_reading()

    def _take(self, data: Received) -> int:
        """Takes frame after frame; returns how far it came."""
        at, left = 0, _TURN
        try:
            while not self.held:
                event = self._incoming.next(data, at)
                if event is None:
                    return at
                opcode, brought, at = event
                if opcode in _MESSAGES:
                    self._pass_on(brought)
                elif opcode != CONT and self._control(opcode, cast("bytes", brought)):
                    return len(data)
                left -= _A_FRAME + len(brought)
                if left < 0 and at < len(data):
                    self._go_on_soon()
                    return at
        except Broken as broken:
            self._fail(broken.code)
            return len(data)
        return at

    def _pass_on(self, message: Message) -> None:
        if self._message is not None and not self._shut:
            try:
                self._message(message)
            except Exception:  # noqa: BLE001  whatever a bug raises, the client is told
                self._bug()

    def _control(self, opcode: int, data: bytes) -> bool:
        """Takes a control frame; returns whether it was the last frame of all."""
        if opcode == PING:
            self._pong(data)
        elif opcode == PONG:
            self._ponged(data)
        else:
            code, reason = read_close(data)
            if self._is_open:
                self._connection.send_soon(frame(CLOSE, data))
            self._finish(code, reason, reading=False)
            return True
        return False

    def _look_ahead(self) -> None:
        """Takes pings and pongs from among what is held back, and looks for the end.

        Whether the client is there, and whether it stays, can't wait until a front takes messages.
        At its turn a pong counts for nothing any more, and so a ping is made one.
        """
        buffer = self._connection.buffer()
        at = self._seen
        try:
            while (found := span(buffer, at)) is not None:
                begin, end = found
                head = buffer[at]
                if head & 0x0F < CLOSE:
                    at = end
                elif head not in _ALIVE or end - begin > 125:
                    self._leave()
                    break
                elif end > len(buffer):
                    break
                else:
                    self._control(head & 0x0F, payload(buffer, begin, end))
                    buffer[at] = FIN | PONG
                    at = end
        except Broken:
            self._leave()
        self._seen = at

    def _leave(self) -> None:
        """Holds nothing back any more: the client has closed, or it ends in an error."""
        self._is_leaving = True
        self.held = False
        self._go_on_soon()

    # The end.

    def _fail(self, code: int) -> None:
        """Ends because the client broke the protocol (RFC 6455 7.1.7)."""
        if self._is_open:
            self._say_close(*(self._too_large if code == TOO_LARGE else (code, REASONS[code])))
        self._finish(*(self._ending or (ABNORMAL, "")), reading=True)

    def _finish(self, code: int, reason: str, *, reading: bool) -> None:
        """Ends after the last frame either way.

        Args:
            code: What the front is told.
            reason: What it is told, too.
            reading: Whether the client may still be sending.
        """
        self._end(code, reason)
        self._connection.drop()
        self._connection.close(reading=reading)

    def _end(self, code: int, reason: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._is_open = False
        said, self._ending = self._ending, (code, reason)
        if self.record is not None:
            self.record.close = code if said is None else said[0]
            self.record.closed_here = said is not None
            self.record.end()
        closed, self._closed = self._closed, None
        self._message = self._draining = self._pings = self._stalled = None
        for task in list(self._tasks or ()):
            task.cancel()
        if closed is not None:
            self._guarded(lambda: closed(code, reason))
