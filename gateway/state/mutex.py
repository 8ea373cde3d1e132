"""Mutexes between the processes of a machine, in the memory that they share.

A row of them (stripes): whoever changes a part of the memory takes the mutex of that part. They
outlive their holders: a process that is killed while it holds one gives it up by that. And nobody
waits for long, as an event loop waits with it: where a holder does not go on (it was stopped, or
the machine is overloaded), the others go on without after `patience`, and say so once. What they do
then is as exact as it would be without mutexes.

POSIX: `pthread_mutex_t`, shared and robust (pthread_mutexattr_setpshared and _setrobust), called
in the C library, a quarter of a microsecond to take and give one. Where there are no robust ones
(macOS), record locks on the shared file (fcntl, F_SETLK), which a process's death ends too. These
exclude processes, not threads: one thread of a process uses them.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import logging
import mmap
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

log = logging.getLogger("gateway.state")

COUNT: Final = 64
"""How many there are."""
SIZE: Final = 64
"""Bytes that each has in the memory: a cache line, more than any system's `pthread_mutex_t`."""
PATIENCE: Final = 0.05
"""Seconds: longer than a busy machine lets a process wait for its turn, which it may have lost
while it held one."""
_YIELDS: Final = 10  # turns that are given up to the holder before the wait is a sleep
_NAP: Final = 0.0002  # seconds
_RESPITE: Final = 1.0  # seconds for which one whose holder did not go on is not waited for again
_SHARED: Final = 1  # PTHREAD_PROCESS_SHARED and PTHREAD_MUTEX_ROBUST, of glibc and musl
_ROBUST: Final = 1


class Waiting:
    """Waits for a mutex for a little while, but not for one whose holder has just not gone on.

    Args:
        patience: The longest wait, in seconds.
        now: Seconds that only grow.
    """

    __slots__ = ("_now", "_patience", "_told", "_until")

    def __init__(self, patience: float, now: Callable[[], float]) -> None:
        self._patience = patience
        self._now = now
        self._told = False
        self._until = [0.0] * COUNT

    def take(self, number: int, attempt: Callable[[], bool]) -> bool:
        """Returns whether an attempt was successful."""
        now = self._now()
        if now < self._until[number]:
            return False
        end, yields = now + self._patience, 0
        while self._now() < end:
            # A yield alone need not let the holder run; a nap leaves it the processor.
            if yields < _YIELDS:
                yields += 1
                os.sched_yield()
            else:
                time.sleep(_NAP)
            if attempt():
                return True
        self._until[number] = self._now() + _RESPITE
        if not self._told:
            self._told = True
            log.warning(
                "another process holds a part of the limits' memory and does not go on: "
                "while it does not, its part is counted without it, and not exactly"
            )
        return False


class Mutexes:
    """A row of mutexes.

    Who takes several takes them in ascending order.

    Args:
        attempts: For each, what tries to take it, and returns 0 if it was taken.
        gives: For each, what gives it back.
        patience: The longest wait for one, in seconds.
        now: Seconds that only grow.
    """

    __slots__ = ("_waiting", "attempts", "gives")

    def __init__(
        self,
        attempts: Sequence[Callable[[], int]],
        gives: Sequence[Callable[[], object]],
        patience: float,
        now: Callable[[], float],
    ) -> None:
        self.attempts = attempts
        self.gives = gives
        self._waiting = Waiting(patience, now)

    def take(self, number: int) -> bool:
        """Returns whether one was taken: it must then be given back. If not, go on without.

        It is an attempt, and what settles it; those who are in a hurry call these themselves.

        Args:
            number: Which, below `COUNT`.
        """
        result = self.attempts[number]()
        return not result or self.settle(number, result)

    def settle(self, number: int, result: int) -> bool:
        """Returns whether one was taken after all.

        Args:
            number: Which.
            result: What an attempt has returned; not 0.
        """
        return self._is_taken(number, result) or self._waiting.take(
            number, lambda: self._is_taken(number, self.attempts[number]())
        )

    def give(self, number: int) -> None:
        """Gives back one that was taken."""
        self.gives[number]()

    def close(self) -> None:
        """Lets go of the memory. None may be held."""
        self.attempts, self.gives = (), ()

    def _is_taken(self, number: int, result: int) -> bool:  # noqa: ARG002  a subclass's
        return not result


