"""A backend in a process of its own, to be killed: prints its port, then serves.

`Echo` answers, `Hang` does not, `Talk` sends one message and then nothing more.
"""

import asyncio
import sys

from tests.upstream.servers import backend, echo


async def hang(request, context):
    await asyncio.Event().wait()


async def talk(requests, context):
    yield b"word"
    await asyncio.Event().wait()


async def main(port):
    async with backend(port=port, Echo=echo, Hang=hang, Talk=("stream_stream", talk)) as endpoint:
        sys.stdout.write(f"{endpoint.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
