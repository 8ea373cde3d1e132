"""Backends in processes of their own."""

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from gateway.upstream.endpoints import Endpoint
from tests.upstream.servers import LOCALHOST

ROOT = Path(__file__).parents[2]


class Mortal:
    """A backend that can be killed and, on the same port, started again."""

    def __init__(self):
        self.port = 0
        self.process = None

    @property
    def endpoint(self):
        return Endpoint(LOCALHOST, self.port)

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.upstream.mortal",
            str(self.port),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        self.port = int(await self.process.stdout.readline())

    async def kill(self):
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.communicate()


@asynccontextmanager
async def mortal():
    process = Mortal()
    await process.start()
    try:
        yield process
    finally:
        await process.kill()
