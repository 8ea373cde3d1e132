"""Replies that gateways keep together: the cache's rules hold where looking takes a while."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, Detail, Metadata, Principal, Status
from gateway.policies.cache.blob import read, written
from gateway.policies.cache.bykey import ByKey
from gateway.policies.cache.freshness import Lifetime
from gateway.policies.cache.kept import Kept
from gateway.policies.cache.keys import Keys
from gateway.policies.cache.means import Means
from gateway.policies.cache.shared import SharedCache, SharedShelf
from gateway.state.redis_cache import Value
from tests.policies.cache.caching import METHOD, Caching
from tests.policies.cache.test_bykey import ask as ask_keys
from tests.policies.cache.test_bykey import ids, of

TEXT = st.text(max_size=5)
METADATA = st.lists(
    st.tuples(st.sampled_from(["x-a", "x-b"]), TEXT) | st.tuples(st.just("x-bin"), st.binary())
).map(Metadata)
STATUS = st.builds(
    Status,
    st.just(Code.NOT_FOUND),
    TEXT,
    st.lists(st.builds(Detail, TEXT, st.binary())).map(tuple),
)
LONG = Lifetime(1e6, 0.0, 0.0, 0.0, "")
TIME = st.floats(0, 1e6)
KEPT = st.builds(
    Kept,
    st.binary(),
    METADATA,
    METADATA,
    st.none() | STATUS,
    made=st.just(0.0),
    lifetime=st.builds(Lifetime, TIME, TIME, TIME, st.just(0.0), TEXT),
)


@given(KEPT)
def test_what_is_written_is_read(kept):
    again = read(written(kept), kept.until)
    names = ("message", "initial", "trailers", "status", "lifetime")
    assert [getattr(again, name) for name in names] == [getattr(kept, name) for name in names]
    assert again.made == pytest.approx(kept.made)


@given(KEPT, st.data())
def test_what_is_not_understood_is_not_there(kept, data):
    whole = written(kept)
    assert read(whole[: data.draw(st.integers(0, len(whole) - 1))], 0.0) is None
    assert read(b"\x02" + whole[1:], 0.0) is None
    assert read(whole + b".", 0.0) is None


@given(st.binary())
def test_any_bytes_are_read_or_not(data):
    assert read(data, 0.0) is None or data[0] == 1


@pytest.mark.parametrize("place", [-3, -2, -1], ids=["initial", "trailers", "details"])
def test_lists_that_lack_what_they_count_are_not_understood(place):
    kept = Kept(b"m", Metadata(), Metadata(), None, made=0.0, lifetime=LONG)
    whole = bytearray(written(kept))
    assert whole[place] == ord("0")
    whole[place] = ord("1")
    assert read(bytes(whole), 0.0) is None


class State:
    """A state that answers at the end of the loop's turn, by the clock of the test."""

    def __init__(self, time):
        self.time = time
        self.available = True
        self.purges = 0
        self.looks = 0
        self.values = {}
        self.tags = {}
        self.gate = None

    async def get(self, key):
        self.looks += 1
        await (self.gate.wait() if self.gate else asyncio.sleep(0))
        data, until = self.values.get(key, (None, 0.0))
        return None if until <= self.time.now else Value(data, until - self.time.now)

    def put(self, key, data, *, seconds, group, tags):
        self.values[key] = data, self.time.now + seconds
        self.tags[key] = tags

    def outdated(self, purges, tags):
        return purges != self.purges

    def drop(self, key):
        self.values.pop(key, None)


class Shared(Caching):
    """A gateway whose replies are kept beside it."""

    def __init__(self, state=None, **options):
        super().__init__(time=state.time if state else None, **options)
        self.state = state or State(self.time)
        shelf = SharedShelf(self.state, self.store, METHOD, self.time)
        keeping = self.filter._keeping
        keys = Keys([METHOD.encode()], shared=keeping.policy.shared)
        self.filter = SharedCache(Means(keys, keeping, shelf, self.flights, self.time))


async def turn():
    """Lets the loop run what is ready."""
    for _ in range(5):
        await asyncio.sleep(0)


async def kept(**options):
    """A gateway that has asked once, and been answered."""
    shared = Shared(**options)
    shared.ask()
    await turn()
    shared.upstream.last.answer(b"m")
    return shared


