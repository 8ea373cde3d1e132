"""Keys that an issuer publishes: when they are fetched, and fetched again.

They are fetched again before anybody misses them: every five minutes, or as often as their
`Cache-Control` says, within bounds and with jitter, so that a thousand gateways don't ask at once.
A token that no known key has signed has them fetched now, but only once in ten seconds, however
many such tokens come, and one fetch at a time. An issuer that is down, or says nonsense, changes
nothing: the keys of before hold, and it is asked again, ever less often until it is once a minute.

What a key is, and what is signed by it, is not known here.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from gateway.policies.auth.fetching import Fetched, FetchError
from gateway.policies.auth.jwt.documents import Fetch
from gateway.policies.auth.jwt.keys import KeySet, KeySetError

log = logging.getLogger("gateway.auth")

COOL_DOWN: Final = 10.0
"""Seconds between two fetches for the sake of unknown keys."""

_USUAL: Final = 300.0  # seconds between two fetches of an issuer that names no time
_SOONEST: Final = 60.0
_LATEST: Final = 900.0  # as long as a key that was withdrawn may be believed
_RETRY: Final = 1.0  # seconds after a failure; twice as many after the next
_JITTER: Final = 0.1  # of a pause, by which it is shorter at most
_START: Final = 3.0  # seconds that a start waits for keys


class FetchedKeys:
    """Keys that an issuer publishes (`source.Source`).

    Args:
        name: The provider's, for the log.
        keys: Where they are put.
        fetch: Fetches them.
        ended: Ends what they are fetched by.
        clock: Seconds, on a clock that never goes back.
        sleep: Waits for some seconds.
        jitter: Returns a number from 0 to 1, another one each time.
    """

    def __init__(
        self,
        name: str,
        keys: KeySet,
        fetch: Fetch,
        *,
        ended: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.keys = keys
        self._name = name
        self._fetch = fetch
        self._end = ended
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._cool_at = clock()
        self._failures = 0
        self._max_age: float | None = None
        self._running: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    def again(self) -> asyncio.Future[None] | None:
        """See `Source.again`."""
        if self._running is None:
            if self.cooling() > 0:
                return None
            self._cool_at = self._clock() + COOL_DOWN
        return self._once()

    def cooling(self) -> float:
        """See `Source.cooling`."""
        return max(0.0, self._cool_at - self._clock())

    async def open(self) -> None:
        """See `Source.open`."""
        if self._refreshing is None:
            first = self._once()
            self._refreshing = asyncio.create_task(self._refresh())
            await asyncio.wait([first], timeout=_START)

    async def close(self) -> None:
        """See `Source.close`."""
        tasks = [task for task in (self._refreshing, self._running) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._end()

    def _once(self) -> asyncio.Task[None]:
        """Returns the one fetch that is under way."""
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._update())
            self._running.add_done_callback(self._forget)
        return self._running

    def _forget(self, _: asyncio.Task[None]) -> None:
        self._running = None

    async def _refresh(self) -> None:
        while True:
            await asyncio.wait([self._once()])
            await self._sleep(pause(self._max_age, self._failures, self._jitter()))

    async def _update(self) -> None:
        try:
            fetched = await self._fetch()
            self._take(fetched)
        except (FetchError, KeySetError) as failure:
            self._failures += 1
            if self._failures == 1:
                kept = "those of before hold" if len(self.keys) else "its tokens can't be verified"
                log.warning("%s: no keys: %s; %s until it answers", self._name, failure, kept)
            return
        except Exception:
            self._failures += 1
            log.exception("%s: its keys could not be fetched", self._name)
            return
        if self._failures:
            log.warning("%s: %s: the keys can be fetched again", self._name, fetched.place)
        self._failures = 0
        self._max_age = fetched.max_age

    def _take(self, fetched: Fetched) -> None:
        try:
            self.keys.replace(fetched.json, f"{self._name}: {fetched.place}")
        except KeySetError as failure:
            raise KeySetError(f"{fetched.place}: {failure}") from None


def pause(max_age: float | None, failures: int, jitter: float) -> float:
    """Returns the seconds until keys are fetched again.

    Args:
        max_age: How long they may be kept, as their issuer says; None for no word.
        failures: How often in a row it failed.
        jitter: From 0 to 1.
    """
    if failures:
        longest = min(_RETRY * 2.0 ** min(failures - 1, 16), _SOONEST)
    else:
        longest = min(max(_USUAL if max_age is None else max_age, _SOONEST), _LATEST)
    return longest * (1 - _JITTER * jitter)
