"""Sends copies of unary calls to another upstream, whose answers nobody waits for or sees.

Stands behind the cache: what costs a backend nothing is not copied. A copy is what the client sent,
with a deadline of its own; the caller's leaving does not end it. There are only so many at a time,
with so much in their requests: what would be more is left out, and counted. A stream is not copied:
what is sent on it answers what it was told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final

from gateway.call import Call, Cancel, Deadline, Done, Reply, RpcError, Unary

log = logging.getLogger("gateway.mirror")

MOST: Final = 256
"""Copies under way at a time, to one upstream."""

MOST_BYTES: Final = 16 * 1024**2
"""In the requests of these copies: they are held for as long as a copy is under way."""

_MIB: Final = 1024**2
_WHOLE: Final = 100.0  # percent
_QUIET: Final = 60.0  # seconds between two lines of the log


@dataclass(slots=True)
class Counts:
    """What became of copies.

    Attributes:
        sent: Those that were sent.
        failed: Of these, those that ended with another status than OK.
        left_out: Those that were not sent, since too many were under way, or too much in them.
    """

    sent: int = 0
    failed: int = 0
    left_out: int = 0


class Copies:
    """The copies to one upstream, of all methods; kept over generations.

    Args:
        upstream: Its name.
        clock: Seconds that only grow.
        most: How many there may be at a time.
        most_bytes: How many bytes their requests may have together.

    Attributes:
        upstream: Its name.
        counts: What became of all of them.
    """

    def __init__(
        self,
        upstream: str,
        clock: Callable[[], float],
        most: int = MOST,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.upstream = upstream
        self.counts = Counts()
        self._clock = clock
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._numbers = count()
        self._under_way: dict[int, Cancel] = {}
        self._told = Counts()
        self._quiet_until = 0.0
        self._closed = False

    def __len__(self) -> int:
        """Those that are under way."""
        return len(self._under_way)

    async def open(self) -> None:
        """Has nothing to begin."""

    async def close(self) -> None:
        """Ends those that are under way; there are none after them."""
        self._closed = True
        under_way, self._under_way, self._bytes = self._under_way, {}, 0
        for cancel in under_way.values():
            cancel()

    def send(self, copy: Call, start: Unary) -> None:
        """Sends a copy, or leaves it out."""
        if self._closed:
            return
        size = len(copy.request)
        if len(self._under_way) >= self._most or self._bytes + size > self._most_bytes:
            self.counts.left_out += 1
            self._tell()
            return
        self.counts.sent += 1
        number = next(self._numbers)

        def done(result: Reply | RpcError) -> None:
            if self._under_way.pop(number, None) is not None:
                self._bytes -= size
            if isinstance(result, RpcError):
                self.counts.failed += 1
                self._tell()

        self._bytes += size
        self._under_way[number] = _nothing  # it may end before `start` returns
        cancel = start(copy, done)
        if number in self._under_way:
            self._under_way[number] = cancel

    def _tell(self) -> None:
        """Writes a line of what went wrong, once in a while."""
        now = self._clock()
        if now < self._quiet_until:
            return
        self._quiet_until = now + _QUIET
        counts, told = self.counts, self._told
        log.warning(
            "copies for %s: %d sent, %d failed, %d left out, at most %d and %d MiB at a time",
            self.upstream,
            counts.sent - told.sent,
            counts.failed - told.failed,
            counts.left_out - told.left_out,
            self._most,
            self._most_bytes // _MIB,
        )
        self._told = Counts(counts.sent, counts.failed, counts.left_out)


class Mirror:
    """Sends copies of a share of the calls to another upstream than they go to (a Filter).

    Args:
        copies: Those to it.
        start: Makes calls to it.
        own: Whether it is the service's own, to which calls go for which none was chosen.
        percent: The share, from 0 to 100.
        timeout: Seconds that a copy may take, more than 0: it is not held for ever.
        random: Returns a number in [0, 1).
        clock: The loop's, in seconds.
    """

    __slots__ = ("_clock", "_copies", "_percent", "_random", "_start", "_there", "_timeout")

    def __init__(
        self,
        copies: Copies,
        start: Unary,
        *,
        own: bool,
        percent: float,
        timeout: float,
        random: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._copies = copies
        self._start = start
        self._there = "" if own else copies.upstream
        self._percent = percent
        self._timeout = timeout
        self._random = random
        self._clock = clock

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return (
            f"Sends copies of {self._percent:g} % of the calls to {self._copies.upstream}, "
            "and waits for no answer."
        )

    def filter(self, call: Call, done: Done, proceed: Unary) -> Cancel:
        """Starts the call, and then perhaps its copy (`gateway.call.Filter`)."""
        if call.upstream == self._there or self._random() * _WHOLE >= self._percent:
            return proceed(call, done)
        # Now: what follows may change the call, as by telling its backends who calls.
        copy = Call(**call.parts())
        copy.record = None  # it is none of the client's
        copy.deadline = Deadline(self._clock() + self._timeout)
        copy.reply_headers = copy.keys = copy.cookies = None
        cancel = proceed(call, done)
        self._copies.send(copy, self._start)
        return cancel


def _nothing() -> None:
    """Cancels what has not begun."""
