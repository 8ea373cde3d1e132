"""A streaming call that can be made again: what was sent of it is kept, as long as it is little.

gRFC A6, "Memory Management": once more than the buffer holds has been sent, or the backend has
begun to answer, the call is committed to the attempt that it has, and nothing is kept any more.
"""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.call import Metadata, StreamCall

KEPT: Final = 64 * 1024
"""Bytes of request messages that are kept."""

_EACH: Final = 5  # bytes that a message has beside its own, on the wire


class Replay(StreamCall):
    """Stands before a streaming call, and gives each attempt its messages from the first.

    Attributes:
        committed: Whether the call can't be made again.
    """

    __slots__ = ("_at", "_call", "_ended", "_kept", "_receiving", "_size", "committed")

    def __init__(self, call: StreamCall) -> None:
        super().__init__(**call.parts())
        self.committed = False
        self._call = call
        self._kept: list[bytes] = []
        self._size = 0
        self._at = 0  # how many of them the attempt has had
        self._ended = False
        # A message may come while no attempt asks for it; it is not to be lost then.
        self._receiving: asyncio.Task[bytes | None] | None = None

    def rewind(self, metadata: Metadata) -> None:
        """Begins anew, for the next attempt, which sends `metadata`."""
        self.metadata = metadata
        self._at = 0

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        if self._at < len(self._kept):
            self._at += 1
            return self._kept[self._at - 1]
        if self._ended:
            return None
        if self._receiving is None:
            if self.committed:
                return await self._call.receive()
            self._receiving = asyncio.ensure_future(self._call.receive())
        receiving = self._receiving
        try:
            message = await asyncio.shield(receiving)
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._commit()  # the client's own mistake, whatever backend hears of it
            raise
        self._receiving = None
        if message is None:
            self._ended = True
        elif not self.committed:
            self._keep(message)
        return message

    async def start(self, initial: Metadata) -> None:
        """See StreamCall."""
        self._commit()
        await self._call.start(initial)

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        await self._call.send(message)

    async def close(self) -> None:
        """Lets go of the client."""
        receiving, self._receiving = self._receiving, None
        if receiving is not None:
            receiving.cancel()
            await asyncio.wait({receiving})
            if not receiving.cancelled():
                receiving.exception()  # marks it as seen: nobody wants it any more

    def _keep(self, message: bytes) -> None:
        self._size += len(message) + _EACH
        if self._size > KEPT:
            self._commit()
        else:
            self._kept.append(message)
            self._at += 1

    def _commit(self) -> None:
        """Has the attempt that is under way be the last. What it was not given yet it still is."""
        self.committed = True
        del self._kept[: self._at]
        self._at = 0
