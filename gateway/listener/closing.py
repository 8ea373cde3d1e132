"""How a connection is read no further than it must be, and how it ends without losing a reply.

A close with unread bytes is a reset, which can take the last reply from a client that is still
sending; so an end is announced first, and what still comes is thrown away for a while (RFC 9112
section 9.6). It knows nothing of requests.
"""

from __future__ import annotations

from abc import abstractmethod
from enum import Enum

from gateway.http.request_id import request_id
from gateway.listener.faults import Fault
from gateway.listener.limits import LINGER_BYTES, LINGER_SECONDS, READ_AHEAD, REFUSED_AT_ONCE
from gateway.listener.link import Link
from gateway.listener.presence import Watch
from gateway.listener.service import Service


class Phase(Enum):
    """What a connection is doing."""

    HEAD = "waiting for a request's head"
    BUSY = "having a request answered"
    SOCKET = "a WebSocket now"
    LINGER = "closing, throwing away what still comes"


class Closing(Link):
    """What a connection has received, and its end."""

    __slots__ = ("_ended", "_lingered", "_paused", "_phase", "_received", "_watch")

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._phase = Phase.HEAD
        self._received: bytes | bytearray = b""
        self._paused = False
        self._ended = False
        self._lingered = 0
        self._watch: Watch | None = None

    # To be said by the connection.

    @abstractmethod
    def wants_more(self) -> bool:
        """Returns whether to read on, however much there is."""

    @abstractmethod
    def may_wait(self) -> bool:
        """Returns whether a client that sends no more may wait for something, and asks it."""

    # Reading.

    def buffer(self) -> bytearray:
        """Returns what was received and not yet taken."""
        received = self._received
        if isinstance(received, bytes):
            received = self._received = bytearray(received)
        return received

    def exactly(self, length: int) -> bytes | None:
        """Takes all that was received, if it came at once and is of this length."""
        received = self._received
        if len(received) == length and isinstance(received, bytes):
            self._received = b""
            return received
        return None

    def govern_reading(self) -> None:
        """Leaves the socket alone while there is more than enough to work on."""
        if self._ended or self.transport.is_closing():
            return
        full = len(self._received) > READ_AHEAD and not self.wants_more()
        if full:
            if not self._paused:
                self._paused = True
                self.transport.pause_reading()
            self.watch_client()
        elif self._paused:
            self._paused = False
            self.unwatch()
            self.transport.resume_reading()

    def let_others_go_first(self) -> None:
        """Reads on in the next loop iteration: uvloop reads a socket many times in one."""
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()
            self.loop.call_soon(self.govern_reading)

    @property
    def unread(self) -> bool:
        """Whether something was received and not yet taken."""
        return bool(self._received)

    @property
    def ended(self) -> bool:
        """Whether the client sends no more."""
        return self._ended

    def throw_away(self, data: bytes) -> None:
        """Drops what comes to a connection that is closing."""
        self._lingered += len(data)
        if self._lingered > LINGER_BYTES:
            self.transport.close()

    def drop(self) -> None:
        """Drops what was received."""
        self._received = b""

    def watch_client(self) -> None:
        """Looks after the client from time to time, while nothing is read from it."""
        if self._watch is None:
            ended = None if self._ended else self.may_wait
            self._watch = Watch(self.loop, self.transport, ended, self.abort)

    def unwatch(self) -> None:
        """Looks after the client no more."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    # Ends.

    def finish(self) -> None:
        """Closes once all is written, reading on for a while if the client may still be sending."""
        self.close(reading=bool(self._received))

    def close(self, *, reading: bool) -> None:
        """Closes once all is written.

        Args:
            reading: Whether the client may still be sending.
        """
        if self._phase is Phase.LINGER or self.transport.is_closing():
            return
        if reading or self._received:
            self.linger()
            return
        self.flush()
        self.never_expire()
        self._phase = Phase.LINGER
        self.transport.close()
        self.watch_stall()

    def abort(self) -> None:
        """Closes at once; see Link."""
        self._phase = Phase.LINGER
        super().abort()

    def linger(self) -> None:
        """Ends the sending, and throws away for a while what still comes."""
        self.flush()
        self._phase = Phase.LINGER
        self._received = b""
        self.govern_reading()
        if self._ended:
            self.transport.close()
        else:
            if self.transport.can_write_eof():
                try:
                    self.transport.write_eof()
                except OSError:  # it was reset, which asyncio has not seen while it does not read
                    self.transport.abort()
            self.expire_in(LINGER_SECONDS)
        self.watch_stall()

    def refuse(self, fault: Fault, given: str | None = None, *, head_only: bool = False) -> None:
        """Answers with an error of HTTP's own, named as the client wishes if it said; closes."""
        service = self.service
        if len(service.connections) > service.limits.connections + REFUSED_AT_ONCE:
            self.transport.abort()
            return
        self.send(fault.reply(request_id(given), head_only=head_only))
        self.linger()
