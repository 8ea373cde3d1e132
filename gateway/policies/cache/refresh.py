"""Fetches new replies beside the use of stale ones.

One for all who use it, so many at a time, and not at once again where that failed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from gateway.call import Call, Cancel, RpcError, Unary
from gateway.policies.cache.fetch import Answer, Fetch
from gateway.policies.cache.flights import Flights
from gateway.policies.cache.keeping import Found

PAUSE: Final = 1.0
"""Seconds from one try to the next that replaces the same reply."""

MOST: Final = 64
"""Calls of one method that are made for this at a time."""

_REMEMBERED: Final = 4096
"""Failures that are remembered; each for a second."""


class Refresh:
    """Fetches the new replies of a method.

    Args:
        fetch: Makes calls.
        flights: Those under way.
        clock: The loop's, in seconds.
    """

    __slots__ = ("_clock", "_failed", "_fetch", "_flights", "_running")

    def __init__(self, fetch: Fetch, flights: Flights[Answer], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._flights = flights
        self._clock = clock
        self._running = 0
        self._failed: OrderedDict[bytes, float] = OrderedDict()

    def begin(
        self, key: bytes, call: Call, proceed: Unary, *, flight: Hashable | None = None
    ) -> None:
        """Fetches the reply to a call for nobody, if that makes sense now.

        Args:
            key: The call's.
            call: The call, which is answered otherwise.
            proceed: Makes it.
            flight: Names the flight, where that of the key is something else.
        """
        name = key if flight is None else flight
        if self._flights.has(name, call) or self._running >= MOST:
            return
        if self._failed and self._clock() < self._failed.get(key, 0.0):
            return
        self._running += 1

        def start(call: Call, done: Callable[[Answer | RpcError], None]) -> Cancel:
            def ended(answer: Answer | RpcError) -> None:
                self._running -= 1
                if not isinstance(answer, Found):
                    self._remember(key)
                done(answer)

            return self._fetch.start(key, proceed, call, ended)

        self._flights.begin(name, call, start)

    def _remember(self, key: bytes) -> None:
        self._failed[key] = self._clock() + PAUSE
        self._failed.move_to_end(key)
        if len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)
