"""Equal calls in flight are made once, also where nothing is kept of replies."""

from __future__ import annotations

from gateway.call import Call, Cancel, Done, Reply, RpcError, Unary
from gateway.policies.cache.flights import Flights
from gateway.policies.cache.kept import again
from gateway.policies.cache.keys import Keys
from gateway.policies.cache.outcome import COALESCED, MISS


class Coalesce:
    """Makes equal calls that are under way at a time once.

    Stands where a cache does, as the last but what tells backends who calls.

    Args:
        keys: Which calls are equal.
        flights: Those under way.
    """

    __slots__ = ("_flights", "_keys")

    def __init__(self, keys: Keys, flights: Flights[Reply]) -> None:
        self._keys = keys
        self._flights = flights

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return "Makes equal calls that are under way at a time once."

    def filter(self, call: Call, done: Done, proceed: Unary) -> Cancel:
        """Makes the call, or waits for an equal one (`gateway.call.Filter`)."""
        key = self._keys.of(call)
        if key is None:
            return proceed(call, done)
        if call.record is not None:
            call.record.cached = COALESCED if self._flights.has(key, call) else MISS

        def told(result: Reply | RpcError) -> None:
            done(again(result) if isinstance(result, RpcError) else result)

        return self._flights.join(key, call, told, proceed)
