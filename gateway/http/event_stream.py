"""The body of a reply as an event stream: its pace, whatever its events are.

Whoever writes an event waits for a slow client. A silent stream gets comments, since proxies close
connections on which nothing passes, and a client's disappearance shows only when something is
written (WHATWG HTML 9.2.7 advises a comment every 15 seconds or so). Others have their turns on the
event loop, though the source of the events never waits.

How an event reads is `sse`'s to say; the reply's head and its end are the front's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from gateway.http.exchange import Exchange
from gateway.http.sse import comment

KEEP_ALIVE: Final = 15.0
"""Seconds of silence after which a stream gets a comment."""

TURN: Final = 0.001
"""Seconds for which a source that never waits may hold the event loop: so long that events which
arrive together also leave together."""

_COMMENT: Final = comment()


class EventStream:
    """Writes events, by one caller at a time, to a reply that was started; `close` it.

    Args:
        exchange: The reply.
        keep_alive: Seconds, see KEEP_ALIVE.
        clock: Seconds, never going back. It must go on within a turn of the event loop, as uvloop's
            own does not.
        timer: Calls a function after so many seconds; None is the running loop's `call_later`.
    """

    __slots__ = (
        "_clock",
        "_comment",
        "_exchange",
        "_keep_alive",
        "_silence",
        "_timer",
        "_turn_began",
        "_writing",
        "_written",
    )

    def __init__(
        self,
        exchange: Exchange,
        keep_alive: float = KEEP_ALIVE,
        *,
        clock: Callable[[], float] = time.monotonic,
        timer: Callable[[float, Callable[[], None]], asyncio.TimerHandle] | None = None,
    ) -> None:
        self._exchange = exchange
        self._keep_alive = keep_alive
        self._clock = clock
        self._timer = timer or asyncio.get_running_loop().call_later
        self._written = self._turn_began = clock()
        self._writing = False
        self._comment: asyncio.Task[None] | None = None
        self._silence = self._timer(keep_alive, self._silent)

    async def write(self, event: bytes) -> None:
        """Writes an event; returns when another can be taken.

        Raises:
            CancelledError: The client has gone.
        """
        self._writing = True
        try:
            await self._exchange.write(event)
        finally:
            self._writing = False
        self._written = now = self._clock()
        if now - self._turn_began >= TURN:
            await asyncio.sleep(0)
            self._turn_began = self._clock()

    def close(self) -> None:
        """Writes no further comment. Idempotent."""
        self._silence.cancel()
        if self._comment is not None:
            self._comment.cancel()

    def _silent(self) -> None:
        """Has a comment written if nothing was for a while, and looks again later.

        A client that is slow to take what was written needs none.
        """
        wait = self._written + self._keep_alive - self._clock()
        if wait <= 0:
            wait = self._keep_alive
            if not self._writing and (self._comment is None or self._comment.done()):
                self._comment = asyncio.ensure_future(self._exchange.write(_COMMENT))
        self._silence = self._timer(wait, self._silent)
