"""Credit of one stream, in both directions (docs/websocket.md, "Flow control").

Only counts: who waits for credit, and which frame grants it, is the session's. Both sides count
from the stream's beginning, so that what a broken socket swallowed can be told by a total.
"""

from __future__ import annotations

from collections import deque
from typing import Final

MOST: Final = 2**31 - 1
"""A stream's credit; what is more adds nothing."""


class SendWindow:
    """What this side may send.

    Args:
        credit: Messages that may be sent before the other side grants more.
        buffer: Bytes of the messages that were not granted again.
    """

    __slots__ = ("_buffer", "_bytes", "_granted", "_initial", "_sent", "_sizes")

    def __init__(self, credit: int, buffer: int) -> None:
        self._initial = credit
        self._buffer = buffer
        self._granted = credit
        self._sent = 0
        self._sizes: deque[int] = deque()  # of the messages on the way, the oldest first
        self._bytes = 0

    @property
    def credit(self) -> int:
        """Messages that may be sent now, if their size allows it."""
        return self._granted - self._sent

    def admits(self, size: int) -> bool:
        """Whether a message of `size` bytes may be sent: any may where none is on the way."""
        return self.credit > 0 and (not self._sizes or self._bytes + size <= self._buffer)

    def take(self, size: int) -> None:
        """Takes note of a message that is sent; `admits` must have allowed it."""
        self._sent += 1
        self._sizes.append(size)
        self._bytes += size

    def grant(self, n: int) -> None:
        """Takes a grant: as many of the oldest messages are off the way."""
        self._granted = min(self._granted + n, self._sent + MOST)
        for _ in range(min(n, len(self._sizes))):
            self._bytes -= self._sizes.popleft()

    def granted_in_all(self, total: int) -> None:
        """Takes the other side's word of what it has granted since the beginning."""
        if total > self._granted:
            self.grant(total - self._granted)


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
