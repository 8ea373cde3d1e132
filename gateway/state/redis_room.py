"""How much may be put into a Redis that must not run full: the rest is for others.

A Redis that evicts nothing refuses all writes when it is full, so what clients can have written
without end stops before: at three quarters of `maxmemory`, or of the machine's memory where Redis
has no bound. One that evicts makes room by itself and has no bound here. What there is, is asked of
Redis (`INFO memory`) once in a while and after so many bytes, so several processes may go beyond a
little. In a cluster it is the room of the server that has the key.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Final

from gateway.state.redis import Redis
from gateway.state.seldom import Seldom

log = logging.getLogger("gateway.state")

_SHARE: Final = 0.75  # of the memory that the server may use
_HOLDS: Final = 1.0  # seconds for which an answer is good
_GRANT: Final = 1 / 16  # of what is free, before it is asked again
_QUIET: Final = 600.0  # seconds
_BLIND: Final = "noeviction"


class Room:
    """The room that there is. Used inside one running loop.

    Args:
        redis: The client.
        clock: Seconds, on a clock that never goes back.
    """

    def __init__(self, redis: Redis, clock: Callable[[], float]) -> None:
        self._redis = redis
        self._clock = clock
        self._seldom = Seldom(clock, _QUIET)
        self._asking = asyncio.Lock()
        self._until = -math.inf
        self._free = 0.0
        self._spent = 0.0
        self._unwritten = 0

    async def take(self, key: bytes, size: int) -> bool:
        """Returns whether so many bytes may be written; if so, `written` is to be called after.

        Args:
            key: Theirs.
            size: How many.

        Raises:
            StateUnavailable: The state does not say how much room there is.
        """
        if self._is_outdated(size):
            async with self._asking:
                if self._is_outdated(size):  # nobody else has asked meanwhile
                    await self._ask(key)
        if size > (self._free * _GRANT - self._spent if self._spent else self._free):
            return False
        self._spent += size
        self._unwritten += size
        return True

    def written(self, size: int) -> None:
        """Takes note that what was taken is in Redis, or never will be."""
        self._unwritten -= size

    def _is_outdated(self, size: int) -> bool:
        used_up = self._spent > 0 and self._spent + size > self._free * _GRANT
        return used_up or self._clock() >= self._until

    async def _ask(self, key: bytes) -> None:
        free = _free(await self._redis.near(key, "INFO", "memory"))
        self._free = free - self._unwritten
        self._spent = 0.0
        self._until = self._clock() + _HOLDS
        if self._free <= 0 and self._seldom.may("full"):
            log.warning(
                "the state %s is three quarters full: no more replies are kept there for now, to "
                "leave room for limits and usage; raise its maxmemory, or name a Redis of its own "
                "for them by cache.state",
                self._redis.name,
            )


def _free(info: bytes) -> float:
    """Returns the bytes that may still be written, by an answer to INFO; inf for any number."""
    lines = (line.partition(":") for line in info.decode("utf-8", "replace").splitlines())
    facts = {name: value for name, _, value in lines}
    most = _number(facts, "maxmemory")
    if most and facts.get("maxmemory_policy", _BLIND) != _BLIND:
        return math.inf
    most = most or _number(facts, "total_system_memory")
    return most * _SHARE - _number(facts, "used_memory") if most else math.inf


def _number(facts: dict[str, str], name: str) -> int:
    value = facts.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else 0
