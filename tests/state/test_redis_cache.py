"""What gateways keep together in a real Redis: found, ended, purged; and Redis away."""

from __future__ import annotations

import asyncio
import os

import pytest

from gateway.state.redis import StateUnavailable
from gateway.state.redis_cache import RedisCache
from tests.state.redis.conftest import opened

K1, K2 = b"\0" * 24, b"\r\n" * 12


@pytest.fixture
async def redis(redis_url):
    async with opened(redis_url) as redis:
        yield redis


@pytest.fixture
async def cache(redis):
    cache = RedisCache(redis)
    yield cache
    await cache.close()


async def put(cache, key=K1, data=b"v", *, seconds=60.0, group="a.B/C", tags=()):
    cache.put(key, data, seconds=seconds, group=group, tags=tags)
    await cache.close()  # waits for what is written


async def found(cache, key=K1):
    value = await cache.get(key)
    return value and value.data


async def test_what_was_put_is_found_with_the_time_that_is_left(cache):
    await put(cache, K1, b"\0v")
    value = await cache.get(K1)
    assert value.data == b"\0v"
    assert 59 < value.left <= 60
    assert await cache.get(K2) is None


async def test_it_is_the_others_too(cache, redis):
    await put(cache)
    assert await found(RedisCache(redis)) == b"v"


async def test_an_entry_ends(cache):
    await put(cache, seconds=0.05)
    while await cache.get(K1) is not None:
        await asyncio.sleep(0.01)
    assert await cache.purge_group("a.B/C") == 0


async def test_no_time_keeps_nothing(cache):
    await put(cache, seconds=0.0004)
    assert await cache.get(K1) is None


async def test_another_takes_its_place(cache):
    await put(cache)
    await put(cache, data=b"w")
    assert await found(cache) == b"w"


async def test_drop(cache):
    await put(cache)
    cache.drop(K1)
    await cache.close()
    assert await cache.get(K1) is None


@pytest.mark.parametrize("tags", [(), ("x", "y", "z")], ids=["short", "long"])
async def test_the_newest_of_a_key_stays(cache, tags):
    cache.put(K1, b"v", seconds=60.0, group="a.B/C", tags=tags)
    await asyncio.sleep(0)  # it is under way
    cache.drop(K1)
    await cache.close()
    assert await cache.get(K1) is None
    cache.put(K1, b"v", seconds=60.0, group="a.B/C", tags=tags)
    await asyncio.sleep(0)
    cache.put(K1, b"older", seconds=60.0, group="a.B/C")
    cache.put(K1, b"newest", seconds=60.0, group="a.B/C")
    await cache.close()
    assert await found(cache) == b"newest"


async def test_purge_by_tag_and_by_group(cache):
    await put(cache, K1, tags=("x", "y"), group="a.B/C")
    await put(cache, K2, tags=("x", "é"), group="a.B/D")
    assert sorted(await cache.groups()) == ["a.B/C", "a.B/D"]
    assert await cache.purge_tag("none") == 0
    assert await cache.purge_tag("é") == 1
    assert await found(cache) == b"v"
    assert await cache.purge_tag("x") == 1  # the other is gone already
    assert await cache.purge_group("a.B/C") == 0
    assert cache.purges == 4


async def test_what_is_purged_while_it_is_written_is_not_kept(cache):
    cache.put(K1, b"v", seconds=60.0, group="a.B/C", tags=("x",))
    cache.outdate()
    await cache.close()  # waits for what is written
    await put(cache, K2)
    assert [await found(cache, key) for key in (K1, K2)] == [None, b"v"]


async def test_half_of_a_surrogate_pair_is_a_tag_as_any(cache):
    await put(cache, tags=("\ud800",))
    assert await cache.purge_tag("\ud800") == 1


async def test_many_are_purged(cache):
    keys = [number.to_bytes(24, "big") for number in range(1200)]
    for start in range(0, 1200, 400):
        for key in keys[start : start + 400]:
            cache.put(key, b"v", seconds=60, group="a.B/C", tags=("x",))
        await cache.close()
    assert await cache.purge_tag("x") == 1200
    assert await cache.get(keys[0]) is None


