"""Streaming calls that a command makes itself: requests from an iterator, replies to a function."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from gateway.call import Metadata, StreamCall


@dataclass(slots=True, kw_only=True)
class CommandCall(StreamCall):
    """The command's side of a streaming call.

    Attributes:
        requests: The serialized request messages.
        received: Given each serialized reply message.
    """

    requests: AsyncIterator[bytes]
    received: Callable[[bytes], None]

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        return await anext(self.requests, None)

    async def start(self, initial: Metadata) -> None:
        """See StreamCall."""

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        self.received(message)


async def one(message: bytes) -> AsyncIterator[bytes]:
    """Yields a single request message."""
    yield message
