"""The rules of Redis' script are those in memory: the same asks at the same times, the same answers."""

from __future__ import annotations

import math
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.policies.limits.ask import Algorithm, Ask, Numbers, Verdict
from gateway.policies.limits.memory import MemoryLimiter
from gateway.policies.limits.redis import RedisLimiter
from gateway.state.redis import Redis
from gateway.state.table import Table
from tests.examples import examples

HOUR = 3600.0
# The script's time is a key that the test sets, in microseconds.
CLOCK = "local now = tonumber(redis.call('GET', 'gateway:{limits}:clock'))\n"
# Steps are multiples of a prime: no two roundings fall on the very edge of a whole call.
PRIME = 7919

ALGORITHMS = st.sampled_from(Algorithm)
PATIENCE = st.sampled_from([0.0, 0.0, 7.503719, 40.50371, 100.0])


@st.composite
def asks_of_calls(draw):
    """Three limits, some dark, and what calls ask of them, each after so many microseconds."""
    limits = []
    for _ in range(3):
        algorithm = draw(ALGORITHMS)
        limit = draw(st.integers(1, 9))
        bucket = algorithm is Algorithm.TOKEN_BUCKET
        burst = draw(st.integers(1, 12)) if bucket else limit
        numbers = Numbers(algorithm, limit, draw(st.sampled_from([60.0, HOUR])), burst)
        limits.append((numbers, draw(st.sampled_from([False, False, True]))))
    asks = st.tuples(st.integers(0, 2), st.integers(0, 4), PATIENCE)
    steps = st.sampled_from([0, 1, 100, 3000, 60_000, 10**6])
    calls = []
    for _ in range(draw(st.integers(1, 12))):
        step = draw(steps) * draw(st.integers(0, 9))
        calls.append((step * PRIME, draw(st.lists(asks, min_size=1, max_size=4))))
    return limits, calls


@pytest.fixture
async def redis(redis_url):
    each = Redis(redis_url, 5.0)
    await each.open()
    yield each
    await each.close()


RUN = count()


@settings(
    max_examples=examples(2),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(asks_of_calls())
async def test_the_same_answers_as_in_memory(redis, given):
    limits, calls = given
    run, now = next(RUN), 5 * 86_400_000_000 + 1_234_567

    def seconds():
        return now / 1e6

    table = Table.private(1000)
    shared = RedisLimiter(redis, memory=None, clock=CLOCK)
    memory = MemoryLimiter(table, seconds, seconds)
    for step, called in calls:
        now += step
        await redis.call("SET", "gateway:{limits}:clock", now)
        ends = math.ceil((seconds() + 1) / 86_400) * 86_400.0
        asks = [
            Ask(f"{run}/{which}", limits[which][0], cost, patience, ends, limits[which][1])
            for which, cost, patience in called
        ]
        same(await shared.decide(asks), memory.decide(asks))
    table.close()


def same(verdict: Verdict, expected: Verdict) -> None:
    assert verdict.allowed == expected.allowed
    for share, other in zip(verdict.shares, expected.shares, strict=True):
        assert (share.allowed, share.remaining) == (other.allowed, other.remaining)
        assert share[2:] == pytest.approx(other[2:], abs=1e-4)


@pytest.mark.parametrize("algorithm", Algorithm, ids=lambda each: each.value)
@pytest.mark.parametrize("back", [1, 50, 1000, 100_000], ids=lambda each: f"{each} s")
async def test_a_clock_that_is_set_back_shuts_nobody_out_for_longer_than_a_period(
    redis, algorithm, back
):
    limiter = RedisLimiter(redis, memory=None, clock=CLOCK)
    key, now = f"back/{next(RUN)}", 10**9

    async def decided(at):
        await redis.call("SET", "gateway:{limits}:clock", math.ceil(at * 1_000_000))
        ends = math.ceil((max(at, now) + 1) / 86_400) * 86_400.0
        asks = [Ask(key, Numbers(algorithm, 2, 60.0, 2), cost=2, ends=ends)]
        return (await limiter.decide(asks)).shares[0]

    assert (await decided(now)).allowed
    refused = await decided(now - back)
    longest = back + 86_400 if algorithm is Algorithm.CALENDAR else 120.0
    assert not refused.allowed
    assert refused.retry_after <= longest
    assert (await decided(now - back + refused.retry_after)).allowed