class Failing:
    """A client whose one command, or whose scripts, fail while they are told to."""

    def __init__(self, redis):
        self._redis = redis
        self.fails = None

    def __getattr__(self, name):
        return getattr(self._redis, name)

    def call(self, *words):
        if words[0] == self.fails:
            raise StateUnavailable("away")
        return self._redis.call(*words)

    def script(self, text):
        script = self._redis.script(text)

        async def run(keys, words):
            if self.fails == "a script":
                raise StateUnavailable("away")
            return await script(keys, words)

        return run


@pytest.mark.parametrize(
    ("fails", "left"), [("UNLINK", 2), ("a script", 0)], ids=["before", "after"]
)
async def test_a_purge_that_fails_half_way_can_be_done_again(redis, fails, left):
    failing = Failing(redis)
    cache = RedisCache(failing)
    await put(cache, K1, tags=("x",))
    await put(cache, K2, tags=("x",))
    failing.fails = fails
    with pytest.raises(StateUnavailable):
        await cache.purge_tag("x")
    failing.fails = None
    assert await cache.purge_tag("x") == left
    assert [await found(cache, key) for key in (K1, K2)] == [None, None]
    assert not await redis.call("EXISTS", b"gw:cache:t:x")


@pytest.mark.parametrize("seconds", [30.0, 60.0, 90.0], ids=["ends-earlier", "the-same", "later"])
async def test_what_is_kept_anew_during_a_purge_can_be_purged(redis, seconds):
    failing = Failing(redis)
    cache, other = RedisCache(failing), RedisCache(redis)
    await put(cache, K1, tags=("x",))
    forget = cache._forget
    anew = [b"w"]

    async def later(keys, words):
        if anew:
            await put(other, K1, anew.pop(), seconds=seconds, tags=("x",))
            assert await forget(keys, words)
            assert await redis.call("ZCARD", b"gw:cache:t:x") == 1
        else:
            await forget(keys, words)

    cache._forget = later
    assert await cache.purge_tag("x") == 2
    assert await found(cache) is None


async def test_an_index_forgets_so_many_at_a_time(cache, redis):
    index = b"gw:cache:t:x"
    for start in (0, 600):
        ended = (word for number in range(start, start + 600) for word in (1, str(number)))
        await redis.call("ZADD", index, *ended)
    await put(cache, tags=("x",))
    assert await redis.call("ZCARD", index) == 1200 - 500 + 1
    await put(cache, K2, tags=("x",))
    await put(cache, K2, tags=("x",))
    assert await redis.call("ZCARD", index) == 2


async def test_nothing_is_left_behind(cache, redis):
    await put(cache, seconds=0.05, tags=("x",))
    while await redis.call("DBSIZE"):
        await asyncio.sleep(0.01)


async def test_an_index_forgets_what_has_ended(cache, redis):
    await put(cache, K1, seconds=0.02, tags=("x",))
    await asyncio.sleep(0.05)
    await put(cache, K2, seconds=60, tags=("x",))
    assert await redis.call("ZCARD", "gw:cache:t:x") == 1
    assert 60_000 < await redis.call("PTTL", "gw:cache:t:x") <= 61_000


async def test_an_index_ends_after_all_that_it_lists(cache, redis):
    await put(cache, tags=("x",))
    ends = [await redis.call("PTTL", name) for name in (b"gw:cache:v:" + K1, "gw:cache:t:x")]
    assert ends[0] < ends[1]


async def test_an_index_lives_as_long_as_its_last(cache, redis):
    await put(cache, K1, seconds=600, tags=("x",))
    await put(cache, K2, seconds=1, tags=("x",))
    assert await redis.call("PTTL", "gw:cache:t:x") > 599_000


async def test_a_state_that_is_away_has_nothing_and_takes_nothing(own_redis):
    async with opened(own_redis.url) as redis:
        cache = RedisCache(redis)
        await put(cache)
        own_redis.kill()
        assert await cache.get(K1) is None
        await put(cache, K2)
        cache.drop(K1)
        await cache.close()
        with pytest.raises(StateUnavailable):
            await cache.purge_tag("x")
        with pytest.raises(StateUnavailable):
            await cache.groups()


async def test_a_state_that_is_full_takes_nothing(own_redis):
    async with opened(own_redis.url) as redis:
        cache = RedisCache(redis)
        own_redis.full()
        await put(cache)
        assert await cache.get(K1) is None


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def warnings(caplog):
    caplog.set_level("WARNING", logger="gateway.state")
    return lambda: [record.getMessage() for record in caplog.records]


