"""A stream as those behind a policy see it: all passes, until a policy looks at some of it.

What a policy overrides is its own; it decides nothing by itself.
"""

from __future__ import annotations

from gateway.call import Metadata, Principal, StreamCall


class PassingStream(StreamCall):
    """A stream in front of another.

    Who calls, and the headers of the reply, are the front's call's: either may change as it runs.

    Attributes:
        of: The stream that all comes from and goes to.
    """

    __slots__ = ("of",)

    def __init__(self, of: StreamCall) -> None:
        self.of = of
        super().__init__(**of.parts())

    @property
    def principal(self) -> Principal | None:
        """See Call."""
        return self.of.principal

    @principal.setter
    def principal(self, principal: Principal | None) -> None:
        self.of.principal = principal

    @property
    def reply_headers(self) -> dict[str, str] | None:
        """See Call."""
        return self.of.reply_headers

    @reply_headers.setter
    def reply_headers(self, headers: dict[str, str] | None) -> None:
        self.of.reply_headers = headers

    async def receive(self) -> bytes | None:
        """See StreamCall."""
        return await self.of.receive()

    async def start(self, initial: Metadata) -> None:
        """See StreamCall."""
        await self.of.start(initial)

    async def send(self, message: bytes) -> None:
        """See StreamCall."""
        await self.of.send(message)
