"""A TCP proxy that cuts each connection after some bytes, as a seed decides, so many times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from urllib.parse import urlsplit

from tests.upstream.servers import tcp


class Cuts:
    """What was done.

    Attributes:
        url: Where clients connect instead.
        left: How many connections are yet to be cut; the others live.
        connections: How many there were.
    """

    def __init__(self, seed: int, left: int, most: int) -> None:
        self.url = ""
        self.left = left
        self.connections = 0
        self._random = Random(seed)
        self._most = most

    def budget(self) -> int | None:
        """Returns after how many bytes, of both directions, the next connection is cut."""
        self.connections += 1
        if not self.left:
            return None
        self.left -= 1
        return self._random.randrange(1, self._most)


@asynccontextmanager
async def cutting(url: str, *, seed: int, times: int, most: int) -> AsyncIterator[Cuts]:
    """A proxy before a gateway.

    Args:
        url: The gateway's.
        seed: What chance depends on.
        times: How many connections are cut.
        most: Bytes that a connection carries at most before it is.
    """
    cuts = Cuts(seed, times, most)
    behind = urlsplit(url)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = cuts.budget()
        theirs, ours = await asyncio.open_connection(behind.hostname, behind.port)
        transports = (writer.transport, ours.transport)

        async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            nonlocal left
            while chunk := await source.read(65_536):
                if left is not None:
                    sink.write(chunk[:left])
                    left -= min(left, len(chunk))
                    if not left:
                        return
                else:
                    sink.write(chunk)
                await sink.drain()

        ways = [
            asyncio.create_task(carry(reader, ours)),
            asyncio.create_task(carry(theirs, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for transport in transports:
                transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async with tcp(connection) as endpoint:
        cuts.url = f"http://{endpoint.host}:{endpoint.port}"
        yield cuts