async def test_writes_that_are_refused_are_not_tried_again_for_a_while_that_grows(
    own_redis, warnings
):
    clock = Clock()
    async with opened(own_redis.url) as redis:
        cache = RedisCache(redis, clock)
        await put(cache)
        own_redis.ask("ACL", "SETUSER", "default", "-set", "-zadd")
        await put(cache, K2)  # refused

        async def tries() -> bool:
            before = scripts(own_redis)
            await put(cache, K2)
            return scripts(own_redis) != before

        assert not await tries()
        assert await found(cache) == b"v", "what is there is found"
        clock.now = 1.0
        assert await tries()
        clock.now = 2.5
        assert not await tries()
        clock.now = 3.0
        assert await tries()
        own_redis.ask("ACL", "SETUSER", "default", "+@all")
        clock.now = 8.0
        await put(cache, K2, b"w")
        assert await found(cache, K2) == b"w"
        assert redis.available
    assert len(warnings()) == 1
    assert "gw:cache:*" in warnings()[0]


def scripts(server) -> int:
    """How many scripts a server was asked for."""
    return server.ask("INFO", "commandstats")["cmdstat_evalsha"]["calls"]


async def test_looks_that_are_refused_are_not_tried_again_for_a_while(own_redis):
    clock = Clock()
    async with opened(own_redis.url) as redis:
        cache = RedisCache(redis, clock)
        await put(cache)
        own_redis.ask("ACL", "SETUSER", "default", "-get")
        assert await cache.get(K1) is None
        assert not cache.available
        assert redis.available
        own_redis.ask("ACL", "SETUSER", "default", "+get")
        clock.now = 1.0
        assert cache.available
        assert await found(cache) == b"v"


async def test_one_that_is_filled_by_others_refuses_only_what_is_put(own_redis):
    clock = Clock()
    async with opened(own_redis.url) as redis:
        cache = RedisCache(redis, clock)
        await put(cache)
        own_redis.full()  # the last answer about its room is good for a while
        for number in range(20):
            await put(cache, number.to_bytes(24, "big"))
            clock.now += 100  # pauses are over
        assert redis.available
        assert await found(cache) == b"v"
        assert await redis.call("PING") == b"PONG"


async def test_replies_leave_a_quarter_of_the_server_to_others(own_redis, warnings):
    memory = 8 * 1024**2
    own_redis.ask("CONFIG", "SET", "maxmemory", str(memory))
    async with opened(own_redis.url) as redis:
        clock = Clock()
        caches = [RedisCache(redis, clock) for _ in range(4)]
        for number in range(4000):
            key = number.to_bytes(24, "big")
            caches[number % 4].put(key, os.urandom(4096), seconds=600, group="a.B/C", tags=("x",))
            if number % 200 == 0:
                clock.now += 1
                await asyncio.gather(*(each.close() for each in caches))
        await asyncio.gather(*(each.close() for each in caches))
        kept = await caches[0].purge_group("a.B/C")
        assert 500 < kept < 1500, "of those that 6 MiB can hold"
        assert own_redis.ask("INFO", "memory")["used_memory_peak"] < memory * 0.95
        assert len([line for line in warnings() if "three quarters full" in line]) >= 1
        assert not [line for line in warnings() if "refuses" in line]
        clock.now += 2
        await put(caches[0])
        assert await found(caches[0]) == b"v", "there is room again"


async def test_one_that_evicts_makes_room_by_itself(own_redis):
    own_redis.ask("CONFIG", "SET", "maxmemory", str(4 * 1024**2))
    own_redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    async with opened(own_redis.url) as redis:
        cache = RedisCache(redis)
        for number in range(1000):
            await put(cache, number.to_bytes(24, "big"), os.urandom(8192))
        assert own_redis.ask("INFO", "stats")["evicted_keys"] > 0
        await put(cache)
        assert await found(cache) == b"v"


@pytest.mark.parametrize(("bound", "value"), [("_WRITES", 2), ("_WRITTEN", 1500)], ids=str)
async def test_so_many_writes_at_a_time(redis, monkeypatch, bound, value):
    monkeypatch.setattr(f"gateway.state.redis_cache.{bound}", value)
    cache = RedisCache(redis)
    for number in range(4):
        cache.put(number.to_bytes(24, "big"), b"v", seconds=60, group="a.B/C")
    await cache.close()
    assert await cache.purge_group("a.B/C") == 2
