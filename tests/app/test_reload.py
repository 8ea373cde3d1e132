"""Reload: the old generation ends when nothing uses it, and a failed one leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from pathlib import Path

import pytest
import trustme

from gateway.app import App, BuildError
from gateway.config import from_mapping

ROOT = Path(__file__).parents[2]


class File:
    """A config file that is rewritten."""

    def __init__(self):
        self.port = 1
        self.rules = []
        self.sections = {}

    def __call__(self):
        upstream = {"services": ["shop.*"], "endpoints": [f"127.0.0.1:{self.port}"]}
        data = {
            "listener": {"address": "127.0.0.1:0"},
            "admin": {"address": "127.0.0.1:0"},
            "schema": {"protos": [str(ROOT / "protos")], "http_rules": self.rules},
            "upstreams": {"shop": upstream},
            "graphql": {"joins": [], "operations": []},  # the example's need all of its services
            **self.sections,
        }
        return from_mapping(data, origin="test")


@pytest.fixture
async def app():
    made = App(File())
    await made.start(lambda _: None)
    yield made
    await made.stop()


def held(app):
    """What the current generation holds, to see when nobody holds it any more."""
    lease, registry = weakref.ref(app.current.lease), weakref.ref(app.current.registry)
    return lambda: (lease(), registry())


async def test_the_old_generation_ends_without_the_garbage_collector(app):
    # Its types and connections are large: they are not to wait for the collector.
    old = held(app)
    await app.reload()
    assert old() == (None, None)


async def test_what_uses_the_old_generation_keeps_it(app):
    in_flight, old = app.current.fronts.shared, held(app)
    await app.reload()
    assert old()[0] is in_flight.lease
    del in_flight
    assert old() == (None, None)


async def test_an_upstream_stays_and_an_endpoint_that_is_not_listed_any_more_is_closed(app):
    upstream = app.current.lease.upstreams["shop"]
    (before,) = upstream.nodes.values()
    await app.reload()
    assert app.current.lease.upstreams["shop"] is upstream
    assert list(upstream.nodes.values()) == [before]
    app._load.port = 2
    await app.reload()
    assert app.current.lease.upstreams["shop"] is upstream
    assert [str(each) for each in upstream.nodes] == ["127.0.0.1:2"]
    async with asyncio.timeout(20):
        while before.channel.state.value != "closed":
            await asyncio.sleep(0)


async def test_a_reload_that_fails_leaves_the_old_one_and_nothing_of_its_own(app):
    current, pool = app.current, app._pool
    app._load.port = 2
    same = {"get": "/v1/same"}
    app._load.rules = [
        {"selector": "shop.users.v1.UserService.WhoAmI", **same},
        {"selector": "shop.users.v1.UserService.ListUsers", **same},
    ]
    with pytest.raises(BuildError, match="bound twice"):
        await app.reload()
    assert app.current is current
    async with asyncio.timeout(20):
        while len(pool._open) > 1:
            await asyncio.sleep(0)
    assert list(pool._open.values()) == [current.lease.upstreams["shop"]]


async def test_the_codec_is_kept_while_the_types_and_their_json_are_the_same(app):
    codec = app.current.codec
    app._load.rules = [{"selector": "shop.users.v1.UserService.GetUser", "get": "/v2/users/{id}"}]
    await app.reload()
    assert app.current.codec is codec
    app._load.sections = {"rest": {"json": {"emit_defaults": True}}}
    await app.reload()
    assert app.current.codec is not codec


async def test_a_reload_to_nothing_is_refused(app):
    # So looks a file that is being written.
    app._load.sections = {"upstreams": {}}
    current = app.current
    with pytest.raises(BuildError, match="nothing would be served"):
        await app.reload()
    assert app.current is current


async def test_what_takes_a_restart_is_said_as_long_as_it_differs(app):
    app._load.sections = {"listener": {"address": "127.0.0.1:1"}, "workers": 3, "admin": False}
    assert (await app.reload()).later == ["listener.address", "workers", "admin"]
    app._load.sections = {}
    assert (await app.reload()).later == []


async def test_reloads_leave_nothing_behind(app):
    def parts():
        generation = app.current
        parts = (generation.lease, generation.registry, generation.codec, generation.identities)
        return [weakref.ref(part) for part in parts]

    gone = []
    for prefix in ("/a", "/b", "/a"):
        gone += parts()
        emits = {"json": {"emit_defaults": prefix == "/a"}}  # which has another codec made
        app._load.sections = {"rest": {"prefix": prefix, **emits}}
        await app.reload()
    gc.collect()
    kept = {id(part()) for part in parts()}
    assert not [part for ref in gone if (part := ref()) is not None and id(part) not in kept]


async def test_a_gateway_that_ends_while_a_reload_builds_begins_nothing_of_it(app):
    load, held = app._load, threading.Event()
    load.sections = {"usage": {"enabled": True}}

    def slowly():
        held.wait(20)
        return load()

    before, app._load = app.current, slowly
    reloading = asyncio.ensure_future(app.reload())
    await asyncio.sleep(0)
    await app.stop()
    held.set()
    with pytest.raises(BuildError, match="the gateway ends"):
        await reloading
    assert app.current is before
    assert not [each for each in asyncio.all_tasks() if "Meter" in repr(each)]


async def test_a_reload_to_a_resolver_keeps_the_endpoints_until_it_has_found_its_own(app, tmp_path):
    upstream = app.current.lease.upstreams["shop"]
    (before,) = upstream.nodes.values()
    path = tmp_path / "endpoints.yaml"
    path.write_text("- 127.0.0.1:1\n- {address: 127.0.0.1:2, weight: 3}\n")
    resolver = {"file": str(path), "refresh": "10ms"}
    resolved = {"shop": {"services": ["shop.*"], "resolver": resolver}}
    app._load.sections = {"upstreams": resolved}
    await app.reload()
    assert app.current.lease.upstreams["shop"] is upstream
    assert before in upstream.nodes.values()
    async with asyncio.timeout(20):
        while len(upstream.nodes) < 2:
            await asyncio.sleep(0)
    assert next(iter(upstream.nodes.values())) is before
    app._load.sections = {}
    await app.reload()
    assert list(upstream.nodes.values()) == [before]


async def test_a_reload_whose_file_of_endpoints_is_wrong_is_refused(app, tmp_path):
    current = app.current
    path = tmp_path / "endpoints.yaml"
    path.write_text("- 127.0.0.1\n")
    resolved = {"shop": {"services": ["shop.*"], "resolver": {"file": str(path)}}}
    app._load.sections = {"upstreams": resolved}
    with pytest.raises(BuildError, match=r"resolver\.file: endpoints\.yaml:1:3: endpoints\.0"):
        await app.reload()
    assert app.current is current


async def test_an_upstream_whose_tls_files_change_is_a_new_one_and_one_whose_do_not_stays(
    app, tmp_path
):
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    shop = {"services": ["shop.*"], "endpoints": ["127.0.0.1:1"], "tls": {"ca": str(path)}}
    app._load.sections = {"upstreams": {"shop": shop}}
    await app.reload()
    upstream = app.current.lease.upstreams["shop"]
    await app.reload()
    assert app.current.lease.upstreams["shop"] is upstream
    trustme.CA().cert_pem.write_to_path(path)
    said = [str(each) for each in (await app.reload()).effects]
    assert said == ["upstream shop: tls.ca: its file has changed"]
    newer = app.current.lease.upstreams["shop"]
    assert newer is not upstream
    path.write_text("no certificate")
    with pytest.raises(BuildError, match=r"upstreams\.shop\.tls"):
        await app.reload()
    assert app.current.lease.upstreams["shop"] is newer


async def test_a_generation_with_hosts_ends_without_the_garbage_collector_too():
    file = File()
    file.sections = {
        "hosts": {"a.example": {"services": ["shop.users.*"]}, "*.b.example": {}},
        "addresses": {"deny": ["203.0.113.0/24"]},
        "rest": {"versions": {"default": "v1", "header": "x-api-version"}},
    }
    app = App(file)
    await app.start(lambda _: None)
    try:
        old = held(app)
        await app.reload()
        assert old() == (None, None)
    finally:
        await app.stop()
