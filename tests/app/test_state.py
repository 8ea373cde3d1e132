"""The Redis that a config names: one client for all that use it, kept over reloads; away is no error."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys

import pytest

from gateway.app import App, BuildError, build
from gateway.app.pool import UpstreamPool
from gateway.call import Call, RpcError
from gateway.config import from_mapping
from gateway.policies.limits.gate import RateLimits

METHOD = "x.v1.T/Get"
PROTO = """syntax = "proto3"; package x.v1;
message M {}
service T { rpc Get(M) returns (M); }
"""


class File:
    """A config file that is rewritten."""

    def __init__(self, folder, **sections):
        self.folder = folder
        self.sections = sections
        (folder / "x.proto").write_text(PROTO)

    def __call__(self):
        limit = {"name": "all", "rate": "3/h", "key": "all"}
        data = {
            "listener": {"address": "127.0.0.1:0"},
            "admin": False,
            "graphql": False,
            "schema": {"protos": ["."]},
            "upstreams": {"x": {"services": ["x.*"], "endpoints": ["127.0.0.1:1"]}},
            "policies": [{"methods": ["*"], "rate_limits": [limit]}],
            **self.sections,
        }
        return from_mapping(data, origin="test", directory=self.folder)


@pytest.fixture
async def start(tmp_path):
    """Starts gateways, in this process."""
    apps = []

    async def start(**sections):
        app = App(File(tmp_path, **sections))
        await app.start(lambda _: None)
        apps.append(app)
        return app

    yield start
    for app in apps:
        await app.stop()


async def admitted(app, count=5) -> int:
    """How many calls of so many pass the limit."""
    (gate,) = [
        each for each in app.current.methods[METHOD].policies if isinstance(each, RateLimits)
    ]
    through = 0
    for _ in range(count):
        try:
            waiting = gate.admit(Call(METHOD))
            if waiting is not None:
                await waiting
        except RpcError as failure:
            assert failure.reason == "RATE_LIMITED"
        else:
            through += 1
    return through


def clients(app):
    """The clients of a state that the app has."""
    return [each for key, each in app.current.taken.used.items() if key[0] == "redis"]


async def test_gateways_that_name_one_redis_share_their_limits(start, redis_url):
    one, two = await start(state=redis_url), await start(state=redis_url)
    assert await admitted(one, 2) == 2
    assert await admitted(two, 2) == 1


async def test_one_client_serves_all_that_use_the_state(start, redis_url):
    app = await start(state=redis_url, usage={"enabled": True})
    assert len(clients(app)) == 1


async def test_a_reload_keeps_the_client_and_what_was_counted(start, redis_url):
    app = await start(state=redis_url)
    (client,) = clients(app)
    assert await admitted(app, 2) == 2
    await app.reload()
    assert clients(app) == [client]
    assert await admitted(app, 2) == 1


async def test_a_reload_takes_another_redis(start, own_redis, redis_url):
    app = await start(state=own_redis.url)
    (before,) = clients(app)
    assert await admitted(app) == 3
    app._load.sections["state"] = redis_url
    await app.reload()
    (after,) = clients(app)
    assert after is not before
    assert after.available
    assert not before.available
    assert await admitted(app) == 3


async def test_without_its_redis_a_gateway_starts_says_so_and_counts_by_itself(
    start, own_redis, caplog
):
    own_redis.kill()
    caplog.set_level(logging.WARNING, logger="gateway.state")
    app = await start(state=own_redis.url)
    assert [each for each in caplog.messages if "is away" in each]
    assert await admitted(app) == 3
    own_redis.start()
    (client,) = clients(app)
    async with asyncio.timeout(20):
        while not client.available:
            await asyncio.sleep(0.01)
    assert await admitted(app) == 3, "Redis has counted nothing yet"


async def test_a_url_that_names_no_redis_is_a_mistake_that_does_not_show_it(tmp_path):
    pool = UpstreamPool()
    try:
        with pytest.raises(BuildError) as wrong:
            await build(File(tmp_path, state="redis://:hunter2@r/zero")(), pool)
    finally:
        await pool.close(0)
    assert len(wrong.value.problems) == 1
    assert "state: the database is a number" in wrong.value.problems[0]
    assert "hunter2" not in str(wrong.value.problems)


def test_what_names_no_redis_does_not_import_it():
    code = "import sys, gateway.app, gateway.app.state; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
