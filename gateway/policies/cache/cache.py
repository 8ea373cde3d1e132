"""Answers calls from replies that are kept in memory, and keeps what it has to ask for.

The last policy but what tells backends who calls. A reply that is kept is answered at once, with no
task. One that is stale, but may be used while a new one is fetched, is answered at once too, and
one call for all is made beside it, with the method's own time; so many at a time, and not again
within a second where that failed. One that may be used where the backend fails is the answer where
the call ends so, or its time does. All else waits for the one call of its kind that is under way
(`flights`).

A client's own `Cache-Control` is not looked at: who can have the gateway ask the backend can ask it
as often as it likes, which is what a cache is to prevent.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from gateway.call import Call, Cancel, Done, Unary
from gateway.policies.cache.bykey import ByKey
from gateway.policies.cache.fetch import Fetch
from gateway.policies.cache.flights import nothing
from gateway.policies.cache.means import Means
from gateway.policies.cache.outcome import COALESCED, HIT, MISS, STALE
from gateway.policies.cache.refresh import Refresh
from gateway.policies.cache.shelf import MemoryShelf
from gateway.policies.cache.waiting import Waiting, unkept


class Cache:
    """Answers calls from replies that are kept in memory.

    Args:
        means: By what they are kept.

    Attributes:
        keeps_keys: That calls which ask by keys are answered key by key.
    """

    keeps_keys: Final = True

    __slots__ = ("_by_key", "_clock", "_fetch", "_flights", "_get", "_keeping", "_key_of",
                 "_refresh")  # fmt: skip

    def __init__(self, means: Means[MemoryShelf]) -> None:
        self._key_of = means.keys.of
        self._keeping = means.keeping
        self._get = means.shelf.get
        self._flights = means.flights
        self._clock = means.clock
        self._fetch = Fetch(means.keeping, means.shelf, means.clock)
        self._by_key = ByKey(means)
        self._refresh = Refresh(self._fetch, means.flights, means.clock)

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        whose = self._keeping.whose
        return f"Answers from replies kept in memory, {whose}; makes equal calls once."

    def filter(self, call: Call, done: Done, proceed: Unary) -> Cancel:
        """Answers the call, or makes it (`gateway.call.Filter`)."""
        if call.keys is not None:
            return self._filter_keys(call, done, proceed)
        key = self._key_of(call)
        if key is None:
            return proceed(call, partial(unkept, self._keeping, done))
        now = self._clock()
        found = self._get(key, now)
        if found is not None:
            kept = found.kept
            fresh = kept.is_fresh(now)
            if fresh or kept.may_stand_in(now):
                if not fresh:
                    self._refresh.begin(key, call, proceed)
                if call.record is not None:
                    call.record.cached = HIT if fresh else STALE
                done(self._keeping.answer(found, call.principal, now))
                return nothing
        if call.record is not None:
            call.record.cached = COALESCED if self._flights.has(key, call) else MISS
        waiting = Waiting(self._keeping, self._clock, call, done, found)
        return self._flights.join(key, call, waiting.take, partial(self._fetch.start, key, proceed))

    def _filter_keys(self, call: Call, done: Done, proceed: Unary) -> Cancel:
        keys = self._by_key.keys_of(call)
        if keys is None:
            return proceed(call, partial(unkept, self._keeping, done))
        now = self._clock()
        return self._by_key.ask(call, done, proceed, keys, [self._get(key, now) for key in keys])
