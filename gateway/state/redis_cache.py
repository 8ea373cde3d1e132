"""What is kept for a while in a Redis that gateways share: values by key, indexed by tag and group.

A value is one key with a time at which Redis forgets it. An index is a sorted set of keys by when
they end, which forgets those that have ended whenever one is added, and itself with the last. Each
command and script is for one key, so it does not matter where in a cluster keys are. A value is
written after all of its indexes, so that none could not be purged. The newest of what this process
writes of a key is what stays (`latest`).

Where the state is away there is nothing: who asks gets nothing, and what is put is not kept. The
same where it refuses what it is asked, for a while that grows. Others keep what must not be lost in
the same Redis, so nothing is put into one that is nearly full and evicts nothing (`redis_room`).
What values mean is not known here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from gateway.state.latest import Latest
from gateway.state.pause import Pause
from gateway.state.purged import Purged
from gateway.state.redis import Redis, Refusal, StateRefused, StateUnavailable
from gateway.state.redis.packed import Word
from gateway.state.redis_room import Room

_VALUE: Final = b"gw:cache:v:"
_TAG: Final = b"gw:cache:t:"
_GROUP: Final = b"gw:cache:g:"
_GROUPS: Final = b"gw:cache:groups"

_AT_ONCE: Final = 500
"""Keys that are purged in one go."""

_WRITES: Final = 1000
"""Keys that may be written at a time; beyond them nothing is kept for a moment."""

_WRITTEN: Final = 32 * 1024**2
"""Bytes that may be on their way at a time, as above."""

_ENTRY: Final = 300
_INDEXED: Final = 150
"""Bytes that a value, and an entry in an index, take beside what they hold; roughly."""

_ADD: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ended = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, 500)
if #ended > 0 then redis.call('ZREM', KEYS[1], unpack(ended)) end
local before = redis.call('ZSCORE', KEYS[1], ARGV[1])
local ends = math.max(now + ARGV[2], before and before + 0.01 or 0)
redis.call('ZADD', KEYS[1], string.format('%.17g', ends), ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], math.ceil(last[2]) + 1000)
return 1
"""
"""Adds a key (its end, in milliseconds from now, by the server's clock) to an index, which forgets
some of those that have ended: so many that it is never long at it. It never ends earlier than
before, and never at the same time: that tells a purge that it was added again. The index ends a
second later than the last in it: a server that evicts what ends first leaves it until then."""

_FORGET: Final = """
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return 1
"""
"""Takes keys off an index, each with its end: not those that were added again since."""


class Value(NamedTuple):
    """What is kept under a key.

    Attributes:
        data: The value.
        left: Seconds until it ends, by the server's clock.
    """

    data: bytes
    left: float


class _Put(NamedTuple):
    """Something that is to be kept.

    Attributes:
        key: By which it is found.
        data: What it is.
        until: When it ends, on this process's clock.
        indexes: Each index that it stands in, and under which name.
        size: Bytes that all of it takes, roughly.
        is_outdated: Whether it was purged since it was put.
    """

    key: bytes
    data: bytes
    until: float
    indexes: Sequence[tuple[bytes, bytes]]
    size: int
    is_outdated: Callable[[], bool]


