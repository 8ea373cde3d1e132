"""A client that writes WebSocket frames byte by byte: what no library would send, and no answers."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.end_to_end.sockets import PATIENCE
from tests.listener.wire import CLOSE, PONG, TEXT, frame


class Raw:
    """One connection after its upgrade. Nothing is answered by itself, pings neither."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._unpack = zlib.decompressobj(wbits=-15)

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, *headers: str, path: str = "/ws") -> AsyncIterator[Raw]:
        """A socket that has said nothing yet."""
        at = urlsplit(url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {at.netloc}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *headers,
        ]
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 "), head
            yield cls(reader, writer)
        finally:
            writer.transport.abort()

    @classmethod
    @asynccontextmanager
    async def greeted(cls, url: str, *headers: str) -> AsyncIterator[Raw]:
        """A socket after its `welcome`, in JSON."""
        async with cls.connected(url, *headers) as raw:
            await raw.say(t="hello")
            assert b'"t":"welcome"' in (await raw.frame())[1]
            yield raw

    async def write(self, data: bytes) -> None:
        """Sends bytes; returns when they can be forgotten."""
        self.writer.write(data)
        await self.writer.drain()

    async def say(self, **members: Any) -> None:
        """Sends a frame of JSON."""
        await self.write(said(**members))

    async def open(self, id_: int, method: str, body: Any, **members: Any) -> None:
        """Opens a stream."""
        await self.say(t="open", id=id_, method=method, body=body, **members)

    async def pong(self, data: bytes) -> None:
        """Answers a ping."""
        await self.write(frame(PONG, data))

    async def frame(self) -> tuple[int, bytes]:
        """Returns the next WebSocket frame: its opcode and what it holds."""
        async with asyncio.timeout(PATIENCE):
            return await self._frame()

    async def _frame(self) -> tuple[int, bytes]:
        head = (await self.reader.readexactly(1))[0]
        assert head & 0xB0 == 0x80, "a server's frame is a fragment, or has reserved bits"
        length = (await self.reader.readexactly(1))[0]
        if length > 125:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8))
        data = await self.reader.readexactly(length)
        if head & 0x40:  # it is packed (RFC 7692 section 7.2.2)
            data = self._unpack.decompress(data + b"\0\0\xff\xff")
        return head & 0x0F, data

    async def closed(self) -> int:
        """Reads to the close frame, and returns its code; 1006 where none came."""
        try:
            while (received := await self.frame())[0] != CLOSE:
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            return 1006
        return int.from_bytes(received[1][:2])


def said(**members: Any) -> bytes:
    """A frame of JSON as a client sends it."""
    return frame(TEXT, json.dumps(members, separators=(",", ":")).encode())
