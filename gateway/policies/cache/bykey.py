"""Answers calls that ask by keys (`gateway.kept.Keys`) key by key: only what is not kept is asked.

The answer of a key is a reply that has nothing else, so the reply to the call is those that are
kept and the one to the rest, one after the other. Each is kept for as long as the reply holds that
it came with; also that there is nothing for a key. What the client is told of all of them is what
holds for the one that ends first. Where the backend fails, keys may still be answered by what is
stale, as far as it may be used so; the call has failed all the same if others remain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gateway.call import Call, Cancel, Done, Reply, RpcError, Unary
from gateway.kept import Keys
from gateway.policies.cache.fetch import Answer
from gateway.policies.cache.flights import nothing
from gateway.policies.cache.keeping import Found
from gateway.policies.cache.kept import Kept, is_failure
from gateway.policies.cache.means import Means
from gateway.policies.cache.outcome import COALESCED, HIT, MISS, STALE
from gateway.policies.cache.shelf import Shelf


class ByKey:
    """Answers the calls of a method that ask by keys.

    Args:
        means: By what its replies are kept.
    """

    __slots__ = ("_clock", "_flights", "_keeping", "_keys", "_shelf")

    def __init__(self, means: Means[Shelf]) -> None:
        self._keys = means.keys
        self._keeping = means.keeping
        self._shelf = means.shelf
        self._flights = means.flights
        self._clock = means.clock

    def keys_of(self, call: Call) -> list[bytes] | None:
        """Returns under which key each key's answer is kept; None where nothing may be kept."""
        asked = call.keys
        assert asked is not None, "it asks by keys"
        found = []
        for name in asked.names:
            key = self._keys.of_key(call, asked.rest, name)
            if key is None:
                return None
            found.append(key)
        return found

    def ask(
        self,
        call: Call,
        done: Done,
        proceed: Unary,
        keys: Sequence[bytes],
        found: Sequence[Found | None],
    ) -> Cancel:
        """Answers a call, or makes it for the keys of which nothing is kept.

        Args:
            call: The call.
            done: What it completes with.
            proceed: Makes it.
            keys: Under which each key's answer is kept.
            found: What is kept of each.
        """
        asked = call.keys
        assert asked is not None, "it asks by keys"
        now = self._clock()
        there = {place: each.kept for place, each in enumerate(found) if each is not None}
        fresh = {place: kept for place, kept in there.items() if kept.is_fresh(now)}
        asked.kept.update({place: kept.message for place, kept in fresh.items()})
        missing = tuple(place for place in range(len(keys)) if place not in fresh)
        if not missing:
            if call.record is not None:
                call.record.cached = HIT
            done(self._whole(call, fresh.values(), now))
            return nothing
        stale = {place: kept for place, kept in there.items() if place not in fresh}
        asking = _Asking(self, call, done, keys, fresh, stale, missing)
        flight = b"".join(keys[place] for place in missing)
        if call.record is not None:
            call.record.cached = COALESCED if self._flights.has(flight, call) else MISS
        return self._flights.join(flight, call, asking.take, partial(asking.start, proceed))

    def _whole(
        self, call: Call, parts: Iterable[Kept], now: float, new: Kept | None = None
    ) -> Reply:
        """Returns the reply that parts of it make, told as the one that ends first."""
        every = [*parts] if new is None else [*parts, new]
        first = min(every, key=lambda kept: kept.made + kept.lifetime.fresh)
        age = first.age(now, is_new=first is new)
        headers = self._keeping.told.of(first, call.principal, age)
        message = b"".join(kept.message for kept in every)
        if new is None:
            return Reply(message, headers=headers)
        return Reply(message, new.initial, new.trailers, headers)

    def _keep(self, asking: _Asking, asked: Keys, result: Reply, purges: int) -> Answer:
        """Returns what a reply has for keys, which are kept one by one if it may be kept."""
        items = asked.split(asking.missing, result.message)
        if items is not None:
            # Of what was not asked for there may be an answer already, and it would have two.
            result = replace(result, message=b"".join(items))
        whole = self._keeping.reply(result, self._clock())
        if whole is None:
            return result
        if items is not None:
            for place, item in zip(asking.missing, items, strict=True):
                request = asked.request((place,))
                tags = self._keeping.tags.of(request, result.initial, result.trailers)
                if tags is not None and not self._shelf.outdated(purges, tags):
                    self._shelf.put(asking.keys[place], self._keeping.item(item, whole), tags)
        return Found(whole, None, is_new=True)

    def fetch(
        self, asking: _Asking, proceed: Unary, call: Call, done: Callable[[Answer | RpcError], None]
    ) -> Cancel:
        """Makes a call for what is missing."""
        purges = self._shelf.purges
        asked = call.keys
        assert asked is not None, "it asks by keys"
        if len(asking.missing) < len(asking.keys):
            call.request = asked.request(asking.missing)

        def ended(result: Reply | RpcError) -> None:
            answer: Answer | RpcError = result
            if isinstance(result, Reply):
                answer = self._keep(asking, asked, result, purges)
            if not isinstance(answer, Found) and not self._keeping.says_nothing(result):
                for place in asking.stale:
                    self._shelf.drop(asking.keys[place])
            done(answer)

        return proceed(call, ended)

    def completed(self, asking: _Asking, answer: Answer | RpcError) -> Reply | RpcError:
        """Returns what a call completes with, given the answer for what was missing."""
        now, call, fresh = self._clock(), asking.call, asking.fresh
        if isinstance(answer, Found):
            return self._whole(call, fresh.values(), now, answer.kept)
        if isinstance(answer, Reply):
            told = self._keeping.unkept(answer, call.principal)
            message = b"".join([*(kept.message for kept in fresh.values()), answer.message])
            return replace(told, message=message)
        if is_failure(answer):
            usable = {
                place: kept for place, kept in asking.stale.items() if kept.may_replace_failure(now)
            }
            assert call.keys is not None, "it asks by keys"
            call.keys.kept.update({place: kept.message for place, kept in usable.items()})
            if len(usable) == len(asking.missing):
                if call.record is not None:
                    call.record.cached = STALE
                return self._whole(call, [*fresh.values(), *usable.values()], now)
        return self._keeping.unkept_error(answer)


@dataclass(frozen=True, slots=True)
class _Asking:
    """A call that asks by keys, of which some are missing."""

    by_key: ByKey
    call: Call
    done: Done
    keys: Sequence[bytes]
    fresh: Mapping[int, Kept]
    stale: Mapping[int, Kept]
    missing: Sequence[int]

    def start(
        self, proceed: Unary, call: Call, done: Callable[[Answer | RpcError], None]
    ) -> Cancel:
        """Starts the flight (`flights.Start`, given what makes the call)."""
        return self.by_key.fetch(self, proceed, call, done)

    def take(self, answer: Answer | RpcError) -> None:
        """Completes the call."""
        self.done(self.by_key.completed(self, answer))
