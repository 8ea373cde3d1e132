"""What several gateways counted, as one sum in a real Redis."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.state.redis import Redis
from gateway.state.usage.counts import Caller, Count, Key
from gateway.state.usage.ledger import Ledger
from gateway.state.usage.meter import Meter, StoreError
from gateway.state.usage.outbox import Outbox
from gateway.state.usage.question import Question
from gateway.state.usage.shared import KEPT, Shared

DAY = "2026-11-21"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
TODAY = Question(DAY, ("principal",))
DAY_KEY = "gateway:{usage}:2026-11-21"


@pytest.fixture
async def connect():
    opened = []

    async def make(url):
        opened.append(Redis(url, 2.0))
        await opened[-1].open()
        async with asyncio.timeout(20):
            while not opened[-1].available:
                await asyncio.sleep(0.01)
        return opened[-1]

    yield make
    for each in opened:
        await each.close()


def counted(day=DAY, subject="acme", **numbers):
    return {Key(day, Caller("keys", subject, "free"), "a/B"): Count(**numbers)}


def batch(*counts):
    box = Outbox()
    for each in counts:
        box.put(each)
    return box.next()


async def calls(shared, question=TODAY):
    return {row["subject"]: row["calls"] for row in (await shared.answer(question))["rows"]}


async def test_all_processes_add_to_one_sum(connect, redis_url):
    one, other = [Shared(await connect(redis_url)) for _ in range(2)]
    await one.take(batch(counted(calls=1), counted(subject="b", calls=5)))
    await other.take(batch(counted(calls=2)))
    assert await calls(one) == await calls(other) == {"acme": 3, "b": 5}


async def test_every_number_is_kept(connect, redis_url):
    shared = Shared(await connect(redis_url))
    await shared.take(batch(counted(calls=1, errors=2, request_messages=3, request_bytes=4)))
    await shared.take(batch(counted(reply_messages=5, reply_bytes=6))._replace(number=2))
    (row,) = (await shared.answer(Question(DAY, ())))["rows"]
    assert list(row.values()) == [1, 2, 3, 4, 5, 6]


async def test_a_batch_that_is_told_again_counts_once(connect, redis_url):
    shared = Shared(await connect(redis_url))
    first, second = batch(counted(calls=1)), batch(counted(calls=2))._replace(number=2)
    for each in (first, first, second, first, second):
        await shared.take(each)
    assert await calls(shared) == {"acme": 3}


async def test_numbers_are_of_a_process(connect, redis_url):
    redis = await connect(redis_url)
    for _ in range(3):  # each begins at 1
        await Shared(redis).take(batch(counted(calls=1)))
    assert await calls(Shared(redis)) == {"acme": 3}


async def test_a_batch_of_two_days_counts_on_each_and_in_the_month(connect, redis_url):
    shared = Shared(await connect(redis_url))
    await shared.take(batch(counted(calls=1), counted("2026-11-20", calls=2)))
    assert await calls(shared) == {"acme": 1}
    assert await calls(shared, Question("2026-11-20", ("principal",))) == {"acme": 2}
    assert await calls(shared, Question("2026-11", ("principal",))) == {"acme": 3}
    assert await calls(shared, Question("2026-10", ("principal",))) == {}


@pytest.mark.parametrize("subject", ['a"b', "a b", "a\nb", "ü", "[", "\x00", "x" * 5000, "a\ud800"])
async def test_any_subject_is_kept_as_it_is(connect, redis_url, subject):
    shared = Shared(await connect(redis_url))
    await shared.take(batch(counted(subject=subject, calls=1)))
    assert await calls(shared) == {subject: 1}


async def test_many_callers_are_all_read(connect, redis_url):
    meter = Meter(Shared(await connect(redis_url)), Ledger(10_000, lambda: NOON))
    tally = meter._ledger.tally("a/B")
    for number in range(1, 2501):
        tally.of(("keys", f"c{number}", None)).calls += number
    rows = (await meter.answer(TODAY))["rows"]
    assert {row["subject"]: row["calls"] for row in rows} == {f"c{n}": n for n in range(1, 2501)}


async def test_keys_end_and_what_others_wrote_is_left_out(connect, redis_url):
    redis = await connect(redis_url)
    shared = Shared(redis, "p1")
    await shared.take(batch(counted(calls=1)))
    assert KEPT - 60 < await redis.call("TTL", DAY_KEY) <= KEPT
    assert await redis.call("TTL", "gateway:{usage}:sender:p1") > 30 * 86400
    await redis.call("HSET", DAY_KEY, 'seconds ["keys","acme","free","a/B"]', 7)
    assert await calls(shared) == {"acme": 1}


async def test_a_redis_that_is_away_is_an_error_and_loses_nothing(connect, own_redis):
    redis = await connect(own_redis.url)
    meter = Meter(Shared(redis), Ledger(10, lambda: NOON))
    meter._ledger.tally("a/B").of(("keys", "acme", None)).calls += 1
    await asyncio.to_thread(own_redis.kill)
    with pytest.raises(StoreError):
        await meter.answer(TODAY)
    await asyncio.to_thread(own_redis.start)
    async with asyncio.timeout(20):
        while True:
            try:
                rows = (await meter.answer(TODAY))["rows"]
            except StoreError:
                await asyncio.sleep(0.05)
            else:
                break
    assert [row["calls"] for row in rows] == [1]


async def test_a_redis_that_is_full_takes_nothing_of_a_batch(connect, own_redis):
    shared = Shared(await connect(own_redis.url))
    await shared.take(batch(counted(calls=1)))
    await asyncio.to_thread(own_redis.full)
    more = batch(counted(calls=2), counted(subject="b", calls=4))._replace(number=2)
    with pytest.raises(StoreError):
        await shared.take(more)
    await asyncio.to_thread(own_redis.full, is_full=False)
    assert await calls(shared) == {"acme": 1}
    await shared.take(more)
    assert await calls(shared) == {"acme": 3, "b": 4}


async def test_a_day_that_is_something_else_takes_nothing_and_all_once_it_is_mended(
    connect, redis_url
):
    redis = await connect(redis_url)
    shared = Shared(redis)
    await redis.call("SET", DAY_KEY, "poison")
    both = batch(counted("2026-11-20", calls=1), counted(calls=2))
    for _ in range(2):
        with pytest.raises(StoreError, match="wrong kind of value"):
            await shared.take(both)
    await redis.call("DEL", DAY_KEY)
    await shared.take(both)
    await shared.take(both)
    assert await calls(shared) == {"acme": 2}
    assert await calls(shared, Question("2026-11-20", ("principal",))) == {"acme": 1}


async def test_a_field_that_is_no_number_costs_its_own_count_alone(connect, redis_url, caplog):
    redis = await connect(redis_url)
    shared = Shared(redis)
    bad = 'calls ["keys","bad","free","a/B"]'
    await redis.call("HSET", DAY_KEY, bad, "poison")
    both = batch(counted(subject="a", calls=1), counted(subject="bad", calls=2))
    for _ in range(2):
        await shared.take(both)
    await redis.call("HDEL", DAY_KEY, bad)
    assert await calls(shared) == {"a": 1}
    assert "others wrote to their fields: 1" in caplog.text


async def test_what_could_not_be_added_at_all_is_not_taken_for_known(connect, redis_url):
    redis = await connect(redis_url)
    shared = Shared(redis)
    field = 'calls ["keys","acme","free","a/B"]'
    await redis.call("HSET", DAY_KEY, field, "poison")
    with pytest.raises(StoreError, match="not an integer"):
        await shared.take(batch(counted(calls=2)))
    await redis.call("HDEL", DAY_KEY, field)
    await shared.take(batch(counted(calls=2)))
    assert await calls(shared) == {"acme": 2}
