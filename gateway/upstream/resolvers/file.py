"""Endpoints that stand in a file.

The whole file is read at each look: that works on every file system, for files that are replaced
and for those that are mounted into a container. One that can't be read, or is wrong, lists nothing,
and a change is believed when the file has stayed so for a moment: half of a list may be a list.
What the text means is for the spec's reader to say.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from gateway.upstream.endpoints import Listing
from gateway.upstream.resolvers import Found, UnresolvedError
from gateway.upstream.spec import FileSpec

MOST: Final = 4 * 1024**2
"""Bytes that a file of endpoints may have."""


_MOMENT: Final = 0.1  # seconds between two reads of a file that has changed
_TRIES: Final = 10


class FileLook:
    """Looks into a file (`gateway.upstream.resolvers.Look`).

    Args:
        spec: The file.
        sleep: Waits so many seconds.
    """

    def __init__(
        self, spec: FileSpec, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._spec = spec
        self._sleep = sleep
        self._data: bytes | None = None
        self._listings: tuple[Listing, ...] = ()
        # What is wrong with what it holds: the same bytes are not read for their meaning again.
        self._wrong = ""

    async def __call__(self) -> Found:
        """See Look. Reads in a thread."""
        try:
            data = await self._settled(await asyncio.to_thread(read, self._spec.path))
        except ValueError as wrong:
            raise UnresolvedError(str(wrong)) from wrong
        if data != self._data:
            try:
                self._listings = await asyncio.to_thread(self._spec.read, data, self._spec.path)
                self._wrong = ""
            except ValueError as wrong:
                self._wrong = str(wrong)
            self._data = data
        if self._wrong:
            raise UnresolvedError(self._wrong)
        return Found(self._listings)

    async def _settled(self, data: bytes) -> bytes:
        """Returns what the file holds when nobody writes to it."""
        if self._data is None:
            return data
        for _ in range(_TRIES):
            if data == self._data:
                return data
            before = data
            await self._sleep(_MOMENT)
            data = await asyncio.to_thread(read, self._spec.path)
            if data == before:
                return data
        raise ValueError(f"{self._spec.path.name} changes all the time")


def read(path: Path) -> bytes:
    """Returns what a file of endpoints holds.

    Raises:
        ValueError: It can't be read, or is too large; the text says which, without its folder.
    """
    try:
        # Not blocking, so that a pipe in its place is refused, not waited for.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise ValueError(f"{path.name} is not a file")
            data = file.read(MOST + 1)
    except OSError as failure:
        raise ValueError(f"{path.name} can't be read: {failure.strerror}") from failure
    if len(data) > MOST:
        raise ValueError(f"{path.name} is larger than {MOST} bytes")
    return data
