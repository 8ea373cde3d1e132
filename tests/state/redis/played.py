"""A Redis that a test plays: it answers what it is told to, when it is told to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

OF_CONNECTING = {b"PING": b"+PONG\r\n", b"CLIENT": b"+OK\r\n", b"SCRIPT": b"$1\r\nx\r\n"}


class Played:
    """A server. What a connection begins with is answered; the rest waits for the test.

    Attributes:
        commands: What came, in order, of all connections.
        reads: How many pieces they came in.
        hangs_up: Whether connections are closed when they have answered a PING.
    """

    def __init__(self) -> None:
        self.commands: list[list[bytes]] = []
        self.reads = 0
        self.hangs_up = False
        self.connections: list[asyncio.StreamWriter] = []
        self.serving: list[asyncio.Task] = []
        self.url = ""
        self._latest: asyncio.StreamWriter | None = None

    def answer(self, data: bytes) -> None:
        """Sends bytes on the connection that the latest command came on."""
        self._latest.write(data)

    def drop(self) -> None:
        """Ends all connections."""
        for writer in self.connections:
            writer.close()

    async def serve(self, reader, writer) -> None:
        self.connections.append(writer)
        self.serving.append(asyncio.current_task())
        try:
            while data := await reader.read(1 << 20):
                commands = parsed(data)
                asked = [each for each in commands if each[0] not in OF_CONNECTING]
                if asked:
                    self.commands += asked
                    self.reads += 1
                    self._latest = writer
                for each in commands:
                    writer.write(OF_CONNECTING.get(each[0], b""))
                if self.hangs_up and [b"PING"] in commands:
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()


def parsed(data: bytes) -> list[list[bytes]]:
    """The commands in whole arrays of bulk strings."""
    commands = []
    while data:
        count, data = data[1:].split(b"\r\n", 1)
        words = []
        for _ in range(int(count)):
            length, data = data[1:].split(b"\r\n", 1)
            words.append(data[: int(length)])
            data = data[int(length) + 2 :]
        commands.append(words)
    return commands


@asynccontextmanager
async def played():
    server = Played()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"redis://127.0.0.1:{port}"
    try:
        yield server
    finally:
        listening.close()
        server.drop()
        await asyncio.gather(*server.serving)
        await listening.wait_closed()
