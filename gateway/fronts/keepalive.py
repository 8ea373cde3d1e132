"""Whether the client of a WebSocket is still there: pings while it is quiet (RFC 6455 5.5.2).

A client that is gone without a word keeps its calls running, and its backends' streams. Each
interval one ping is sent; one that is not answered within the next means an end, by whatever the
front says that it is. A client that does not take what it was sent is not asked: the time for that
is another one. Nor is one that is not read: its answer could not be heard.
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
    """Pings a WebSocket until it is stopped, or its client does not answer.

    Args:
        socket: An open WebSocket.
        interval: Seconds between pings.
        timer: The clock.
        gone: Called once if a ping is not answered; none is sent after it. Without it the
            connection is cut.
        hears: Whether the socket is read now, so that an answer would be heard; it always is, if
            nothing is given.
    """

    __slots__ = ("_awaited", "_gone", "_handle", "_hears", "_interval", "_socket", "_timer")

    def __init__(
        self,
        socket: WebSocket,
        interval: float,
        timer: Timer,
        gone: Callable[[], None] | None = None,
        hears: Callable[[], bool] | None = None,
    ) -> None:
        self._socket = socket
        self._interval = interval
        self._timer = timer
        self._gone = socket.abort if gone is None else gone
        self._hears = hears
        self._awaited = False
        self._handle = timer(interval, self._due)

    def stop(self) -> None:
        """Sends no further ping."""
        self._handle.cancel()

    def _due(self) -> None:
        if self._socket.writable and (self._hears is None or self._hears()):
            if self._awaited:
                self._gone()
                return
            self._awaited = True
            self._socket.ping(self._answered)
        else:
            self._awaited = False
        self._handle = self._timer(self._interval, self._due)

    def _answered(self, _: float) -> None:
        self._awaited = False
