"""Whether the client of a WebSocket is still there: pings while it is quiet (RFC 6455 5.5.2).

A client that is gone without a word keeps its operations running, and its backends' streams. Each
interval one ping is sent; one that is not answered within the next means an end. A client that does
not take what it was sent is not asked: the listener's own time for that holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from gateway.http import WebSocket


class Handle(Protocol):
    """What a timer can be cancelled by."""

    def cancel(self) -> None:
        """Has the timer not call."""


Timer: TypeAlias = "Callable[[float, Callable[[], None]], Handle]"
"""Calls a function after so many seconds: `loop.call_later`."""


class KeepAlive:
    """Pings a WebSocket until it is stopped, and cuts one whose client does not answer.

    Args:
        socket: An open WebSocket.
        interval: Seconds between pings.
        timer: The clock.
    """

    __slots__ = ("_awaited", "_handle", "_interval", "_socket", "_timer")

    def __init__(self, socket: WebSocket, interval: float, timer: Timer) -> None:
        self._socket = socket
        self._interval = interval
        self._timer = timer
        self._awaited = False
        self._handle = timer(interval, self._due)

    def stop(self) -> None:
        """Sends no further ping."""
        self._handle.cancel()

    def _due(self) -> None:
        if self._socket.writable:
            if self._awaited:
                self._socket.abort()
                return
            self._awaited = True
            self._socket.ping(self._answered)
        else:
            self._awaited = False
        self._handle = self._timer(self._interval, self._due)

    def _answered(self, _: float) -> None:
        self._awaited = False
