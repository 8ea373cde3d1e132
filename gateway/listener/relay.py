"""The transport that aiohttp's protocol is given: it writes through, and asks before it closes.

aiohttp closes a connection the moment it is done with it, and a close with unread bytes is a reset
that can take the reply away. So its wishes to close, to pause and to resume go to the `Connection`,
which owns the socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Protocol


class Owner(Protocol):
    """What a relay needs of the connection behind it."""

    transport: asyncio.Transport

    def hold(self) -> None:
        """Gives the protocol no more to read."""

    def release(self) -> None:
        """Gives the protocol to read again."""

    def finish(self) -> None:
        """Closes the connection once all is written."""

    def abort(self) -> None:
        """Closes the connection at once, visibly broken."""


class Relay(asyncio.Transport):
    """A transport in front of a connection's own."""

    def __init__(self, owner: Owner) -> None:
        super().__init__()
        self.owner = owner
        self._closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Asks the real transport."""
        return self.owner.transport.get_extra_info(name, default)

    def is_closing(self) -> bool:
        """Returns whether nothing more can be written."""
        return self._closing or self.owner.transport.is_closing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Writes through."""
        self.owner.transport.write(data)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Writes through, at once: neither loop merges what is written in parts."""
        self.owner.transport.write(b"".join(list_of_data))

    def pause_reading(self) -> None:
        """Holds back what is to be read."""
        self.owner.hold()

    def resume_reading(self) -> None:
        """Lets go what is to be read."""
        self.owner.release()

    def close(self) -> None:
        """Asks for an orderly end."""
        if not self._closing:
            self._closing = True
            self.owner.finish()

    def abort(self) -> None:
        """Asks for an end at once."""
        self._closing = True
        self.owner.abort()
