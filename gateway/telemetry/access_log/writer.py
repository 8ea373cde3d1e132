"""Writes lines to a file in batches, beside the event loop.

Lines are gathered until there is enough of them, or for half a second, and handed to a thread: a
disk or a pipe that is slow holds up nobody. What waits there is bounded; beyond it lines are lost,
counted, and told of. A batch is whole lines, and a pipe gets no more at a time than it takes in one
piece (PIPE_BUF), so those of several processes never mix: who writes to one keeps its lines below.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import select
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Final

log = logging.getLogger("gateway.access_log")

STANDARD_OUTPUT: Final = "-"

_ENOUGH: Final = 64 * 1024  # bytes that are written at once
_SOON: Final = 0.5  # seconds that a line may wait for others
_MOST: Final = 16 * 1024 * 1024  # bytes that wait for the thread
_QUIET: Final = 60.0  # seconds between two lines about lost ones
_PIECE: Final = 4096  # PIPE_BUF on Linux (pipe(7)): what a pipe takes whole
_STUCK: Final = 5.0  # seconds for which the last of it is waited for
_MODE: Final = 0o640


class Writer:
    """Writes lines to one file. To be made, and called, inside a running loop.

    Attributes:
        written: Lines that were written.
        lost: Lines that were not.
        most: Characters that a line may have.
    """

    def __init__(self, path: str) -> None:
        """Opens a file, or standard output.

        Args:
            path: The file's, or STANDARD_OUTPUT.

        Raises:
            OSError: It can't be opened.
        """
        self.path = path
        self.written = 0
        self.lost = 0
        self._loop = asyncio.get_running_loop()
        self._lines: list[str] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting = 0  # bytes that the thread has not taken yet
        self._unwritten = 0  # lines, likewise
        self._quiet_until = 0.0
        self._telling: asyncio.TimerHandle | None = None  # of lines lost since it was told last
        self._given_up = False
        self._jobs: SimpleQueue[tuple[bytes, int] | int | None] = SimpleQueue()
        self._file = _opened(path)
        self.most = _most(self._file)
        self._thread = Thread(target=self._work, name="access log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Writes a line, soon. It ends with a line feed, and is ASCII."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= _ENOUGH:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(_SOON, self.flush)

    def flush(self) -> None:
        """Hands over what has gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        size, self._size = self._size, 0
        if not lines:
            return
        if self._waiting + size > _MOST:
            self._lose(len(lines), "it is written too slowly")
            return
        self._waiting += size
        self._unwritten += len(lines)
        self._jobs.put(("".join(lines).encode(), len(lines)))

    def reopen(self) -> None:
        """Goes on in a new file of the same path: the old one was moved away.

        Raises:
            OSError: It can't be opened: the old one goes on.
        """
        if self.path != STANDARD_OUTPUT:
            self.flush()
            file = _opened(self.path)
            self.most = _most(file)
            self._jobs.put(file)

    async def close(self) -> None:
        """Writes what there is, and closes the file; waits for no more than a few seconds.

        What is not written by then is lost; of all that was and was not told of, it is told.
        """
        self.flush()
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join, _STUCK)
        self._given_up = True
        untold = self._telling is not None
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if self._unwritten or untold:
            self.lost += self._unwritten
            self._tell("nobody takes them" if self._unwritten else "they could not be written")

    # In the thread.

    def _work(self) -> None:
        torn = False
        while (job := self._jobs.get()) is not None:
            if isinstance(job, int):
                self._let_go()
                self._file = job
                continue
            data, count = job
            # What could not be written whole must not run on into the next line.
            done, why = _written(self._file, b"\n" + data if torn else data, self._until_writable)
            done = max(0, done - torn)
            torn = torn if not done else data[done - 1] != _END
            missing = data.count(b"\n", done)
            with suppress(RuntimeError):  # the loop is closed: nobody counts any more
                self._loop.call_soon_threadsafe(self._took, len(data), count, missing, why)
        self._let_go()

    def _until_writable(self, file: int) -> None:
        if self._given_up:
            raise TimeoutError(errno.ETIMEDOUT, "it takes nothing")
        ready = select.poll()
        ready.register(file, select.POLLOUT)
        ready.poll(_LOOK)

    def _let_go(self) -> None:
        if self._file != _STDOUT:
            with suppress(OSError):
                os.close(self._file)

    # Back in the loop.

    def _took(self, size: int, count: int, missing: int, why: str) -> None:
        if self._given_up:  # they count as lost
            return
        self._waiting -= size
        self._unwritten -= count
        self.written += count - missing
        if missing:
            self._lose(missing, why)

    def _lose(self, count: int, why: str) -> None:
        self.lost += count
        left = self._quiet_until - monotonic()
        if left <= 0:
            self._tell(why)
        elif self._telling is None:
            self._telling = self._loop.call_later(left, self._tell, why)

    def _tell(self, why: str) -> None:
        self._telling = None
        self._quiet_until = monotonic() + _QUIET
        log.error("%d lines of the access log were lost so far: %s", self.lost, why)


_STDOUT: Final = 1
_ANY: Final = sys.maxsize
_LOOK: Final = 1000  # milliseconds between two looks at whether it is still worth waiting
_END: Final = ord("\n")


def _opened(path: str) -> int:
    if path == STANDARD_OUTPUT:
        return _STDOUT
    # To open a pipe that nobody reads would wait, and hold up the loop; to write to one whose
    # reader has gone would lose lines. So we are a reader, too, who reads nothing (fifo(7), Linux).
    access = os.O_RDWR if Path(path).is_fifo() else os.O_WRONLY
    flags = access | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    return os.open(path, flags, _MODE)


def _is_pipe(file: int) -> bool:
    return stat.S_ISFIFO(os.fstat(file).st_mode)


def _most(file: int) -> int:
    """Returns how many characters a line may have."""
    return _PIECE if _is_pipe(file) else _ANY


def pieces(data: bytes, most: int) -> Iterator[bytes]:
    """Cuts lines into pieces of whole lines, of at most so many bytes; a longer line is one."""
    at = 0
    while at < len(data):
        end = len(data)
        if end - at > most:
            end = data.rfind(b"\n", at, at + most) + 1 or data.index(b"\n", at) + 1
        yield data[at:end]
        at = end


def _written(file: int, data: bytes, wait: Callable[[int], None]) -> tuple[int, str]:
    """Writes all that can be.

    Args:
        file: What it is written to.
        data: Whole lines.
        wait: Waits until more can be; raises OSError where that is given up.

    Returns:
        How many bytes were, and why not all.
    """
    done = 0
    try:
        most = _PIECE if _is_pipe(file) else len(data)
        for piece in pieces(data, most):
            at = 0
            while at < len(piece):
                try:
                    took = os.write(file, piece[at:])
                except BlockingIOError:
                    wait(file)
                    continue
                at += took
                done += took
    except OSError as failure:
        return done, failure.strerror or "it can't be written"
    return done, ""
