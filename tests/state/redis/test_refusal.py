"""Commands that a Redis refuses for what they are: it is there for all others, and the log says why."""

from __future__ import annotations

import logging

import pytest
from redis.exceptions import ResponseError

from gateway.state.redis import Refusal, StateRefused, StateUnavailable
from gateway.state.redis.packed import command
from gateway.state.redis.refusal import Refusals, refusal
from tests.state.redis.conftest import opened

WRITES = "return redis.call('SET', KEYS[1], 1)"
ELSEWHERE = "return redis.call('SET', 'other:key', 1)"
ASKS = "return redis.call('INFO', 'memory')"
LIMITS = ["~gateway:*", "-@all", "+@read", "+@write", "+@scripting", "+@connection", "+time"]


async def refused(sending) -> Refusal:
    with pytest.raises(StateRefused) as failure:
        await sending
    return failure.value.refusal


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="gateway.state")
    return lambda: [record.getMessage() for record in caplog.records]


async def test_a_full_one_is_there_however_often_it_refuses_to_write(own_redis, lines):
    async with opened(own_redis.url) as redis:
        writes = redis.script(WRITES)
        own_redis.full()
        for _ in range(10):
            assert await refused(redis.call("SET", b"gw:cache:v:1", "x")) is Refusal.FULL
            assert await refused(writes([b"gw:cache:v:2"], [])) is Refusal.FULL
        assert redis.available
        assert await redis.call("PING") == b"PONG"
    (line,) = lines()
    assert "is full and refuses to write gw:cache:*: raise its maxmemory" in line
    assert "cache.state" in line


async def test_what_a_user_may_not_do_leaves_the_rest_alone(own_redis, lines):
    own_redis.ask("ACL", "SETUSER", "ann", "on", ">hunter2", *LIMITS)
    async with opened(own_redis.url.replace("//", "//ann:hunter2@")) as redis:
        for _ in range(10):
            assert await refused(redis.call("GET", b"gw:cache:v:1")) is Refusal.FORBIDDEN
        for text in (WRITES, ELSEWHERE, ASKS):
            keys = [b"gw:cache:v:1" if text == WRITES else b"gateway:{limits}:k:1"]
            assert await refused(redis.script(text)(keys, [])) is Refusal.FORBIDDEN
        assert await refused(redis.near(b"gw:cache:v:1", "INFO", "memory")) is Refusal.FORBIDDEN
        assert await redis.script(WRITES)([b"gateway:{limits}:k:1"], []) == b"OK"
        assert redis.available
    first, second, third = lines()
    assert "refuses GET on gw:cache:*" in first
    assert "its user needs ~gw:cache:* +@read" in first
    assert "~gateway:{limits}:* +@read" in second
    assert "refuses INFO" in third
    assert "+info" in third
    assert not [line for line in lines() if "ann" in line or "hunter2" in line or "away" in line]


async def test_a_command_that_there_is_not_is_one_that_it_may_not_do(redis):
    assert await refused(redis.call("INFORM", "memory")) is Refusal.FORBIDDEN


async def test_a_key_that_another_writer_has_made_something_else_is_the_only_one(own_redis, lines):
    async with opened(own_redis.url) as redis:
        await redis.call("RPUSH", b"gateway:{limits}:k:1", "1")
        reads = redis.script("return redis.call('GET', KEYS[1])")
        for _ in range(10):
            assert await refused(redis.call("GET", b"gateway:{limits}:k:1")) is Refusal.WRONG_TYPE
            assert await refused(reads([b"gateway:{limits}:k:1"], [])) is Refusal.WRONG_TYPE
        assert redis.available
    (line,) = lines()
    assert "another kind of value under a key of gateway:{limits}:*" in line


async def test_other_errors_say_more(redis):
    await redis.call("SET", "text", "a")
    with pytest.raises(StateUnavailable) as failure:
        await redis.call("INCR", "text")
    assert not isinstance(failure.value, StateRefused)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(
            "Error running script (call to f_1): @user_script:3: "
            "-OOM command not allowed when used memory > 'maxmemory'.",
            Refusal.FULL,
            id="full-within-a-script-of-Redis-6",
        ),
        pytest.param(
            "Error running script (call to f_1): @user_script:3: -NOPERM No permissions",
            Refusal.FORBIDDEN,
            id="forbidden-within-a-script-of-Redis-6",
        ),
        pytest.param(
            "ACL failure in script: User ann has no permissions to run the 'set' command",
            Refusal.FORBIDDEN,
            id="forbidden-within-a-script-of-Redis-7.2",
        ),
        pytest.param(
            "Error running script (call to f_1): @user_script:3: "
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            Refusal.WRONG_TYPE,
            id="wrong-type-within-a-script-of-Redis-6",
        ),
        pytest.param("value is not an integer or out of range", None, id="another-error"),
    ],
)
def test_how_servers_say_it(text, why):
    assert refusal(ResponseError(text)) is why


def test_it_is_said_again_when_it_begins_again_and_never_names_the_user(lines):
    now = [0.0]
    refusals = Refusals("redis://r:6379/0", lambda: now[0])
    failure = ResponseError("User ann has no permissions to run the 'get' command")
    for now[0] in (0.0, 100.0, 200.0, 400.0, 401.0):
        refusals.took(Refusal.FORBIDDEN, failure, command((b"GET", b"gateway:{usage}:1")))
    assert len(lines()) == 2
    assert "the user has no permissions to run the 'get' command" in lines()[0]
    assert "ann" not in lines()[0]
    assert "~gateway:{usage}:*" in lines()[0]
