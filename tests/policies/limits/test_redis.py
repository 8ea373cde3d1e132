"""Limits that several gateways count together in a real Redis, and what they do without it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis.crc import key_slot

from gateway.call import Code, RpcError
from gateway.policies.limits.ask import Algorithm, Ask, Numbers, Verdict
from gateway.policies.limits.memory import MemoryLimiter
from gateway.policies.limits.redis import PREFIX, RedisLimiter
from gateway.state.redis import Redis
from gateway.state.table import Table
from tests.redis_server import running
from tests.state.redis.conftest import opened, until

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
HOUR = 3600.0
QUICK = 0.15


def ask(key="a", limit=3, *, algorithm=Algorithm.TOKEN_BUCKET, period=HOUR, **given) -> Ask:
    return Ask(key, Numbers(algorithm, limit, period, limit), **given)


@pytest.fixture
async def redis(redis_url):
    async with opened(redis_url) as each:
        yield each


@pytest.fixture
def memory():
    table = Table.private(1000)
    yield MemoryLimiter(table)
    table.close()


@pytest.fixture
def limiter(redis, memory):
    return RedisLimiter(redis, memory)


async def decided(limiter: RedisLimiter, *asks: Ask) -> Verdict:
    verdict = limiter.decide(asks)
    return verdict if isinstance(verdict, Verdict) else await verdict


async def taken(limiter: RedisLimiter, each: Ask, times: int) -> int:
    """How many of so many calls at once are let through."""
    verdicts = await asyncio.gather(*(limiter.decide([each]) for _ in range(times)))
    return sum(verdict.allowed for verdict in verdicts)


# Decisions.


@pytest.mark.parametrize("algorithm", Algorithm, ids=lambda each: each.value)
async def test_as_many_as_the_limit_and_no_more(limiter, algorithm):
    each = ask(limit=100, algorithm=algorithm, ends=4e9)
    assert await taken(limiter, each, 250) == 100


@pytest.mark.parametrize("algorithm", Algorithm, ids=lambda each: each.value)
def test_three_gateways_share_a_limit_exactly(redis_url, algorithm):
    command = [sys.executable, str(HERE / "sharing.py"), redis_url, algorithm.value, "400"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, text=True) for _ in range(3)
    ]
    for each in processes:
        assert each.stdout.readline() == "ready\n"
    for each in processes:
        each.stdin.write("go\n")
        each.stdin.flush()
    allowed = [int(each.communicate(timeout=60)[0]) for each in processes]
    assert sum(allowed) == 300
    assert [each.returncode for each in processes] == [0, 0, 0]


async def test_what_was_taken_comes_back(limiter):
    each = ask(limit=2, period=0.2)
    assert await taken(limiter, each, 3) == 2
    verdict = await decided(limiter, each)
    assert not verdict.allowed
    assert 0 < verdict.shares[0].retry_after <= 0.1
    await asyncio.sleep(verdict.shares[0].retry_after)
    assert (await decided(limiter, each)).allowed


async def test_all_are_taken_or_none(limiter):
    roomy, tight = ask("roomy", 10), ask("tight", 1)
    assert (await decided(limiter, roomy, tight)).allowed
    refused = await decided(limiter, roomy, tight)
    assert not refused.allowed
    assert [share.allowed for share in refused.shares] == [True, False]
    assert [share.remaining for share in refused.shares] == [9, 0]
    assert (await decided(limiter, ask("roomy", 10, cost=0))).shares[0].remaining == 9


async def test_a_dark_one_never_refuses_and_takes_even_so(limiter):
    dark, tight = ask("dark", 2, dark=True), ask("tight", 1)
    verdicts = [await decided(limiter, dark, tight) for _ in range(4)]
    assert [verdict.allowed for verdict in verdicts] == [True, False, False, False]
    assert [verdict.shares[0].allowed for verdict in verdicts] == [True, True, False, False]


async def test_patience_takes_at_once_what_may_be_used_later(limiter):
    each = ask(limit=1, period=20.0, patience=50.0)
    waits = [(await decided(limiter, each)).shares[0] for _ in range(4)]
    assert [share.allowed for share in waits] == [True, True, True, False]
    assert [round(share.wait) for share in waits] == [0, 20, 40, 0]


async def test_nothing_asked_is_nothing_sent(limiter, redis_server):
    redis_server.ask("CONFIG", "RESETSTAT")
    assert limiter.decide([]) == Verdict(True, ())
    await decided(limiter, ask())
    assert redis_server.ask("INFO", "commandstats")["cmdstat_evalsha"]["calls"] == 1


async def test_one_round_trip_a_decision(limiter, redis_server):
    redis_server.ask("CONFIG", "RESETSTAT")
    await decided(limiter, ask("a"), ask("b"), ask("c"))
    calls = redis_server.ask("INFO", "commandstats")
    assert calls["cmdstat_evalsha"]["calls"] == 1
    assert "cmdstat_eval" not in calls


async def test_a_script_that_was_forgotten_charges_each_call_once(limiter, redis_server):
    each = ask(limit=100)
    for _ in range(3):
        redis_server.ask("SCRIPT", "FLUSH")
        assert await taken(limiter, each, 20) == 20
    assert (await decided(limiter, ask(limit=100, cost=0))).shares[0].remaining == 40


# Keys.


async def test_keys_expire_when_they_are_worth_nothing(limiter, redis):
    await decided(limiter, ask("soon", 10, period=0.5, cost=10), ask("later", 10, cost=5))
    assert 0 < await redis.call("PTTL", PREFIX + b"k:soon") <= 501
    left = await redis.call("PTTL", PREFIX + b"k:later")
    assert 1_790_000 < left <= 1_800_001
    async with asyncio.timeout(10):
        while await redis.call("DBSIZE") > 1:
            await asyncio.sleep(0.02)


async def test_refused_and_looking_calls_keep_nothing(limiter, redis):
    await decided(limiter, ask("looked", cost=0), ask("refused", limit=1, cost=2))
    assert await redis.call("DBSIZE") == 0


async def test_all_keys_are_of_one_hash_tag(limiter, redis):
    await decided(limiter, ask("a}b{c"), ask("p3:x"))
    keys = await redis.call("KEYS", "*")
    assert len(keys) == 2
    assert len(set(map(key_slot, keys))) == 1


@pytest.mark.parametrize("key", ["k" * 10_000, "é" * 100, "\ud800" * 100], ids=["k", "é", "half"])
async def test_long_keys_are_hashed(limiter, redis, key):
    assert await taken(limiter, ask(key, 1), 2) == 1
    (kept,) = await redis.call("KEYS", "*")
    assert len(kept) < 100


async def test_no_key_can_be_written_like_the_hash_of_another(limiter, redis):
    await decided(limiter, ask("k" * 10_000, 1))
    (kept,) = await redis.call("KEYS", "*")
    assert (await decided(limiter, ask(kept.removeprefix(PREFIX).decode(), 1))).allowed
    assert (await decided(limiter, ask(kept.decode(), 1))).allowed


# Without Redis.


class Silent:
    """A Redis that is away: any command would be an error."""

    available = False

    def script(self, _):
        return self

    def __call__(self, *_):
        raise AssertionError("a command was attempted")


async def test_away_it_is_not_asked_and_not_awaited(memory):
    limiter = RedisLimiter(Silent(), memory)
    verdict = limiter.decide([ask(limit=1)])
    assert isinstance(verdict, Verdict)
    assert verdict.allowed


async def test_away_local_counts_in_memory(memory):
    limiter = RedisLimiter(Silent(), memory)
    verdicts = [limiter.decide([ask(limit=2)]) for _ in range(3)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, False]


async def test_away_allow_lets_all_through_unseen(memory):
    limiter = RedisLimiter(Silent(), memory)
    for _ in range(5):
        assert limiter.decide([ask(limit=1, on_error="allow")]) == Verdict(True, (None,))


async def test_away_deny_refuses_and_says_when_to_try_again(memory):
    with pytest.raises(RpcError) as refused:
        RedisLimiter(Silent(), memory).decide([ask(on_error="deny")])
    assert refused.value.reason == "LIMITS_UNAVAILABLE"
    assert refused.value.status.code is Code.UNAVAILABLE
    assert any("RetryInfo" in detail.type_url for detail in refused.value.status.details)


async def test_away_what_is_refused_by_one_takes_nothing_of_the_others(memory):
    limiter = RedisLimiter(Silent(), memory)
    local = ask("local", limit=1)
    with pytest.raises(RpcError):
        limiter.decide([local, ask("deny", on_error="deny")])
    both = limiter.decide([ask("any", on_error="allow"), local])
    assert both.allowed
    assert both.shares[0] is None
    assert both.shares[1].remaining == 0
    assert not limiter.decide([local, ask("any", on_error="allow")]).allowed


async def test_away_a_dark_one_denies_nothing(memory):
    limiter = RedisLimiter(Silent(), memory)
    verdict = limiter.decide([ask("dark", on_error="deny", dark=True), ask("a", limit=5)])
    assert verdict.allowed
    assert verdict.shares[0] is None


# Redis as it fails.


def killed(server):
    server.kill()


def frozen(server):
    server.stop()


def full(server):
    server.full()


def ended(server):
    server.end()


@pytest.mark.parametrize("fault", [killed, frozen, full, ended], ids=lambda each: each.__name__)
async def test_calls_go_on_by_each_limits_word(own_redis, memory, fault):
    async with opened(own_redis.url, QUICK) as redis:
        limiter = RedisLimiter(redis, memory)
        assert (await decided(limiter, ask("before"))).allowed
        fault(own_redis)
        for _ in range(3):
            verdict = await decided(limiter, ask("allow", limit=1, on_error="allow"))
            assert verdict == Verdict(True, (None,))
            with pytest.raises(RpcError, match="UNAVAILABLE"):
                await decided(limiter, ask("deny", on_error="deny"))
        local = [await decided(limiter, ask("local", limit=2)) for _ in range(3)]
        assert [verdict.allowed for verdict in local] == [True, True, False]


async def test_a_frozen_one_is_waited_for_once(own_redis, memory):
    async with opened(own_redis.url, QUICK) as redis:
        limiter = RedisLimiter(redis, memory)
        own_redis.stop()
        assert await taken(limiter, ask(limit=5), 50) == 5
        for _ in range(100):
            assert isinstance(limiter.decide([ask()]), Verdict), "nothing is awaited"
        own_redis.cont()
        await until(lambda: redis.available)
        assert not isinstance(limiter.decide([ask()]), Verdict)


async def test_a_restarted_one_counts_on_by_what_it_has_kept(tmp_path, memory):
    with running(tmp_path, persistent=True) as server:
        async with opened(server.url) as redis:
            limiter = RedisLimiter(redis, memory)
            assert await taken(limiter, ask(limit=10), 4) == 4
            server.kill()
            await until(lambda: not redis.available)
            server.start()
            await until(lambda: redis.available)
            assert await taken(limiter, ask(limit=10), 10) == 6


async def test_a_user_who_may_do_no_more_than_is_needed(own_redis, memory):
    allowed = ["~gateway:*", "+@read", "+@write", "+@scripting", "+@connection", "+time"]
    own_redis.ask("ACL", "SETUSER", "gateway", "on", ">secret", "-@all", *allowed)
    async with opened(own_redis.url.replace("//", "//gateway:secret@")) as redis:
        limiter = RedisLimiter(redis, memory)
        own_redis.ask("SCRIPT", "FLUSH")
        assert not isinstance(limiter.decide([ask()]), Verdict)
        assert await taken(limiter, ask(limit=3), 5) == 3
    assert own_redis.ask("EXISTS", (PREFIX + b"k:a").decode()) == 1


async def test_a_wrong_password_is_as_one_that_is_away(tmp_path, memory):
    with running(tmp_path, password="right") as server:
        async with opened(server.url.replace("right", "wrong")) as redis:
            verdict = RedisLimiter(redis, memory).decide([ask(limit=1)])
            assert isinstance(verdict, Verdict)
            assert verdict.allowed


async def test_a_call_that_leaves_while_it_waits_leaves_nothing(own_redis, memory):
    before = asyncio.all_tasks()
    redis = Redis(own_redis.url, 5.0)
    await redis.open()
    limiter = RedisLimiter(redis, memory)
    own_redis.stop()
    waiting = [asyncio.ensure_future(_awaited(limiter.decide([ask()]))) for _ in range(20)]
    limiter.decide([ask()])  # and one that nobody ever awaits
    await asyncio.sleep(0.02)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    own_redis.cont()
    assert (await decided(limiter, ask("b"))).allowed
    await redis.close()
    assert asyncio.all_tasks() == before


async def _awaited(verdict):
    return await verdict
