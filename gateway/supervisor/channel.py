"""One end of the socket pair between the supervisor and a worker: messages out, messages in."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Final

from gateway.supervisor.messages import Message, decode, encode

_LONGEST: Final = 64 * 1024**2  # bytes of a line: two configs of 4 MiB, escaped


class TooLongError(Exception):
    """A message is longer than there may be one."""


class Channel:
    """An end of the pair. The other end's process has ended when there is nothing more to hear."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Channel:
        """Takes over a socket, which is closed with the channel."""
        return cls(*await asyncio.open_unix_connection(sock=sock, limit=_LONGEST))

    def send(self, message: Message) -> None:
        """Sends a message; nothing where the other end is gone, which `receive` tells.

        It waits for nobody: what is under way is bounded by who sends it.

        Raises:
            TooLongError: The other end would not take it; nothing was sent.
        """
        line = encode(message)
        if len(line) > _LONGEST:
            raise TooLongError
        if not self._writer.is_closing():
            self._writer.write(line)

    async def send_in_turn(self, message: Message) -> None:
        """Sends a message once the other end has taken most of those before.

        Who stops waiting has sent nothing.
        """
        with suppress(ConnectionError):  # as of `send`
            await self._writer.drain()
        self.send(message)

    async def receive(self) -> Message | None:
        """Waits for a message; None once the other end is gone.

        Raises:
            ValueError: Something else came, on a bug.
        """
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return None
        return decode(line) if line.endswith(b"\n") else None

    async def close(self) -> None:
        """Sends what is left, and closes."""
        self._writer.close()
        with suppress(ConnectionError):  # there is nobody to send it to
            await self._writer.wait_closed()
