"""A file that is read at the start, and again whenever it changes: keys, users, a key set.

What is read is parsed whole before it counts. A new version that can't be read or parsed is logged
and the one before stays, so that a slip of an editor locks nobody out, and lets nobody in. It knows
nothing of what is inside: the parser that it is given does.

A change is seen by the file's time, size and inode, looked at on a timer: that works on every file
system, and for files that are replaced, as well as for those that are mounted into a container. As
a file may be written twice in one tick of its clock, or be read when half of it is written, each
version is read a second time at the next look before it is believed to stay.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final, Generic, NamedTuple, TypeVar

log = logging.getLogger("gateway.auth")

T = TypeVar("T")

TAKES_EFFECT: Final = 5.0
"""Seconds in which a change takes effect, as documented."""

_EVERY: Final = 2.0  # seconds between two looks: one to see a change, one more to spare
_MOST: Final = 4 * 1024**2  # bytes


class FileError(Exception):
    """A file can't be used. Its text says where in it and why, `keys.yaml:3:5: …`."""


class _Stamp(NamedTuple):
    """What tells one version of a file from another, without reading it."""

    modified: int
    size: int
    inode: int
    mode: int


class StoredFile(Generic[T]):
    """What a file says now.

    Args:
        path: The file.
        parse: Makes what its bytes mean. Called in the constructor, then in a thread. Raises
            FileError.
        every: Seconds between two looks.
        most: Bytes that it may have.
        changed: Told what a new version means; called inside the loop.

    Raises:
        FileError: It can't be read, or is wrong.
    """

    def __init__(
        self,
        path: Path,
        parse: Callable[[bytes], T],
        *,
        every: float = _EVERY,
        most: int = _MOST,
        changed: Callable[[T], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._parse = parse
        self._every = every
        self._most = most
        self._changed = changed
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""  # why it can't be read
        self._mistake = ""  # what is wrong with what was read last
        self._settled = False
        self._stamp, data = self._read()
        self._digest = _digest(data)
        self._value = parse(data)

    @property
    def value(self) -> T:
        """What the file means. The same object until what it says has changed."""
        return self._value

    @property
    def mode(self) -> int:
        """What the file is, and who may do what with it, as of `os.stat_result.st_mode`."""
        return self._stamp.mode

    async def open(self) -> None:
        """Begins to look for changes."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Looks no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def look(self) -> None:
        """Reads the file if it may have changed. Blocks; not to be called twice at once."""
        try:
            stamp = _stamp(self._path.stat())
            if self._settled and stamp == self._stamp:
                return
            stamp, data = self._read()
        except OSError as failure:
            self._miss(f"{self._path.name} can't be read: {failure.strerror}")
            return
        except FileError as failure:
            self._miss(str(failure))
            return
        back, self._trouble = bool(self._trouble), ""
        digest = _digest(data)
        self._settled = stamp == self._stamp and digest == self._digest
        self._stamp = stamp
        if digest == self._digest:
            if back and not self._mistake:
                log.warning("%s can be read again, and says what it said", self._path.name)
            elif back:
                self._complain(self._mistake)
            return
        self._digest = digest
        good_before = not back and not self._mistake
        try:
            self._value = self._parse(data)
        except FileError as failure:
            self._mistake = str(failure)
            self._complain(self._mistake)
        else:
            self._mistake = ""
            level = logging.INFO if good_before else logging.WARNING  # as loud as the trouble
            log.log(level, "%s has changed, and is in use", self._path.name)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            before = self._value
            try:
                await asyncio.to_thread(self.look)
                if self._value is not before:
                    self._changed(self._value)
            except Exception:
                log.exception("%s could not be looked at", self._path.name)

    def _miss(self, trouble: str) -> None:
        """Says why it can't be read, once."""
        if trouble != self._trouble:
            self._trouble = trouble
            self._complain(trouble)

    def _complain(self, trouble: str) -> None:
        log.error("%s; the version before stays in use", trouble)

    def _read(self) -> tuple[_Stamp, bytes]:
        """Returns the file's bytes, and the stamp that it had before they were read.

        Raises:
            FileError: It can't be read.
        """
        name = self._path.name
        try:
            # Not blocking, so that a pipe in its place is refused, not waited for.
            number = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(number, "rb") as file:
                found = os.fstat(number)
                if not stat.S_ISREG(found.st_mode):
                    raise FileError(f"{name} is not a file")
                data = file.read(self._most + 1)
        except OSError as failure:
            raise FileError(f"{name} can't be read: {failure.strerror}") from failure
        if len(data) > self._most:
            raise FileError(f"{name} is larger than {self._most} bytes")
        return _stamp(found), data


def _stamp(found: os.stat_result) -> _Stamp:
    return _Stamp(found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode)


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()
