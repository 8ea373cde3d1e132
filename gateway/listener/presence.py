"""Whether the other end of a socket is still there, asked of the kernel.

While a socket is not read, or its client has ended its own sending, nothing tells that the client
has gone: its last bytes stand unread before the end. `poll` knows of the end all the same.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from enum import Enum
from typing import Final

_SHORTEST: Final = 0.02  # seconds
_LONGEST: Final = 1.0

# Linux alone can tell an end of sending while there are bytes to read.
_ENDED: Final = getattr(select, "POLLRDHUP", 0)


class Presence(Enum):
    """What is known of the other end."""

    HERE = "sends, or may send"
    ENDED = "sends no more; may have gone, or wait for its reply"
    GONE = "has gone"


def presence(descriptor: int) -> Presence:
    """Asks about the other end of a connected socket, without waiting."""
    poll = select.poll()
    poll.register(descriptor, _ENDED)  # errors and hang-ups are told unasked
    for _, events in poll.poll(0):
        if events & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            return Presence.GONE
        if events & _ENDED:
            return Presence.ENDED
    return Presence.HERE


class Watch:
    """Looks after a client from time to time: soon at first, then every second.

    Args:
        transport: The connection to the client.
        ended: Called once, when the client has ended its sending; returns whether it may wait for
            more. None where that is known already.
        gone: Called when it has gone, or need not be waited for; the watch is over then.
    """

    __slots__ = ("_ended", "_gone", "_loop", "_seconds", "_timer", "_transport")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        ended: Callable[[], bool] | None,
        gone: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._ended = ended
        self._gone = gone
        self._seconds = _SHORTEST
        self._timer = loop.call_later(_SHORTEST, self._look)

    def stop(self) -> None:
        """Ends the watch."""
        self._timer.cancel()

    def _look(self) -> None:
        if self._transport.is_closing():
            return  # its descriptor may be another's soon
        descriptor = self._transport.get_extra_info("socket").fileno()
        state = presence(descriptor)
        if state is Presence.ENDED and self._ended is not None:
            ended, self._ended = self._ended, None
            if not ended():
                state = Presence.GONE
        if state is Presence.GONE:
            self._gone()
            return
        self._seconds = min(self._seconds * 2, _LONGEST)
        self._timer = self._loop.call_later(self._seconds, self._look)
