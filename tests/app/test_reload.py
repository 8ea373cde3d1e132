"""Reload: the old generation ends when nothing uses it, and a failed one leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from pathlib import Path

import pytest

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
    # The first one's objects are frozen: what a cycle of theirs held would be held for ever.
    old = held(app)
    await app.reload()
    assert old() == (None, None)


async def test_what_uses_the_old_generation_keeps_it(app):
    in_flight, old = app.current.shared, held(app)
    await app.reload()
    assert old()[0] is in_flight.lease
    del in_flight
    assert old() == (None, None)


async def test_an_unchanged_upstream_stays_and_a_changed_one_is_closed(app):
    before = app.current.lease.upstreams["shop"]
    await app.reload()
    assert app.current.lease.upstreams["shop"] is before
    app._load.port = 2
    await app.reload()
    assert app.current.lease.upstreams["shop"] is not before
    (channel,) = before.channels
    async with asyncio.timeout(20):
        while channel.state.value != "closed":
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
    assert await app.reload() == ["listener.address", "workers", "admin"]
    app._load.sections = {}
    assert await app.reload() == []


async def test_reloads_leave_nothing_behind(app):
    async def objects_after(reloads):
        for _ in range(reloads):
            app.current.codec.message("shop.catalog.v1.Product").transcode(b"")
            await app.reload()
        gc.unfreeze()
        gc.collect()
        return len(gc.get_objects())

    await objects_after(3)
    left = await objects_after(10) - await objects_after(1)
    assert left < len(app.current.methods), "less than one object a method, in ten reloads"


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
