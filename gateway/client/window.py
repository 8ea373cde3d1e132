"""Credit of one stream, in both directions (docs/websocket.md, "Flow control").

Only counts: who waits for credit, and which frame grants it, is the session's; what all streams may
send together is the `Pool`'s. Both sides count from the stream's beginning, so that what a broken
socket swallowed can be told by a total.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from gateway.client.pool import Pool

MOST: Final = 2**31 - 1
"""A stream's credit; what is more adds nothing."""


class SendWindow:
    """What this side may send.

    Args:
        credit: Messages that may be sent before the other side grants more.
        buffer: Bytes of the messages that were not granted again.
        pool: Bytes of those of all streams.
        changed: Called when a message that had to wait for other streams may have its turn.
    """

    __slots__ = ("_buffer", "_bytes", "_granted", "_pool", "_sent", "_sizes", "changed")

    def __init__(self, credit: int, buffer: int, pool: Pool, changed: Callable[[], None]) -> None:
        self.changed = changed
        self._buffer = buffer
        self._pool = pool
        self._granted = credit
        self._sent = 0
        self._sizes: deque[int] = deque()  # of the messages on the way, the oldest first
        self._bytes = 0

    @property
    def credit(self) -> int:
        """Messages that may be sent now, if their size allows it."""
        return self._granted - self._sent

    def ask(self, size: int) -> bool:
        """Returns whether a message of `size` bytes may be sent: any may where none is on the way.

        Where other streams leave it no room, it stands in line for that from then on: it must ask
        again when `changed` is called, or `withdraw`. One message at a time may ask.
        """
        fits = not self._sizes or self._bytes + size <= self._buffer
        return self.credit > 0 and fits and self._pool.ask(self, size)

    def withdraw(self) -> None:
        """Takes back what was asked for: nothing is to be sent now."""
        self._pool.leave(self)

    def take(self, size: int) -> None:
        """Takes note of a message that is sent; `ask` must have allowed it."""
        self._sent += 1
        self._sizes.append(size)
        self._bytes += size
        self._pool.take(self, size)

    def grant(self, n: int) -> None:
        """Takes a grant: as many of the oldest messages are off the way."""
        self._granted = min(self._granted + n, self._sent + MOST)
        freed = sum(self._sizes.popleft() for _ in range(min(n, len(self._sizes))))
        self._bytes -= freed
        self._pool.free(freed)

    def granted_in_all(self, total: int) -> None:
        """Takes the other side's word of what it has granted since the beginning."""
        if total > self._granted:
            self.grant(total - self._granted)

    def close(self) -> None:
        """Takes note that the stream is over: nothing of it is on the way, and nothing asks."""
        self.withdraw()
        self._sizes.clear()
        freed, self._bytes = self._bytes, 0
        self._pool.free(freed)


class ReceiveWindow:
    """What the other side may send. Grants are held back until they are worth a frame: half of it.

    Args:
        size: Messages that may wait here.

    Attributes:
        granted: Messages that were granted since the beginning.
    """

    __slots__ = ("_came", "_owed", "_worth", "granted")

    def __init__(self, size: int) -> None:
        self.granted = size
        self._came = 0
        self._owed = 0
        self._worth = max(1, size // 2)

    @property
    def due(self) -> bool:
        """Whether a grant is worth a frame."""
        return self._owed >= self._worth

    def came(self) -> bool:
        """Takes note that a message has come; returns whether it was granted."""
        self._came += 1
        return self._came <= self.granted

    def took(self) -> None:
        """Takes note that a message was taken: there is room for one more."""
        self._owed += 1

    def grant(self) -> int:
        """Returns how many messages to grant, which are granted by that."""
        n, self._owed = self._owed, 0
        self.granted += n
        return n
