"""Limits that several processes share: the workers of a gateway, and gateways through Redis."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from contextlib import ExitStack

import aiohttp
import pytest
import yaml

from tests.cli.processes import gateway as started
from tests.cli.several import Gateway, until
from tests.end_to_end.limited import (
    KEY,
    LIST,
    PRODUCT,
    STOCK,
    Keys,
    config,
    limits,
    outcome,
    outcomes,
)
from tests.end_to_end.system import gateway
from tests.redis_server import RedisServer
from tests.redis_server import running as redis_running

LIMIT = 400
PATHS = {
    "local": "/v1/products/p1",
    "allow": "/v1/products/p1/stock",
    "deny": "/v1/products?page_size=1",
}
TROUBLES = {
    "killed": (RedisServer.kill, RedisServer.start),
    "frozen": (RedisServer.stop, RedisServer.cont),
    "full": (RedisServer.full, lambda server: server.full(is_full=False)),
}


def shared(shop, **sections):
    limit = {"name": "all", "rate": f"{LIMIT}/d", "key": "all"}
    return config(shop, limits(PRODUCT, limit), **sections)


def write(folder, given):
    (folder / "gateway.yaml").write_text(yaml.safe_dump(given))


async def limited_to(url, allowed):
    """Asks for more than there is, over many connections."""
    found = await outcomes(url, 2 * allowed, connections=20)
    assert found == {"ok": allowed, "RATE_LIMITED": allowed}


async def test_workers_share_one_limit_exactly(shop, tmp_path):
    write(tmp_path, shared(shop, workers=2))
    with started("serve", cwd=tmp_path) as serving:
        await limited_to(Gateway(serving).url, LIMIT)


async def test_workers_count_together_what_an_address_asks_that_nobody_knows(shop, tmp_path):
    given = config(
        shop,
        auth=Keys(tmp_path).auth,
        workers=2,
        listener={"address": "127.0.0.1:0", "limits": {"unauthenticated": "50/h"}},
    )
    write(tmp_path, given)
    with started("serve", cwd=tmp_path) as serving:
        url = Gateway(serving).url
        found = await outcomes(url, 200, connections=20, headers={KEY: "none"})
    assert found == {"INVALID_CREDENTIALS": 50, "TOO_MANY_UNAUTHENTICATED": 150}


async def test_what_was_taken_is_taken_after_workers_have_died(shop, tmp_path):
    write(tmp_path, shared(shop, workers=2))
    with started("serve", cwd=tmp_path) as serving:
        running = Gateway(serving)
        assert await outcomes(running.url, 100, connections=10) == {"ok": 100}
        for number, pid in running.workers.items():
            os.kill(pid, signal.SIGKILL)
            serving.read_error(f"worker {number} ended")
            until(running.all_ready)
        await limited_to(running.url, LIMIT - 100)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_reload_gives_nothing_anew(shop, tmp_path, workers):
    given = shared(shop, workers=workers)
    write(tmp_path, given)
    with started("serve", cwd=tmp_path) as serving:
        url = Gateway(serving).url
        assert await outcomes(url, 100, connections=10) == {"ok": 100}
        given["policies"].append(limits("*", {"name": "other", "rate": "100000/s"}))
        write(tmp_path, given)
        serving.signal(signal.SIGHUP)
        await asyncio.to_thread(serving.read_error, "reloaded: ")
        await limited_to(url, LIMIT - 100)


async def test_three_gateways_share_one_limit_exactly(shop, redis_url, tmp_path):
    given = shared(shop, state=redis_url, state_timeout="5s")
    with ExitStack() as stack:
        urls = []
        for number in range(3):
            folder = tmp_path / str(number)
            folder.mkdir()
            urls.append(stack.enter_context(gateway(folder, given)).url)
        rows = await asyncio.gather(*(outcomes(url, LIMIT, connections=10) for url in urls))
    assert sum(rows, Counter()) == {"ok": LIMIT, "RATE_LIMITED": 2 * LIMIT}


async def test_gateways_share_again_what_was_left_when_their_redis_was_restarted(shop, tmp_path):
    probe = limits(STOCK, {"name": "probe", "rate": "1000000/d", "key": "all", "on_error": "deny"})
    with ExitStack() as stack:
        server = stack.enter_context(redis_running(tmp_path, persistent=True))
        given = shared(shop, state=server.url, state_timeout="5s")
        given["policies"].append(probe)
        urls = []
        for number in range(2):
            folder = tmp_path / str(number)
            folder.mkdir()
            urls.append(stack.enter_context(gateway(folder, given)).url)
        for url in urls:
            assert await outcomes(url, 100, connections=10) == {"ok": 100}
        await asyncio.to_thread(server.restart)
        for url in urls:
            async with aiohttp.ClientSession(url) as client, asyncio.timeout(20):
                while await outcome(client, PATHS["allow"]) == "LIMITS_UNAVAILABLE":
                    await asyncio.sleep(0.05)
        rows = await asyncio.gather(*(outcomes(url, 200, connections=10) for url in urls))
    assert sum(rows, Counter()) == {"ok": LIMIT - 200, "RATE_LIMITED": 200}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_without_its_redis_each_limit_does_as_it_says(shop, own_redis, tmp_path, trouble):
    begin, end = TROUBLES[trouble]
    policies = [
        limits(method, {"name": on_error, "rate": "5/d", "key": "all", "on_error": on_error})
        for method, on_error in ((PRODUCT, "local"), (STOCK, "allow"), (LIST, "deny"))
    ]
    given = config(shop, *policies, state=own_redis.url, state_timeout="200ms")
    with gateway(tmp_path, given) as running:
        async with aiohttp.ClientSession(running.url) as client:

            async def ask(count):
                return {
                    name: [await outcome(client, path) for _ in range(count)]
                    for name, path in PATHS.items()
                }

            assert await ask(2) == dict.fromkeys(PATHS, ["ok"] * 2)
            begin(own_redis)
            loop = asyncio.get_running_loop()
            began = loop.time()
            assert await ask(7) == {
                "local": ["ok"] * 5 + ["RATE_LIMITED"] * 2,
                "allow": ["ok"] * 7,
                "deny": ["LIMITS_UNAVAILABLE"] * 7,
            }
            assert loop.time() - began < 5  # not each call finds out by itself
            end(own_redis)
            async with asyncio.timeout(20):
                while await outcome(client, PATHS["deny"]) == "LIMITS_UNAVAILABLE":
                    await asyncio.sleep(0.05)
            assert "RATE_LIMITED" in (await ask(6))["allow"]