async def test_a_call_is_made_once_and_of_all_gateways():
    shared = await kept()
    ended = shared.ask()
    assert not ended
    await turn()
    assert ended.message == b"m"
    assert ended.reply.headers["age"] == "0"
    other = Shared(shared.state)
    ended = other.ask()
    await turn()
    assert ended.message == b"m"
    assert not other.upstream.asked


async def test_forms_are_kept_for_as_long_as_the_state_has_the_same():
    shared = await kept()

    async def found():
        ended = shared.ask()
        await turn()
        return ended.reply.rendered

    (await found()).keep("json", b"{}")
    assert (await found()).get("json") == b"{}"
    (key,) = shared.state.values
    _, until = shared.state.values[key]
    made = written(Kept(b"n", Metadata(), Metadata(), None, made=0.0, lifetime=LONG))
    shared.state.values[key] = made, until
    assert (await found()).get("json") is None


async def test_forms_of_a_reply_that_was_just_fetched_are_kept():
    shared = Shared()
    first = shared.ask()
    await turn()
    shared.upstream.last.answer(b"m")
    first.reply.rendered.keep("json", b"{}")
    again = shared.ask()
    await turn()
    assert again.reply.rendered.get("json") == b"{}"


async def test_it_ends_at_its_time():
    shared = await kept()
    shared.time.move(30)
    shared.ask()
    await turn()
    assert len(shared.upstream.asked) == 2


async def test_the_age_is_that_of_the_reply():
    shared = await kept(on_error=100.0)
    shared.time.move(7)
    ended = shared.ask()
    await turn()
    assert ended.reply.headers["age"] == "7"


async def test_equal_calls_look_once_and_are_made_once():
    shared = Shared()
    ended = [shared.ask() for _ in range(100)]
    await turn()
    assert (shared.state.looks, len(shared.upstream.asked)) == (1, 1)
    shared.upstream.last.answer(b"m")
    assert {each.message for each in ended} == {b"m"}


async def test_a_state_that_is_away_is_not_asked():
    shared = Shared()
    shared.state.available = False
    first, second = shared.ask(), shared.ask()
    assert (shared.state.looks, len(shared.upstream.asked)) == (0, 1)
    shared.upstream.last.answer(b"m")
    assert first.message == second.message == b"m"


async def test_who_leaves_while_it_is_looked_for_asks_nothing():
    shared = Shared()
    shared.state.gate = asyncio.Event()
    ended = shared.ask()
    await turn()
    ended.cancel()
    shared.state.gate.set()
    await turn()
    assert not shared.upstream.asked
    assert not ended


async def test_who_leaves_after_that_cancels_the_call():
    shared = Shared()
    ended = shared.ask()
    await turn()
    ended.cancel()
    assert shared.upstream.last.cancelled


async def test_who_leaves_at_once():
    shared = Shared()
    shared.ask().cancel()
    await turn()
    assert (shared.state.looks, shared.upstream.asked) == (0, [])


async def test_a_stale_reply_is_used_while_a_new_one_is_fetched():
    shared = await kept(ttl=10.0, revalidate=20.0)
    shared.time.move(10)
    ended = [shared.ask() for _ in range(3)]
    await turn()
    assert {each.message for each in ended} == {b"m"}
    assert len(shared.upstream.asked) == 2
    shared.upstream.last.answer(b"new")
    ended = shared.ask()
    await turn()
    assert ended.message == b"new"


async def test_who_asks_while_it_is_fetched_does_not_wait_for_it():
    shared = await kept(ttl=10.0, revalidate=20.0)
    shared.time.move(10)
    shared.ask()
    await turn()
    ended = shared.ask()
    await turn()
    assert ended.message == b"m"
    assert len(shared.upstream.asked) == 2
    shared.upstream.last.answer(b"new")
    assert len(shared.flights) == 0


@pytest.mark.parametrize(("tells", "asked"), [((), 2), (None, 1)], ids=["told", "not-told"])
async def test_what_one_caller_is_refused_the_others_are_asked_for(tells, asked):
    shared = Shared(shared=True, tells=tells)
    first, second = (shared.ask(principal=Principal(name, "p")) for name in ("ada", "bob"))
    await turn()
    shared.upstream.last.fail(Code.PERMISSION_DENIED)
    await turn()
    assert first.code is Code.PERMISSION_DENIED
    assert len(shared.upstream.asked) == asked
    if tells is not None:
        shared.upstream.last.answer(b"m")
        assert second.message == b"m"


