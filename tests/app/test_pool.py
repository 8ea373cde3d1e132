"""Upstreams outlive generations, and end when nobody holds them."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace

import pytest

from gateway.app.pool import UpstreamPool
from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.spec import ChannelSpec, UpstreamSpec


class FakeUpstream:
    def __init__(self, spec):
        self.spec = spec
        self.closed = asyncio.Event()
        self.grace = None
        self.configured = []

    def configure(self, spec):
        self.configured.append(spec)

    async def close(self, grace):
        self.grace = grace
        self.closed.set()


@pytest.fixture
async def pool():
    return UpstreamPool(FakeUpstream)


def spec(name, port=1):
    return UpstreamSpec(name, (Listing(Endpoint("127.0.0.1", port)),))


async def test_an_equal_spec_is_the_same_upstream(pool):
    first, second = pool.lease([spec("a")]), pool.lease([spec("a")])
    assert first.upstreams["a"] is second.upstreams["a"]


async def test_an_upstream_whose_channels_change_is_another_one(pool):
    first = pool.lease([spec("a")])
    second = pool.lease([replace(spec("a"), channel=ChannelSpec(connections=2))])
    assert first.upstreams["a"] is not second.upstreams["a"]


async def test_what_else_changes_is_taken_over_when_the_lease_is_settled(pool):
    first, changed = pool.lease([spec("a")]), spec("a", port=2)
    second = pool.lease([changed])
    upstream = second.upstreams["a"]
    assert first.upstreams["a"] is upstream
    assert upstream.configured == []
    second.settle()
    assert upstream.configured == [changed]


async def test_an_upstream_is_closed_when_its_last_lease_is_gone(pool):
    first, second = pool.lease([spec("a")]), pool.lease([spec("a")])
    upstream = first.upstreams["a"]
    del first
    gc.collect()
    await asyncio.sleep(0)
    assert not upstream.closed.is_set()
    del second
    gc.collect()
    await upstream.closed.wait()


async def test_only_what_no_lease_holds_is_closed(pool):
    old = pool.lease([spec("a"), spec("b")])
    a, b = old.upstreams["a"], old.upstreams["b"]
    new = pool.lease([spec("b"), spec("c")])
    del old
    gc.collect()
    await a.closed.wait()
    assert not b.closed.is_set()
    assert new.upstreams["b"] is b


async def test_a_spec_that_comes_back_after_its_end_is_made_anew(pool):
    lease = pool.lease([spec("a")])
    upstream = lease.upstreams["a"]
    del lease
    gc.collect()
    await upstream.closed.wait()
    assert pool.lease([spec("a")]).upstreams["a"] is not upstream


async def test_a_lease_that_fails_half_way_holds_nothing():
    made = []

    def build(spec):
        if spec.name == "bad":
            raise ValueError(spec.name)
        made.append(FakeUpstream(spec))
        return made[-1]

    pool = UpstreamPool(build)
    kept = pool.lease([spec("a")])
    with pytest.raises(ValueError, match="bad"):
        pool.lease([spec("a"), spec("b"), spec("bad")])
    a, b = made
    await b.closed.wait()
    assert not a.closed.is_set()
    del kept
    gc.collect()
    await a.closed.wait()


async def test_close_ends_all_with_its_grace(pool):
    lease = pool.lease([spec("a"), spec("b")])
    await pool.close(3)
    assert [each.grace for each in lease.upstreams.values()] == [3, 3]
    del lease
    gc.collect()
    await asyncio.sleep(0)
