"""What gateways keep together in a real Redis: found, ended, purged; and Redis away."""

from __future__ import annotations

import asyncio

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


async def test_nothing_is_left_behind(cache, redis):
    await put(cache, seconds=0.05, tags=("x",))
    while await redis.call("DBSIZE"):
        await asyncio.sleep(0.01)


async def test_an_index_forgets_what_has_ended(cache, redis):
    await put(cache, K1, seconds=0.02, tags=("x",))
    await asyncio.sleep(0.05)
    await put(cache, K2, seconds=60, tags=("x",))
    assert await redis.call("ZCARD", "gw:cache:t:x") == 1
    assert 59_000 < await redis.call("PTTL", "gw:cache:t:x") <= 60_000


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


async def test_so_many_writes_at_a_time(cache, monkeypatch):
    monkeypatch.setattr("gateway.state.redis_cache._WRITES", 2)
    for number in range(4):
        cache.put(number.to_bytes(24, "big"), b"v", seconds=60, group="a.B/C")
    await cache.close()
    assert await cache.purge_group("a.B/C") == 2
