"""The client of a Redis that is well: commands, scripts, and how they share connections."""

from __future__ import annotations

import asyncio
import time

import pytest
import trustme

from gateway.state.redis import StateUnavailable
from tests.redis_server import running
from tests.state.redis.conftest import opened, until
from tests.state.redis.played import played


async def test_answers_are_as_the_protocol_has_them(redis):
    assert await redis.call("SET", "a", "é") == b"OK"
    assert await redis.call("GET", b"a") == "é".encode()
    assert await redis.call("GET", "nothing") is None
    assert await redis.call("INCRBY", "n", 7) == 7
    assert await redis.call("MGET", "a", "nothing") == ["é".encode(), None]
    assert await redis.call("SET", "big", bytes(1 << 20)) == b"OK"
    assert await redis.call("GET", "big") == bytes(1 << 20)


async def test_each_caller_has_its_own_answer(redis):
    numbers = await asyncio.gather(*(redis.call("ECHO", n) for n in range(500)))
    assert numbers == [str(n).encode() for n in range(500)]


async def test_commands_of_one_turn_leave_in_one_write():
    async with played() as server, opened(server.url) as redis:
        answers = [redis.call("GET", n) for n in range(50)]
        await until(lambda: len(server.commands) == 50)
        assert server.reads == 1
        server.answer(b"".join(b":%d\r\n" % n for n in range(50)))
        assert await asyncio.gather(*answers) == list(range(50))


async def test_commands_do_not_wait_for_the_answers_of_others():
    async with played() as server, opened(server.url) as redis:
        await until(lambda: len(server.connections) == 3)
        answers = []
        for n in range(8):
            answers.append(redis.call("GET", n))
            await until(lambda expected=n + 1: len(server.commands) == expected)
        assert not any(answer.done() for answer in answers)
        for answer in answers:
            answer.cancel()


async def test_a_command_goes_where_least_is_waited_for():
    async with played() as server, opened(server.url) as redis:
        await until(lambda: len(server.connections) == 3)
        slow = redis.call("GET", "slow")
        await until(lambda: len(server.commands) == 1)
        quick = redis.call("GET", "quick")
        await until(lambda: len(server.commands) == 2)
        server.answer(b":2\r\n")
        assert await quick == 2
        assert not slow.done()
        slow.cancel()


async def test_a_caller_that_leaves_takes_nobody_elses_answer(redis):
    first = [redis.call("ECHO", "left") for _ in range(10)]
    await asyncio.sleep(0)
    for answer in first:
        answer.cancel()
    later = [redis.call("ECHO", f"mine {n}") for n in range(10)]
    assert await asyncio.gather(*later) == [b"mine %d" % n for n in range(10)]


async def test_an_error_is_its_own_commands_only(redis):
    await redis.call("SET", "text", "a")
    wrong, right = redis.call("INCR", "text"), redis.call("GET", "text")
    with pytest.raises(StateUnavailable, match="not an integer"):
        await wrong
    assert await right == b"a"
    assert redis.available


async def test_what_an_error_quotes_of_a_command_is_not_repeated(redis):
    with pytest.raises(StateUnavailable, match="unknown command") as refused:
        await redis.call("SECRETS", "hunter2")
    assert "hunter2" not in str(refused.value)


async def test_a_loop_that_stood_still_is_no_time_out(redis_url):
    async with opened(redis_url, 0.1) as redis:
        answer = redis.call("ECHO", "here")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251  it stands still
        assert await answer == b"here"
        assert redis.available


async def test_a_loop_that_is_slow_at_every_turn_is_no_time_out(redis_url):
    async with opened(redis_url, 0.01) as redis:
        slow = True

        def turn():
            if slow:
                time.sleep(0.018)  # less than what counts as standing still
                asyncio.get_running_loop().call_soon(turn)

        turn()
        try:
            assert [await redis.call("ECHO", "here") for _ in range(5)] == [b"here"] * 5
        finally:
            slow = False


async def test_a_database_of_its_own(redis_server, redis_url):
    async with opened(redis_url.replace("/0", "/5")) as redis, opened(redis_url) as other:
        await redis.call("SET", "a", "1")
        assert await other.call("GET", "a") is None


async def test_a_password(tmp_path):
    with running(tmp_path, password="hunter2") as server:
        async with opened(server.url) as redis:
            assert await redis.call("PING") == b"PONG"
            assert "hunter2" not in repr(redis)


async def test_tls(tmp_path):
    authority, stranger = trustme.CA(), trustme.CA()
    for name, each in (("ca.pem", authority), ("stranger.pem", stranger)):
        each.cert_pem.write_to_path(tmp_path / name)
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    options = {
        "tls-port": "0",
        "tls-cert-file": str(tmp_path / "cert.pem"),
        "tls-key-file": str(tmp_path / "key.pem"),
        "tls-auth-clients": "no",
        "tls-ca-cert-file": str(tmp_path / "ca.pem"),
    }
    with running(tmp_path, options=options) as plain:
        port = await _tls_port(plain)
        url = f"rediss://localhost:{port}/0?ssl_ca_certs={tmp_path}"
        async with opened(f"{url}/ca.pem") as redis:
            assert await redis.call("PING") == b"PONG"
        async with opened(f"{url}/stranger.pem") as redis:
            assert not redis.available
        async with opened(f"rediss://127.0.0.1:{port}?ssl_ca_certs={tmp_path}/ca.pem") as redis:
            assert not redis.available, "its certificate is another name's"


async def _tls_port(plain) -> int:
    listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    plain.ask("CONFIG", "SET", "tls-port", str(port))
    return port


INCREMENT = "return redis.call('INCR', KEYS[1]) + tonumber(ARGV[1])"


async def test_a_script(redis):
    script = redis.script(INCREMENT)
    assert await script([b"n"], [10]) == 11
    assert await script([b"n"], [10]) == 12
    assert redis.script(INCREMENT) is script


async def test_a_script_that_was_forgotten_runs_once_for_each_call(redis, redis_server):
    script = redis.script(INCREMENT)
    for _ in range(3):
        redis_server.ask("SCRIPT", "FLUSH")
        await asyncio.gather(*(script([b"n"], [0]) for _ in range(50)))
    assert await redis.call("GET", "n") == b"150"


async def test_a_script_that_was_forgotten_has_no_more_time_than_others():
    clock = asyncio.get_running_loop().time
    async with played() as server, opened(server.url, 0.6) as redis:
        began = clock()
        answer = redis.script(INCREMENT)([b"n"], [0])
        await until(lambda: server.commands and clock() > began + 0.4)
        server.answer(b"-NOSCRIPT No matching script.\r\n")
        await until(lambda: len(server.commands) == 2)
        assert [each[0] for each in server.commands] == [b"EVALSHA", b"EVAL"]
        with pytest.raises(StateUnavailable, match="timed out"):
            await answer
        assert clock() < began + 0.9
