"""What WebSockets are measured against: one call of two directions a socket, the obvious way.

aiohttp and grpc.aio. Text is read and written by json_format, with generated classes; binary
messages pass as they are. No streams beside each other, no flow control by messages, no limits.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc
import uvloop
from aiohttp import web
from google.protobuf import json_format

sys.path[:0] = [str(Path(__file__).parent / "protos")]
notes, services = grpc.protos_and_services("bench/v1/echo.proto")


async def main(backend: str) -> None:
    channel = grpc.aio.insecure_channel(backend)
    echo = services.BenchStub(channel).Echo
    echo_bytes = channel.stream_stream("/bench.v1.Bench/Echo")

    async def text(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        call = echo()

        async def answer():
            async for note in call:
                await socket.send_str(json_format.MessageToJson(note, indent=None))

        answering = asyncio.create_task(answer())
        async for message in socket:
            await call.write(json_format.Parse(message.data, notes.Note()))
        await call.done_writing()
        await answering
        return socket

    async def binary(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        call = echo_bytes()

        async def answer():
            async for note in call:
                await socket.send_bytes(note)

        answering = asyncio.create_task(answer())
        async for message in socket:
            await call.write(message.data)
        await call.done_writing()
        await answering
        return socket

    app = web.Application()
    app.add_routes([web.get("/text", text), web.get("/binary", binary)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
