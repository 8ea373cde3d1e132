"""A TCP proxy that treats what passes badly, by a schedule that a seed decides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from random import Random

from gateway.upstream.endpoints import Endpoint
from tests.upstream.servers import tcp


class Fate(Enum):
    """How one direction of a connection ends, after a number of bytes that chance decides."""

    NONE = "none"
    CUT = "cut"
    HALF_CLOSE = "half-close"
    STALL = "stall"


class Proxy:
    """What was done, for tests to see that something was.

    Attributes:
        connections: How many there were.
        fates: What met them.
        calm: Once set, bytes pass as they come, and new connections have no fate.
    """

    def __init__(self, seed: int) -> None:
        self.endpoint = Endpoint("127.0.0.1", 1)
        self.random = Random(seed)
        self.connections = 0
        self.fates: list[Fate] = []
        self.calm = False

    def draw(self) -> tuple[Fate, int]:
        """Returns the fate of a direction, and after how many bytes it comes."""
        if self.calm:
            return Fate.NONE, 0
        fate = self.random.choices(tuple(Fate), weights=(0, 4, 1, 1))[0]
        return fate, int(self.random.expovariate(1 / 10_000))

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Fate:
        """Carries bytes one way, until their end or the fate's moment; returns what ended them."""
        fate, left = self.draw()
        while chunk := await reader.read(self.random.choice((1, 100, 65_536))):
            if fate is not Fate.NONE and len(chunk) >= left:
                writer.write(chunk[:left])
                self.fates.append(fate)
                return fate
            left -= len(chunk)
            if not self.calm:
                if self.random.random() < 0.1:
                    await asyncio.sleep(self.random.random() * 0.01)
                if self.random.random() < 0.3:
                    at = self.random.randrange(len(chunk))
                    writer.write(chunk[:at])
                    await asyncio.sleep(0)
                    chunk = chunk[at:]
            writer.write(chunk)
            await writer.drain()
        return Fate.HALF_CLOSE

    async def direction(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries bytes one way, and returns when the connection is to be cut."""
        fate = Fate.CUT
        with suppress(ConnectionError):
            fate = await self.carry(reader, writer)
            if fate is Fate.HALF_CLOSE:
                writer.write_eof()
        if fate is not Fate.CUT:
            await asyncio.Event().wait()


@asynccontextmanager
async def proxied(backend: Endpoint, seed: int) -> AsyncIterator[Proxy]:
    """A proxy before `backend`."""
    proxy = Proxy(seed)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        proxy.connections += 1
        behind, ahead = await asyncio.open_connection(backend.host, backend.port)
        ways = [
            asyncio.create_task(proxy.direction(reader, ahead)),
            asyncio.create_task(proxy.direction(behind, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # At once, for this may be cancelled while it waits.
            ahead.transport.abort()
            writer.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)

    async with tcp(connection) as endpoint:
        proxy.endpoint = endpoint
        yield proxy
