"""A Redis that is killed, frozen, full, locked, read-only or no Redis: what calls of it cost."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from gateway.state.redis import Redis, StateUnavailable
from tests.redis_server import running
from tests.state.redis.conftest import opened, until
from tests.state.redis.played import played

QUICK = 0.15


async def fails(redis, *command, match=""):
    with pytest.raises(StateUnavailable, match=match):
        await redis.call(*(command or ("PING",)))


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="gateway.state")
    return lambda: [record.getMessage() for record in caplog.records]


async def test_one_that_is_not_there_at_the_start_is_found_when_it_is(own_redis, lines):
    own_redis.kill()
    async with opened(own_redis.url, QUICK) as redis:
        assert not redis.available
        await fails(redis, match="away")
        own_redis.start()
        await until(lambda: redis.available)
        assert await redis.call("PING") == b"PONG"
    assert len(lines()) >= 1
    assert "is away" in lines()[0]


async def test_one_that_was_killed_and_started_again(own_redis):
    async with opened(own_redis.url, QUICK) as redis:
        script = redis.script("return redis.call('INCR', KEYS[1])")
        assert await script([b"n"], []) == 1
        own_redis.kill()
        await until(lambda: not redis.available)
        await fails(redis, match="away")
        own_redis.start()
        await until(lambda: redis.available)
        assert await script([b"n"], []) == 1
        assert "cmdstat_eval" not in own_redis.ask("INFO", "commandstats")


async def test_what_waits_when_it_is_killed_fails_at_once(own_redis):
    async with opened(own_redis.url, 10.0) as redis:
        own_redis.stop()
        answers = [redis.call("GET", n) for n in range(20)]
        await asyncio.sleep(0.05)
        own_redis.kill()
        async with asyncio.timeout(5):
            results = await asyncio.gather(*answers, return_exceptions=True)
        assert all(isinstance(each, StateUnavailable) for each in results)


async def test_a_frozen_one_costs_some_calls_their_time_and_later_ones_nothing(own_redis, lines):
    async with opened(own_redis.url, QUICK) as redis:
        own_redis.stop()
        answers = [redis.call("GET", n) for n in range(20)]
        for answer in answers:
            with pytest.raises(StateUnavailable, match="timed out"):
                await answer
        assert not redis.available
        for _ in range(100):
            with pytest.raises(StateUnavailable, match="away"):
                redis.call("GET", "a")  # at once: there is nothing to await
        own_redis.cont()
        await until(lambda: redis.available)
        assert await redis.call("PING") == b"PONG"
    assert len([line for line in lines() if "is away: timed out" in line]) == 1


async def test_a_turn_of_some_times_what_commands_have_is_no_server_that_is_away(redis_url):
    async with opened(redis_url, 0.004) as redis:
        await until(lambda: redis.available)
        for _ in range(30):
            answer = redis.call("ECHO", "a")
            time.sleep(0.015)  # noqa: ASYNC251  the loop is what stands still
            assert await answer == b"a"


async def test_one_that_is_slow_is_left_alone_and_probed():
    async with played() as server, opened(server.url, QUICK) as redis:
        await fails(redis, "GET", "a", match="timed out")
        assert not redis.available
        await until(lambda: redis.available)
        answer = redis.call("GET", "a")
        await until(lambda: len(server.commands) == 2)
        server.answer(b":1\r\n")
        assert await answer == 1


async def test_probes_are_never_calls():
    async with played() as server, opened(server.url, QUICK) as redis:
        await fails(redis, "GET", "a", match="timed out")
        await until(lambda: redis.available)
        assert server.commands == [[b"GET", b"a"]]


async def test_a_full_one_refuses_what_it_would_keep_and_answers_what_it_has(own_redis):
    async with opened(own_redis.url) as redis:
        await redis.call("SET", "a", "1")
        own_redis.full()
        for _ in range(3):
            await fails(redis, "SET", "b", "1", match="maxmemory")
            assert await redis.call("GET", "a") == b"1"
        own_redis.full(is_full=False)
        assert await redis.call("SET", "b", "1") == b"OK"


async def test_one_that_fails_everything_is_left_alone_for_a_while(own_redis):
    async with opened(own_redis.url) as redis:
        await redis.call("SET", "text", "a")
        for _ in range(5):
            await fails(redis, "INCR", "text", match="not an integer")
        assert not redis.available
        await until(lambda: redis.available)
        assert await redis.call("SET", "b", "1") == b"OK"


async def test_one_that_may_only_be_read_is_asked_where_its_name_leads_to_now(own_redis):
    async with opened(own_redis.url) as redis:
        own_redis.ask("REPLICAOF", "127.0.0.1", "1")
        await fails(redis, "SET", "a", "1", match="read only")
        assert not redis.available
        own_redis.ask("REPLICAOF", "NO", "ONE")
        await until(lambda: redis.available)
        assert await redis.call("SET", "a", "1") == b"OK"


async def test_a_wrong_password_is_told_once_and_never_shown(tmp_path, lines):
    with running(tmp_path, password="right") as server:
        async with opened(server.url.replace("right", "hunter2"), QUICK) as redis:
            assert not redis.available
            await fails(redis, match="away")
            assert "hunter2" not in repr(redis)
    assert len(lines()) == 1
    assert "is away" in lines()[0]
    assert "hunter2" not in lines()[0]


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$abc\r\n", b"+" + bytes(100_000), b"*9\r\n+a\r\n?\r\n"],
    ids=["http", "no length", "a line without end", "no type"],
)
async def test_what_speaks_another_language_fails_what_waits(data):
    async with played() as server, opened(server.url) as redis:
        await until(lambda: len(server.connections) == 3)
        answer = redis.call("GET", "a")
        await until(lambda: server.commands)
        server.answer(data)
        with pytest.raises(StateUnavailable):
            await answer
        await until(lambda: len(server.connections) == 4)


@pytest.mark.parametrize("url", ["redis://a..b", f"redis://{'a' * 70}"])
async def test_a_name_that_is_none_is_away(url):
    async with opened(url, QUICK) as redis:
        assert not redis.available


async def test_an_answer_that_nobody_asked_for_ends_the_connection():
    async with played() as server, opened(server.url) as redis:
        await until(lambda: len(server.connections) == 3)
        answer = redis.call("GET", "a")
        await until(lambda: server.commands)
        server.answer(b":1\r\n:2\r\n")
        assert await answer == 1
        await until(lambda: len(server.connections) == 4)


async def test_connections_that_a_server_closes_as_nobody_uses_them_are_made_anew(own_redis, lines):
    own_redis.ask("CONFIG", "SET", "timeout", "2")
    async with opened(own_redis.url) as redis:
        made = own_redis.ask("INFO", "stats")["total_connections_received"]
        await until(lambda: own_redis.ask("INFO", "clients")["connected_clients"] == 4)
        asked = 0

        def connected() -> bool:
            nonlocal asked
            asked += 1
            return own_redis.ask("INFO", "stats")["total_connections_received"] - asked > made + 5

        await until(connected)
        await until(lambda: redis.available)
    assert lines() == []


async def test_one_that_closes_what_it_has_just_let_in_is_left_alone(lines):
    async with played() as server:
        server.hangs_up = True
        async with opened(server.url, QUICK):
            await until(lines)
            await asyncio.sleep(0.5)
            assert len(server.connections) < 50


async def test_no_more_commands_wait_than_may():
    async with played() as server, opened(server.url, 30.0) as redis:
        await until(lambda: len(server.connections) == 3)
        answers = []
        with pytest.raises(StateUnavailable, match="too many"):
            for _ in range(100_000):
                answers.append(redis.call("GET", "a"))
                if len(answers) % 100 == 0:
                    await asyncio.sleep(0)
        assert len(answers) == 3 * 4096
        for answer in answers:
            answer.cancel()
        server.drop()


async def test_nothing_is_left_behind(own_redis):
    before = asyncio.all_tasks()
    redis = Redis(own_redis.url, QUICK)
    await redis.open()
    for _ in range(3):
        own_redis.stop()
        answers = [redis.call("GET", n) for n in range(100)]
        for answer in answers[::2]:
            answer.cancel()
        await asyncio.gather(*answers, return_exceptions=True)
        own_redis.cont()
        await until(lambda: redis.available)
    await redis.close()
    assert asyncio.all_tasks() == before
    await until(lambda: own_redis.ask("INFO", "clients")["connected_clients"] == 1)


async def test_what_was_never_opened_can_be_closed(redis_url):
    await Redis(redis_url, QUICK).close()


async def test_closing_waits_for_answers_that_are_on_their_way():
    async with played() as server:
        redis = Redis(server.url, 5.0)
        await redis.open()
        answer = redis.call("GET", "a")
        await until(lambda: server.commands)
        closing = asyncio.ensure_future(redis.close())
        await asyncio.sleep(0)
        server.answer(b":1\r\n")
        assert await answer == 1
        await closing
        assert not redis.available
