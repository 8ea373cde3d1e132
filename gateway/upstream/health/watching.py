"""The gateway's side of a Watch: one request, then an answer with each change of the health.

A server may say something else ten thousand times a second; what is made of it costs more than to
say it. So the first is heard at once, and of those that follow only the last, now and then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.call import Metadata, StreamCall
from gateway.upstream.health.messages import WATCH, Answer, request, said_of
from gateway.upstream.later import Later, Timer

PAUSE: Final = 0.1
"""Seconds from one thing that a server says to the next that is heard."""


class Watching(StreamCall):
    """A Watch of one endpoint, until it is ended.

    Attributes:
        spoke: Whether the server has said anything.
    """

    __slots__ = ("_heard", "_last", "_later", "_requests", "_timer", "spoke")

    def __init__(self, service: str, heard: Callable[[Answer], None], later: Later) -> None:
        super().__init__(WATCH)
        self.spoke = False
        self._requests = iter((request(service),))
        self._heard = heard
        self._later = later
        self._last: bytes | None = None
        self._timer: Timer | None = None

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        return next(self._requests, None)

    async def start(self, initial: Metadata) -> None:
        """See StreamCall."""

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        self.spoke = True
        self._last = message
        if self._timer is None:
            self._tell()

    def end(self) -> None:
        """Tells no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tell(self) -> None:
        message, self._last = self._last, None
        self._timer = None
        if message is not None:
            self._timer = self._later(PAUSE, self._tell)
            self._heard(said_of(message))
