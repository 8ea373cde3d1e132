"""A streaming call whose messages are signs of life: its endpoint's record hears of each.

How long a stream is says nothing of its endpoint, and nor does a deadline that ends one that was
being answered.
"""

from __future__ import annotations

from gateway.call import Metadata, StreamCall
from gateway.upstream.node import Record


class Heeded(StreamCall):
    """Stands before a streaming call.

    Attributes:
        answered: Whether the backend has begun to answer.
    """

    __slots__ = ("_call", "_record", "answered")

    def __init__(self, call: StreamCall, record: Record) -> None:
        super().__init__(**call.parts())
        self._call = call
        self._record = record
        self.answered = False

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        return await self._call.receive()

    async def start(self, initial: Metadata) -> None:
        """See StreamCall."""
        self.answered = True
        self._record.spoke()
        await self._call.start(initial)

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        self._record.spoke()
        await self._call.send(message)