class RedisCache:
    """Values in a Redis.

    Args:
        redis: Its client.
        clock: Seconds, on a clock that never goes back.
    """

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._room = Room(redis, clock)
        self._no_reads = Pause(clock)
        self._no_writes = Pause(clock)
        self._add = redis.script(_ADD)
        self._forget = redis.script(_FORGET)
        self._writes = Latest(_WRITES, _WRITTEN)
        self._purged = Purged()

    @property
    def available(self) -> bool:
        """Whether it makes sense to ask."""
        return self._redis.available and not self._no_reads.lasts

    @property
    def purges(self) -> int:
        """How often this process purged something."""
        return self._purged.count

    async def open(self) -> None:
        """Begins nothing: the client is opened by itself."""

    async def close(self) -> None:
        """Waits for what is being written."""
        await self._writes.settle()

    async def get(self, key: bytes) -> Value | None:
        """Returns what is kept under a key; None also where the state is away."""
        name = _VALUE + key
        try:
            data, milliseconds = await self._all(("GET", name), ("PTTL", name))
        except StateUnavailable as failure:
            if isinstance(failure, StateRefused) and failure.refusal is Refusal.FORBIDDEN:
                self._no_reads.refused()
            return None
        self._no_reads.worked()
        # Between the two it may have ended, or another may have come.
        if data is None or milliseconds <= 0:
            return None
        return Value(data, milliseconds / 1000)

    def put(
        self, key: bytes, data: bytes, *, seconds: float, group: str, tags: Collection[str] = ()
    ) -> None:
        """Has something kept, in a while, in place of what was kept under its key.

        Args:
            key: By which it is found.
            data: What it is.
            seconds: For how long.
            group: By which it is purged.
            tags: By which it is purged, too.
        """
        if int(seconds * 1000) > 0 and self.available and not self._no_writes.lasts:
            indexes = [(_GROUP + group.encode(), key), (_GROUPS, group.encode())]
            indexes += [(_TAG + _text(tag), key) for tag in tags]
            is_outdated = partial(self._purged.since, self._purged.count, tags)
            size = len(data) + _ENTRY + sum(_INDEXED + len(index) for index, _ in indexes)
            put = _Put(key, data, self._clock() + seconds, indexes, size, is_outdated)
            self._writes.begin(key, size, partial(_done_or_not, partial(self._put, put)))

    def drop(self, key: bytes) -> None:
        """Has something kept no longer, in a while."""
        if self.available:
            self._writes.begin(key, 0, partial(_done_or_not, partial(self._drop, key)))

    def outdate(self, tag: str | None = None) -> None:
        """Takes note of a purge, of a tag or of anything: what was asked for before is outdated."""
        self._purged.note(tag)

    def outdated(self, purges: int, tags: Collection[str]) -> bool:
        """Whether what has these tags was purged since there were so many purges."""
        return self._purged.since(purges, tags)

    async def purge_tag(self, tag: str) -> int:
        """Lets go of all that has a tag; returns how much that was.

        Raises:
            StateUnavailable: The state is away.
        """
        self._purged.note(tag)
        return await self._purge(_TAG + _text(tag))

    async def purge_group(self, group: str) -> int:
        """Lets go of a group; otherwise as `purge_tag`."""
        self._purged.note()
        return await self._purge(_GROUP + group.encode())

    async def groups(self) -> list[str]:
        """Returns the groups that may have something.

        Raises:
            StateUnavailable: The state is away.
        """
        names: list[bytes] = await self._redis.call("ZRANGE", _GROUPS, 0, -1)
        return [name.decode() for name in names]

    async def _put(self, put: _Put) -> None:
        name = _VALUE + put.key
        try:
            if not await self._room.take(name, put.size):
                return
            try:
                for index, member in put.indexes:
                    await self._add([index], [member, self._left(put.until)])
                left = self._left(put.until)
                # Else it has ended, or the indexes may have been emptied meanwhile.
                if left > 0 and not put.is_outdated():
                    await self._redis.call("SET", name, put.data, "PX", left)
            finally:
                self._room.written(put.size)
        except StateRefused as failure:
            if failure.refusal is not Refusal.WRONG_TYPE:  # which is of this key alone
                self._no_writes.refused()
        else:
            self._no_writes.worked()

    async def _drop(self, key: bytes) -> None:
        await self._redis.call("UNLINK", _VALUE + key)

    def _left(self, until: float) -> int:
        """Returns the milliseconds until a time: writes may have waited for others."""
        return int((until - self._clock()) * 1000)

    async def _purge(self, index: bytes) -> int:
        purged = 0
        while True:
            # They stay in the index until they are gone: what fails half-way can be done again.
            found: list[bytes] = await self._redis.call(
                "ZRANGE", index, 0, _AT_ONCE - 1, "WITHSCORES"
            )
            if not found:
                return purged
            keys = found[::2]  # each with its time
            purged += sum(await self._all(*(("UNLINK", _VALUE + key) for key in keys)))
            await self._forget([index], found)

    async def _all(self, *commands: tuple[Word, ...]) -> list[Any]:
        """Sends commands together; returns their answers.

        Raises:
            StateUnavailable: One of them can't be sent, or fails.
        """
        sent: list[asyncio.Future[Any]] = []
        try:
            sent.extend(self._redis.call(*each) for each in commands)
        except StateUnavailable:
            for answer in sent:
                answer.cancel()
            raise
        return await asyncio.gather(*sent)


def _text(tag: str) -> bytes:
    return tag.encode("utf-8", "surrogatepass")


async def _done_or_not(write: Callable[[], Awaitable[None]]) -> None:
    """Writes something; where the state is away, it is not kept, as the client's log says."""
    try:
        await write()
    except StateUnavailable:
        return
