"""A gateway under attack, and who sees how it bears it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.end_to_end.sockets import Socket, config, socket
from tests.end_to_end.system import Gateway, gateway, resident

MIB = 1024 * 1024
IMPATIENT = "tests.end_to_end.impatient"


def attacked(folder: Path, shop: list[str], **websocket: Any) -> Iterator[Gateway]:
    """A gateway of which not one bug is logged, whatever is done to it."""
    path = folder / "errors.txt"
    settings = config(shop, **websocket)
    with (
        path.open("w") as errors,
        gateway(folder, settings, module=IMPATIENT, errors=errors) as each,
    ):
        yield each
    text = path.read_text()
    assert "Traceback" not in text, text


class Neighbour:
    """A well-behaved socket: its numbers come back all the time."""

    def __init__(self, served: Gateway, client: Socket, chat: int) -> None:
        self._served, self._client, self._chat = served, client, chat
        self._count = 0
        self._told = asyncio.Event()
        self.peak = self.before = resident(served.pid)

    async def run(self) -> None:
        """Goes on until it is cancelled, and looks at the gateway's memory."""
        while True:
            self._count += 1
            await self._client.echo(self._chat, self._count)
            self.peak = max(self.peak, resident(self._served.pid))
            self._told.set()

    async def more(self, count: int = 20) -> None:
        """Returns when so many more numbers have come back."""
        wanted = self._count + count
        while self._count < wanted:
            self._told.clear()
            await self._told.wait()


@asynccontextmanager
async def beside(served: Gateway, most: int = 48 * MIB) -> AsyncIterator[Neighbour]:
    """Has a neighbour carry on, and the gateway take no more than so many bytes."""
    async with socket(served.url) as client:
        neighbour = Neighbour(served, client, await client.joined())
        running = asyncio.create_task(neighbour.run())
        await neighbour.more()
        try:
            yield neighbour
            more = asyncio.create_task(neighbour.more())
            await asyncio.wait({more, running}, return_when=asyncio.FIRST_COMPLETED)
            more.cancel()
            assert not running.done(), running.exception()
        finally:
            running.cancel()
            await asyncio.wait({running})
        grown = neighbour.peak - neighbour.before
        assert grown < most, f"the gateway has grown by {grown // 1024} KiB"
