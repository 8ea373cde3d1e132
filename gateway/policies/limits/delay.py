"""Calls that wait for their share instead of being refused: how many may, and how they leave.

A share is taken when the call begins to wait. Who leaves before its turn leaves the share behind:
to give it back would let the calls behind it overtake those that were told how long to wait.

Where the answer takes time, a call has its place from when it asks: else all that ask at once would
find the same one free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from typing import Any, Final, TypeAlias

from gateway.policies.limits.ask import Verdict

MOST: Final = 1000
"""Calls that may wait for one limit."""

Sleep: TypeAlias = "Callable[[float], Coroutine[Any, Any, None]]"


class Room:
    """Where the calls of one limit wait.

    Args:
        most: How many may.

    Attributes:
        waiting: How many do, or have asked and may have to.
    """

    __slots__ = ("_most", "waiting")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.waiting = 0

    @property
    def is_full(self) -> bool:
        """Whether no other call may wait."""
        return self.waiting >= self._most


class _Places:
    """A place in each of some rooms, taken at once.

    Args:
        rooms: Those.
    """

    __slots__ = ("_rooms",)

    def __init__(self, rooms: Sequence[Room]) -> None:
        self._rooms = rooms
        for room in rooms:
            room.waiting += 1

    def leave(self) -> None:
        """Gives them back; once more is harmless."""
        rooms, self._rooms = self._rooms, ()
        for room in rooms:
            room.waiting -= 1


class Delay:
    """A call's wait: it has its places from now on until it was awaited, or closed.

    To be awaited once, or closed.

    Args:
        seconds: How long.
        rooms: Those it waits in.
        sleep: Waits.
    """

    __slots__ = ("_places", "_seconds", "_sleep")

    def __init__(self, seconds: float, rooms: Sequence[Room], sleep: Sleep = asyncio.sleep) -> None:
        self._seconds = seconds
        self._places = _Places(rooms)
        self._sleep = sleep

    def __await__(self) -> Generator[Any, None, None]:
        return self._wait().__await__()

    async def _wait(self) -> None:
        try:
            await self._sleep(self._seconds)
        finally:
            self.close()

    def close(self) -> None:
        """Gives the places back; once more is harmless."""
        self._places.leave()


class Asked:
    """A decision that must be waited for, and what is done with it.

    To be awaited once, or closed.

    Args:
        verdict: What is awaited.
        judge: Takes it; returns what to await then, or None. Raises RpcError to refuse the call.
        rooms: Where the call may have to wait then: it has its places until it is judged.
    """

    __slots__ = ("_judge", "_places", "_verdict")

    def __init__(
        self,
        verdict: Awaitable[Verdict],
        judge: Callable[[Verdict], Delay | None],
        rooms: Sequence[Room] = (),
    ) -> None:
        self._verdict = verdict
        self._judge = judge
        self._places = _Places(rooms)

    def __await__(self) -> Generator[Any, None, None]:
        return self._wait().__await__()

    async def _wait(self) -> None:
        try:
            verdict = await self._verdict
        finally:
            self._places.leave()
        delay = self._judge(verdict)
        if delay is not None:
            await delay

    def close(self) -> None:
        """Ends what nobody waits for."""
        self._places.leave()
        # A coroutine that is not awaited would warn of it.
        close = getattr(self._verdict, "close", None)
        if close is not None:
            close()
