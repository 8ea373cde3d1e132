"""A server stream as GraphQL asks for one: a request, and messages that are taken in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.call import Call, Metadata, StreamCall


@dataclass(slots=True, kw_only=True)
class AskedStream(StreamCall):
    """The call of a server stream.

    Attributes:
        take: Takes each message; the next one is asked for when it returns.
    """

    take: Callable[[bytes], Awaitable[None]]
    asked: bool = False

    @classmethod
    def of(cls, call: Call, take: Callable[[bytes], Awaitable[None]]) -> AskedStream:
        """Returns the stream of a call, which has the request."""
        return cls(**call.parts(), take=take)

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        if self.asked:
            return None
        self.asked = True
        if self.record is not None:
            self.record.took(len(self.request))
        return self.request

    async def start(self, initial: Metadata) -> None:
        """See StreamCall; GraphQL has no place for metadata before the first message."""

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        if self.record is not None:
            self.record.gave(len(message))
        await self.take(message)
