"""Answers calls from replies that gateways keep together, in Redis.

As `cache` does, but looking takes a round trip, so each call that is not waiting for an equal one
costs a task. Equal calls look once. The forms that fronts make are kept by each process, beside the
bytes of which they were made: they are used as long as the state has those. Where the state is away
there is nothing kept, and calls are made as if there were no cache: once for equal ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any, Final

from gateway.call import Call, Cancel, Done, Reply, RpcError, Unary
from gateway.errors import error
from gateway.kept import Forms
from gateway.policies.cache.blob import read, written
from gateway.policies.cache.bykey import ByKey
from gateway.policies.cache.fetch import Answer, Fetch
from gateway.policies.cache.flights import nothing
from gateway.policies.cache.keeping import Found
from gateway.policies.cache.kept import Kept, is_failure
from gateway.policies.cache.means import Means
from gateway.policies.cache.outcome import COALESCED, HIT, MISS, STALE
from gateway.policies.cache.refresh import Refresh
from gateway.policies.cache.waiting import Waiting, unkept
from gateway.state.cache import CacheStore, Entry
from gateway.state.redis_cache import RedisCache

log = logging.getLogger(__name__)

_REFRESH: Final = "refresh"


class SharedShelf:
    """The replies of one method in a state that gateways share (`shelf.Shelf`).

    Args:
        state: The state, which other methods share.
        forms: The store of this process for what was made of its replies.
        method: The method's full name.
        clock: The loop's, in seconds.
    """

    __slots__ = ("_clock", "_forms", "_method", "_state", "drop", "outdated")

    def __init__(
        self,
        state: RedisCache,
        forms: CacheStore[bytes],
        method: str,
        clock: Callable[[], float],
    ) -> None:
        self._state = state
        self._forms = forms
        self._method = method
        self._clock = clock
        self.drop = state.drop
        self.outdated = state.outdated

    @property
    def available(self) -> bool:
        """Whether it makes sense to look."""
        return self._state.available

    @property
    def purges(self) -> int:
        """See Shelf."""
        return self._state.purges

    async def get(self, key: bytes) -> Found | None:
        """Returns what is kept under a key and of any use; None also where the state is away."""
        value = await self._state.get(key)
        if value is None:
            return None
        now = self._clock()
        kept = read(value.data, now + value.left)
        if kept is None:
            return None
        forms = self._forms.get(key, now)
        if forms is None or forms.value != value.data:
            forms = self._made_of(key, value.data, kept.until)
        return Found(kept, forms, is_new=False)

    def put(self, key: bytes, kept: Kept, tags: Collection[str] = ()) -> Forms | None:
        """See Shelf."""
        seconds, data = kept.until - self._clock(), written(kept)
        self._state.put(key, data, seconds=seconds, group=self._method, tags=tags)
        return self._made_of(key, data, kept.until)

    def _made_of(self, key: bytes, data: bytes, until: float) -> Entry[bytes]:
        """Returns where forms are kept of a reply that is kept as these bytes."""
        return self._forms.put(key, data, len(data), until=until, group=self._method)


class SharedCache:
    """Answers calls from replies that gateways keep together.

    Args:
        means: By what they are kept.

    Attributes:
        keeps_keys: That calls which ask by keys are answered key by key.
    """

    keeps_keys: Final = True

    __slots__ = ("_by_key", "_clock", "_fetch", "_flights", "_keeping", "_keys", "_refresh",
                 "_shelf")  # fmt: skip

    def __init__(self, means: Means[SharedShelf]) -> None:
        self._keys = means.keys
        self._keeping = means.keeping
        self._shelf = means.shelf
        self._flights = means.flights
        self._clock = means.clock
        self._fetch = Fetch(means.keeping, means.shelf, means.clock)
        self._refresh = Refresh(self._fetch, means.flights, means.clock)
        self._by_key = ByKey(means)

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return f"Answers from replies kept in Redis, {self._keeping.whose}; makes equal calls once."

    def filter(self, call: Call, done: Done, proceed: Unary) -> Cancel:
        """Answers the call, or makes it (`gateway.call.Filter`)."""
        if call.keys is not None:
            return self._filter_keys(call, done, proceed)
        key = self._keys.of(call)
        if key is None:
            return proceed(call, partial(unkept, self._keeping, done))
        if call.record is not None:
            call.record.cached = COALESCED if self._flights.has(key, call) else MISS
        waiting = Waiting(self._keeping, self._clock, call, done, None)
        return self._flights.join(key, call, waiting.take, partial(self._start, key, proceed))

    def _filter_keys(self, call: Call, done: Done, proceed: Unary) -> Cancel:
        keys = self._by_key.keys_of(call)
        if keys is None:
            return proceed(call, partial(unkept, self._keeping, done))
        if not self._shelf.available:
            return self._by_key.ask(call, done, proceed, keys, [None] * len(keys))

        told = False

        def tell(result: Reply | RpcError) -> None:
            nonlocal told
            told = True
            done(result)

        def fail(failure: RpcError) -> None:
            if not told:
                done(failure)

        async def look() -> list[Found | None]:
            return await asyncio.gather(*map(self._shelf.get, keys))

        return _after(look, partial(self._by_key.ask, call, tell, proceed, keys), fail)

    def _start(
        self, key: bytes, proceed: Unary, call: Call, done: Callable[[Answer | RpcError], None]
    ) -> Cancel:
        """Looks, and makes the call if that finds nothing (`flights.Start`)."""
        if not self._shelf.available:
            return self._fetch.start(key, proceed, call, done)

        def found(kept: Found | None) -> Cancel:
            return self._found(key, proceed, call, done, kept)

        # A flight that has ended may be ended once more: who was told is not told again.
        return _after(partial(self._shelf.get, key), found, done)

    def _found(
        self,
        key: bytes,
        proceed: Unary,
        call: Call,
        done: Callable[[Answer | RpcError], None],
        found: Found | None,
    ) -> Cancel:
        now = self._clock()
        if found is None:
            return self._fetch.start(key, proceed, call, done)
        if found.kept.is_fresh(now):
            _note(call, HIT)
            done(found)
            return nothing
        if found.kept.may_stand_in(now):
            _note(call, STALE)
            done(found)
            # Not as the flight of the key: those who look are to find the stale one, and not wait.
            self._refresh.begin(key, call, proceed, flight=(_REFRESH, key))
            return nothing

        def ended(answer: Answer | RpcError) -> None:
            usable = is_failure(answer) and found.kept.may_replace_failure(self._clock())
            if usable:
                _note(call, STALE)
            done(found if usable else answer)

        return self._fetch.start(key, proceed, call, ended)


def _note(call: Call, cached: str) -> None:
    """Takes down what was done for the call that looked; others only waited for it."""
    if call.record is not None:
        call.record.cached = cached


def _after(
    look: Callable[[], Awaitable[Any]],
    then: Callable[[Any], Cancel],
    fail: Callable[[RpcError], None],
) -> Cancel:
    """Goes on with what a look finds.

    Args:
        look: Begins it.
        then: Goes on, and returns what cancels that.
        fail: Ends those who wait, where either fails on a bug.
    """
    cancel_then: Cancel | None = None

    async def run() -> None:
        nonlocal cancel_then
        try:
            cancel_then = then(await look())
        except Exception:
            log.exception("a call failed on a bug in what looks for kept replies")
            fail(error("INTERNAL", "The gateway failed on this call."))

    task = asyncio.get_running_loop().create_task(run())

    def cancel() -> None:
        if cancel_then is not None:
            cancel_then()
        else:
            task.cancel()

    return cancel
