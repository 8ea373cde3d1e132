"""The Redis that a config names: one client for all that use it, kept over reloads; away is no error."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys

import pytest

from gateway.app import App, BuildError, build
from gateway.app.pool import UpstreamPool
from gateway.call import Call, RpcError
from gateway.config import from_mapping
from gateway.policies.limits.gate import RateLimits
from tests.redis_server import running

METHOD = "x.v1.T/Get"
PROTO = """syntax = "proto3"; package x.v1;
message M {}
service T { rpc Get(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; } }
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


async def test_a_reload_takes_another_redis(start, own_redis, redis_url, monkeypatch):
    monkeypatch.setattr("gateway.app.lasting._GRACE", 0.2)
    app = await start(state=own_redis.url)
    (before,) = clients(app)
    assert await admitted(app) == 3
    app._load.sections["state"] = redis_url
    await app.reload()
    (after,) = clients(app)
    assert after is not before
    assert after.available
    assert before.available
    async with asyncio.timeout(20):  # it is left after a grace, for calls that began before
        while before.available:
            await asyncio.sleep(0)
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


async def problems(file) -> list[str]:
    pool = UpstreamPool()
    try:
        with pytest.raises(BuildError) as wrong:
            await build(file(), pool)
    finally:
        await pool.close(0)
    return wrong.value.problems


IDLE = {"policies": [], "usage": {"enabled": False}}


@pytest.mark.parametrize("used", [{}, IDLE], ids=["used", "used-by-nothing"])
@pytest.mark.parametrize("key", ["state", "cache.state"])
@pytest.mark.parametrize(
    ("url", "mistake"),
    [
        pytest.param("redis://:hunter2@r/zero", "the database is a number", id="database"),
        pytest.param("redis://localhost:99999/x", "expected redis://", id="port"),
        pytest.param(
            "redis://u:hunter2@x/w@localhost/0",
            "expected redis://[user:password@]host[:port][/database]; percent-encode @, /",
            id="password",
        ),
        pytest.param(
            "rediss://:hunter2@r?ssl_ca_certs=/nope/ca.pem",
            "ca.pem can't be read: No such file or directory",
            id="no-file-of-certificates",
        ),
        pytest.param(
            "rediss://:hunter2@r?ssl_ca_certs={folder}/x.proto",
            "the file has no PEM certificates",
            id="a-file-of-none",
        ),
    ],
)
async def test_a_url_that_names_no_redis_is_a_mistake_that_does_not_show_it(
    tmp_path, used, key, url, mistake
):
    url = url.format(folder=tmp_path)
    said = {"state": url} if key == "state" else {"cache": {"state": url}}
    (problem,) = await problems(File(tmp_path, **used, **said))
    assert f": {key}: {mistake}" in problem
    assert "hunter2" not in problem


CACHED = {"methods": ["*"], "cache": {"ttl": "1m"}}


@pytest.fixture
def other_redis(tmp_path):
    """Another server."""
    (tmp_path / "other").mkdir()
    with running(tmp_path / "other") as server:
        yield server


async def test_replies_may_be_kept_in_a_redis_of_their_own(start, redis_url, other_redis):
    limit = {"name": "all", "rate": "3/h", "key": "all"}
    policies = [{"methods": ["*"], "rate_limits": [limit]}, CACHED]
    app = await start(state=redis_url, cache={"state": other_redis.url}, policies=policies)
    assert len(clients(app)) == 2
    other_redis.kill()
    assert await admitted(app) == 3
    assert [each.available for each in clients(app)].count(True) == 1


@pytest.mark.parametrize(
    ("state", "cache", "count"),
    [
        pytest.param("{redis}", {}, 1, id="as-state-if-nothing-is-said"),
        pytest.param("{redis}", {"state": "{redis}"}, 1, id="the-same"),
        pytest.param("memory", {"state": "{redis}"}, 1, id="only-replies-are-shared"),
        pytest.param("{redis}", {"state": "memory"}, 0, id="replies-in-memory"),
    ],
)
async def test_which_state_the_cache_uses(start, redis_url, state, cache, count):
    app = await start(
        state=state.format(redis=redis_url),
        cache={key: value.format(redis=redis_url) for key, value in cache.items()},
        policies=[CACHED],
    )
    assert len(clients(app)) == count


async def test_a_redis_that_is_full_of_replies_does_not_refuse_callers(start, own_redis):
    own_redis.ask("CONFIG", "SET", "maxmemory", "2mb")
    limit = {"name": "all", "rate": "1000/h", "key": "all", "on_error": "deny"}
    policies = [{"methods": ["*"], "rate_limits": [limit]}, CACHED]
    app = await start(state=own_redis.url, policies=policies)
    (cache,) = (each for key, each in app.current.taken.used.items() if key[0] == "redis cache")
    for number in range(500):
        key = number.to_bytes(24, "big")
        cache.put(key, os.urandom(8192), seconds=600, group="g", tags=[f"product:{number}"])
        if number % 10 == 0:
            assert await admitted(app, 1) == 1
    await cache.close()
    assert await admitted(app, 100) == 100


def test_what_names_no_redis_does_not_import_it():
    code = "import sys, gateway.app, gateway.app.state; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