async def test_a_failed_fetch_is_not_tried_again_at_once():
    shared = await kept(ttl=10.0, revalidate=20.0)
    shared.time.move(10)
    for _ in range(3):
        shared.ask()
        await turn()
        if len(shared.upstream.asked) == 2 and not shared.upstream.asked[1].cancelled:
            shared.upstream.last.fail()
    assert len(shared.upstream.asked) == 2


async def test_a_stale_reply_is_used_where_the_backend_fails():
    shared = await kept(ttl=10.0, on_error=20.0)
    shared.time.move(10)
    ended = shared.ask()
    await turn()
    shared.upstream.last.fail()
    assert ended.message == b"m"


async def test_not_found_is_kept():
    shared = Shared(negative=5.0)
    shared.ask()
    await turn()
    shared.upstream.last.fail(Code.NOT_FOUND)
    ended = shared.ask()
    await turn()
    assert ended.code is Code.NOT_FOUND
    assert ended.error.status.message == "no"


async def test_an_end_that_says_it_is_wrong_drops_it():
    shared = await kept(ttl=10.0, on_error=20.0)
    shared.time.move(10)
    shared.ask()
    await turn()
    shared.upstream.last.fail(Code.PERMISSION_DENIED)
    assert not shared.state.values


async def test_tags():
    shared = Shared(tags=("catalog",))
    shared.ask()
    await turn()
    shared.upstream.last.answer(x_cache_tags="sale")
    assert [*shared.state.tags.values()] == [("catalog", "sale")]


async def test_nothing_is_kept_of_who_shows_only_backends_something():
    shared = Shared()
    ended = shared.ask(metadata=Metadata([("authorization", "s3cr3t")]))
    shared.upstream.last.answer(b"m")
    assert ended.message == b"m"
    assert (shared.state.looks, shared.state.values) == (0, {})


async def test_calls_that_ask_by_keys():
    shared = Shared()
    ask_keys(shared, "a", "b")
    await turn()
    shared.upstream.last.answer(ids("a", "b"))
    ended = ask_keys(shared, "b", "c")
    await turn()
    assert of(shared.upstream.last.call.request) == ["c"]
    shared.upstream.last.answer(ids("c"))
    assert of(ended.message) == ["b", "c"]
    shared.state.available = False
    ask_keys(shared, "a")
    assert of(shared.upstream.last.call.request) == ["a"]


async def test_calls_that_ask_by_keys_and_leave():
    shared = Shared()
    shared.state.gate = asyncio.Event()
    ask_keys(shared, "a").cancel()
    waiting = ask_keys(shared, "a")
    await turn()
    waiting.cancel()
    await turn()
    assert not shared.upstream.asked


async def test_calls_of_nobody_s_keys():
    shared = Shared()
    cookie = Metadata([("cookie", "s3cr3t")])
    ended = ask_keys(shared, "a", metadata=cookie)
    shared.upstream.last.answer(ids("a"))
    assert of(ended.message) == ["a"]
    assert shared.state.looks == 0


@pytest.mark.parametrize(
    "ask", [Shared.ask, lambda shared: ask_keys(shared, "a")], ids=["whole", "by-keys"]
)
async def test_a_bug_in_looking_ends_calls_and_is_logged(ask, monkeypatch, caplog):
    shared = Shared()

    async def broken(_):
        raise ValueError("s3cr3t")

    monkeypatch.setattr(shared.state, "get", broken)
    asked = [ask(shared) for _ in range(2)]
    await turn()
    for ended in asked:
        (failure,) = ended
        assert failure.reason == "INTERNAL"
        assert "s3cr3t" not in failure.status.message
    assert "ValueError: s3cr3t" in caplog.text


async def test_a_bug_after_a_call_by_keys_has_ended_does_not_end_it_again(monkeypatch, caplog):
    shared = Shared()
    told = shared.filter._by_key.ask

    def broken(*given):
        told(*given)
        raise ValueError

    ask_keys(shared, "a")
    await turn()
    shared.upstream.last.answer(ids("a"))
    monkeypatch.setattr(ByKey, "ask", lambda self, *given: broken(*given))
    ended = ask_keys(shared, "a")
    await turn()
    assert of(ended.message) == ["a"]
    assert "ValueError" in caplog.text


def test_it_says_what_it_does():
    assert "Redis" in Shared().filter.describe()
