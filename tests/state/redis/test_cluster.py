"""A Redis cluster: commands find the server that has their keys, also when that changes."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack

import pytest
from redis.crc import key_slot

from gateway.state.redis import StateUnavailable
from tests.redis_server import RedisServer, running
from tests.state.redis.conftest import opened

HALF = 8192


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def settled(condition) -> None:
    """Returns when a cluster has come to agree."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_well(server: RedisServer) -> bool:
    """Whether a server serves, and knows who has which half."""
    state = server.ask("CLUSTER", "INFO")
    return b"cluster_state:ok" in state and len(server.ask("CLUSTER", "SLOTS")) == 2


@pytest.fixture
def cluster(tmp_path):
    """Two servers, each with half of the slots."""
    with ExitStack() as stack:
        servers = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            options = {
                "cluster-enabled": "yes",
                "cluster-port": str(free_port()),
                "cluster-require-full-coverage": "no",
                "cluster-node-timeout": "1000",
            }
            servers.append(stack.enter_context(running(folder, options=options)))
            servers[-1].bus = options["cluster-port"]
        one, two = servers
        one.ask("CLUSTER", "ADDSLOTSRANGE", "0", str(HALF - 1))
        two.ask("CLUSTER", "ADDSLOTSRANGE", str(HALF), "16383")
        one.ask("CLUSTER", "MEET", "127.0.0.1", str(two.port), two.bus)
        settled(lambda: all(map(is_well, servers)))
        yield one, two


def key_of(server: int) -> str:
    """A key of the first or the second server."""
    return next(key for key in map(str, range(1000)) if key_slot(key.encode()) // HALF == server)


async def moves(redis, key) -> None:
    """Asks for a key until its server is connected to."""

    async def asked():
        try:
            await redis.call("GET", key)
        except StateUnavailable:
            return False
        return True

    async with asyncio.timeout(20):
        while not await asked():
            await asyncio.sleep(0.01)


async def test_a_command_finds_the_server_that_has_its_key(cluster):
    one, two = cluster
    here, there = key_of(0), key_of(1)
    async with opened(one.url) as redis:
        await moves(redis, there)
        assert await redis.call("SET", here, "1") == b"OK"
        assert await redis.call("SET", there, "2") == b"OK"
    assert one.ask("GET", here) == b"1"
    assert two.ask("GET", there) == b"2"


async def test_a_command_that_goes_to_the_wrong_server_is_done_once(cluster):
    one, _ = cluster
    async with opened(one.url) as redis:
        await moves(redis, key_of(1))
        script = redis.script("return redis.call('INCR', KEYS[1])")
        keys = [key for key in map(str, range(100)) if key_slot(key.encode()) >= HALF]
        # Each is of a slot that is not known yet.
        answers = await asyncio.gather(*(script([key.encode()], []) for key in keys))
        assert answers == [1] * len(keys)


async def test_what_is_known_costs_one_way(cluster):
    one, _ = cluster
    there = key_of(1)
    async with opened(one.url) as redis:
        await moves(redis, there)
        one.ask("CONFIG", "RESETSTAT")
        for _ in range(5):
            await redis.call("GET", there)
        assert "cmdstat_get" not in one.ask("INFO", "commandstats")


async def test_a_server_that_is_away_takes_its_keys_with_it_and_no_others(cluster):
    one, two = cluster
    here, there = key_of(0), key_of(1)
    async with opened(one.url) as redis:
        await moves(redis, there)
        two.kill()
        async with asyncio.timeout(20):
            while await _is_there(redis, there):
                await asyncio.sleep(0.01)
        assert redis.available
        assert await redis.call("GET", here) is None
        two.start()
        await moves(redis, there)


async def _is_there(redis, key) -> bool:
    try:
        await redis.call("GET", key)
    except StateUnavailable:
        return False
    return True


async def test_keys_that_move_are_found_again(cluster):
    one, two = cluster
    there = key_of(1)
    async with opened(one.url) as redis:
        await moves(redis, there)
        slot = str(key_slot(there.encode()))
        mine = one.ask("CLUSTER", "MYID").decode()
        for server in (one, two):
            server.ask("CLUSTER", "SETSLOT", slot, "NODE", mine)
        assert await redis.call("SET", there, "1") == b"OK"
    assert one.ask("GET", there) == b"1"


async def test_a_command_without_a_key_goes_to_the_server_that_has_one(cluster):
    async with opened(cluster[0].url) as redis:
        for number, server in enumerate(cluster):
            await moves(redis, key_of(number))
            info = await redis.near(key_of(number).encode(), "INFO", "server")
            assert b"tcp_port:%d\r\n" % server.port in info


async def test_nothing_is_left_behind(cluster):
    before = asyncio.all_tasks()
    one, _ = cluster
    async with opened(one.url) as redis:
        await moves(redis, key_of(1))
    assert asyncio.all_tasks() == before