class RobustMutexes(Mutexes):
    """Robust mutexes of the C library.

    Args:
        memory: Which processes share.
        offset: Where in it they are.
        fresh: Whether they are to be made: by one process, before any other uses them.
        patience: The longest wait for one, in seconds.
        now: Seconds that only grow.

    Raises:
        OSError: The system has none.
    """

    __slots__ = ("_mend",)

    def __init__(
        self,
        memory: mmap.mmap,
        offset: int,
        *,
        fresh: bool,
        patience: float = PATIENCE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        # PyDLL: holding the interpreter's lock costs less than letting go of it, and none blocks.
        library = ctypes.PyDLL(None)
        room = (ctypes.c_char * SIZE).from_buffer
        rooms = [room(memory, offset + number * SIZE) for number in range(COUNT)]
        if fresh:
            _make(library, rooms)
        # With `byref` made once, a call costs half of one that is given an address.
        at = [ctypes.byref(room) for room in rooms]
        self._mend = [partial(library.pthread_mutex_consistent, each) for each in at]
        super().__init__(
            [partial(library.pthread_mutex_trylock, each) for each in at],
            [partial(library.pthread_mutex_unlock, each) for each in at],
            patience,
            now,
        )

    def close(self) -> None:
        """Lets go of the memory. None may be held."""
        super().close()
        self._mend = []

    def _is_taken(self, number: int, result: int) -> bool:
        if result == errno.EOWNERDEAD:
            # What its holder wrote holds at every step (see table), so there is nothing to mend.
            self._mend[number]()
            log.warning("a process died while it counted a call: its part goes on")
            return True
        return not result


def _make(library: ctypes.PyDLL, rooms: Sequence[ctypes.Array[ctypes.c_char]]) -> None:
    attributes = ctypes.create_string_buffer(SIZE)
    for name, *arguments in (
        ("pthread_mutexattr_init",),
        ("pthread_mutexattr_setpshared", _SHARED),
        ("pthread_mutexattr_setrobust", _ROBUST),
    ):
        _check(getattr(library, name)(attributes, *arguments))
    for room in rooms:
        _check(library.pthread_mutex_init(room, attributes))
    _check(library.pthread_mutexattr_destroy(attributes))


def _check(result: int) -> None:
    if result:
        raise OSError(result, os.strerror(result))


class FileLocks(Mutexes):
    """Record locks on a file: one byte each.

    Args:
        fd: The file; it stays open until `close`.
        offset: The first one's byte.
        patience: The longest wait for one, in seconds.
        now: Seconds that only grow.
    """

    __slots__ = ()

    def __init__(
        self,
        fd: int,
        offset: int,
        *,
        patience: float = PATIENCE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        at = [offset + number for number in range(COUNT)]
        super().__init__(
            [partial(_lock, fd, each) for each in at],
            [partial(fcntl.lockf, fd, fcntl.LOCK_UN, 1, each) for each in at],
            patience,
            now,
        )


def _lock(fd: int, at: int) -> int:
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, at)
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES: POSIX allows both
        return errno.EAGAIN
    return 0


def mutexes(memory: mmap.mmap, fd: int, offset: int, *, fresh: bool) -> Mutexes:
    """Returns those that the system has.

    Args:
        memory: Which processes share.
        fd: The file that it maps.
        offset: Where in it is room for `COUNT` of `SIZE` bytes.
        fresh: Whether they are to be made.
    """
    if hasattr(ctypes.PyDLL(None), "pthread_mutexattr_setrobust"):
        return RobustMutexes(memory, offset, fresh=fresh)
    return FileLocks(fd, offset)
