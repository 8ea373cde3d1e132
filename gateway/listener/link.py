"""The socket's side of a connection: what is written leaves merged, and one timer serves it all.

It knows nothing of HTTP. Writes of one loop iteration leave as one, since neither loop merges them;
a deadline is a number that is moved, and its timer is set again only when it has run out or the
deadline has come nearer.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from abc import ABC, abstractmethod
from contextlib import suppress
from math import inf
from typing import Final, cast

from gateway.listener.service import Service

HIGH_WATER: Final = 64 * 1024
"""Bytes that wait for a slow client; whoever writes more waits too."""

_TICK: Final = 0.001  # seconds: the loops' clocks are no finer
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends a reset


class Link(asyncio.Protocol, ABC):
    """What a connection does with its transport.

    Attributes:
        transport: It, once it is there.
        service: What the listener's connections share.
        loop: What it runs on.
        full: Whether the client is slow to take what was sent.
    """

    __slots__ = (
        "_deadline",
        "_pending",
        "_pending_size",
        "_stall",
        "_taken",
        "_timer",
        "_timer_at",
        "_unsent",
        "_waiters",
        "full",
        "loop",
        "service",
        "transport",
    )

    def __init__(self, service: Service) -> None:
        self.transport: asyncio.Transport
        self.full = False
        self.service = service
        self.loop = service.loop
        self._pending: list[bytes] | None = None
        self._pending_size = 0
        self._waiters: list[asyncio.Future[None]] | None = None
        self._deadline = inf
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf
        self._stall: asyncio.TimerHandle | None = None
        self._unsent = 0
        self._taken = False

    # To be said by the connection.

    @abstractmethod
    def expired(self) -> None:
        """Takes note that the deadline has passed. There is none then until one is set."""

    @abstractmethod
    def writable(self) -> None:
        """Takes note that the client has taken what it was slow to take."""

    # The transport's calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the transport over."""
        # A cast, since uvloop's transports are no subclasses of asyncio's.
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(HIGH_WATER)

    def pause_writing(self) -> None:
        """Has writers wait, and watches that the client takes something at all."""
        self.full = True
        self.watch_stall()

    def resume_writing(self) -> None:
        """Lets writers go on."""
        self.full = False
        self._taken = True
        self._wake_writers()
        self.writable()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        """Lets go of timers and of whoever waits."""
        self._deadline = inf
        self._pending = None
        for timer in (self._timer, self._stall):
            if timer is not None:
                timer.cancel()
        self._timer = self._stall = None
        self.full = False
        self._wake_writers()

    # Writing.

    def send(self, data: bytes) -> None:
        """Writes at once, or after what is already waiting to leave with it."""
        if self._pending is None:
            self._put(data)
        else:
            self._pending.append(data)
            self._pending_size += len(data)

    def send_soon(self, data: bytes) -> bool:
        """Writes with all else of this loop iteration; what is large does not wait for it.

        Returns:
            Whether it did not wait.
        """
        if self._pending is None:
            self.cork()
            self.loop.call_soon(self.flush)
        self.send(data)
        if self._pending_size <= HIGH_WATER:
            return False
        self.flush()
        return True

    def cork(self) -> None:
        """Holds back what is sent until `flush`."""
        if self._pending is None:
            self._pending = []
            self._pending_size = 0

    def flush(self) -> None:
        """Writes what is waiting."""
        pending, self._pending = self._pending, None
        self._pending_size = 0
        if pending and not self.transport.is_closing():
            self._put(pending[0] if len(pending) == 1 else b"".join(pending))

    def _put(self, data: bytes) -> None:
        self.transport.write(data)
        if self._stall is not None:
            self._unsent += len(data)

    async def drained(self) -> None:
        """Returns when the client can take more, or has gone."""
        while self.full:
            waiter = self.loop.create_future()
            if self._waiters is None:
                self._waiters = []
            self._waiters.append(waiter)
            await waiter

    def _wake_writers(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    # The deadline.

    def expire_in(self, seconds: float) -> None:
        """Sets the deadline, in place of any other."""
        self._deadline = at = self.loop.time() + seconds
        if at < self._timer_at:
            self._set_timer(at)

    def never_expire(self) -> None:
        """Takes the deadline away."""
        self._deadline = inf

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self.loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._timer_at = inf
        if self._deadline <= self.loop.time() + _TICK:
            self._deadline = inf
            self.expired()
        elif self._deadline < inf:
            self._set_timer(self._deadline)

    # A client that takes nothing.

    def watch_stall(self) -> None:
        """Looks after a while whether the client took anything of what it was sent."""
        if self._stall is None:
            self._watch_stall(self.transport.get_write_buffer_size())

    def watch_stall_anew(self) -> None:
        """Begins to wait again, for another time, if it waits."""
        if self._stall is not None:
            self._stall.cancel()
            self._watch_stall(self.transport.get_write_buffer_size())

    def _watch_stall(self, unsent: int) -> None:
        self._taken = False
        self._unsent = unsent
        self._stall = self.loop.call_later(self.stall_timeout, self._check_stall)

    @property
    def stall_timeout(self) -> float:
        """The seconds that a client may take nothing of what waits for it."""
        return self.service.limits.stream_idle_timeout

    def stalled(self) -> None:
        """Takes note that a client has taken nothing for so long."""
        self.abort()

    def _check_stall(self) -> None:
        self._stall = None
        unsent = self.transport.get_write_buffer_size()
        if not unsent:
            return
        took_nothing = unsent >= self._unsent and not self._taken
        self._watch_stall(unsent)
        if took_nothing:
            self.stalled()

    # Ends.

    def abort(self) -> None:
        """Closes at once, with a reset where the socket has one, so that no reply passes for whole.

        A Unix socket has none: there, a reply without a length looks complete when it is cut.
        """
        self.flush()
        found = self.transport.get_extra_info("socket")
        if found is not None:
            with suppress(OSError):  # closed already
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()
