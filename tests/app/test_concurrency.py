"""Bounds on calls at a time in a generation: where they stand, and what a reload makes of them."""

from __future__ import annotations

import pytest

from gateway.app import build
from gateway.app.lasting import Lasting
from gateway.app.pool import UpstreamPool
from gateway.call import OK, Call, Outcome, Principal, RpcError
from gateway.config import from_mapping
from gateway.policies.adaptive.gate import AdaptiveConcurrency
from gateway.policies.concurrency import Bound, BoundOfEach

GET, OTHER, WATCH = "x.v1.T/Get", "x.v1.T/Other", "x.v1.T/Watch"
PROTO = """syntax = "proto3"; package x.v1; message M {}
service T {
  rpc Get(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Other(M) returns (M);
  rpc Watch(M) returns (stream M);
}
"""
ADAPTIVE = {"enabled": True, "max": 100}


class Reloading:
    """Generations one after the other, as an app has them."""

    def __init__(self, folder):
        self.folder = folder
        self.lasting = Lasting()
        self.pool = UpstreamPool()

    async def load(self, *policies, concurrency=None, **sections):
        """Returns the methods of the next generation."""
        shop = {"services": ["x.v1.*"], "endpoints": ["127.0.0.1:1"]}
        if concurrency:
            shop["concurrency"] = concurrency
        data = {
            "schema": {"protos": ["."]},
            "upstreams": {"x": shop},
            "policies": list(policies),
            **sections,
        }
        loaded = from_mapping(data, origin="test", directory=self.folder)
        generation = await build(loaded, self.pool, lasting=self.lasting)
        await self.lasting.open(generation.taken)
        await self.lasting.settle(generation.taken)
        return generation.methods


@pytest.fixture
async def app(tmp_path):
    (tmp_path / "x.proto").write_text(PROTO)
    made = Reloading(tmp_path)
    yield made
    await made.lasting.close()
    await made.pool.close(0)


def policy(*methods, **said):
    return {"methods": list(methods), **said}


def of(method, kind):
    return [each for each in method.policies if isinstance(each, kind)]


def names(method):
    return [type(each).__name__ for each in method.policies]


async def test_nothing_said_costs_nothing(app):
    methods = await app.load(policy("*", priority="high"))
    assert {tuple(names(each)) for each in methods.values()} == {("DeadlineGate",)}


async def test_a_callers_bound_is_before_the_cache_and_those_of_backends_behind(app):
    methods = await app.load(
        policy("*", concurrency=2, concurrency_per_principal=1, coalesce=True),
        concurrency=3,
        adaptive_concurrency=ADAPTIVE,
    )
    assert names(methods[GET]) == [
        *("DeadlineGate", "BoundOfEach", "Coalesce"),
        *("AdaptiveConcurrency", "Bound", "Bound"),
    ]


async def test_streams_have_no_adaptive_bound(app):
    methods = await app.load(policy("*", concurrency=2), adaptive_concurrency=ADAPTIVE)
    assert names(methods[WATCH]) == ["DeadlineGate", "Bound"]


async def test_a_methods_bound_is_its_own_and_an_upstreams_is_of_all(app):
    methods = await app.load(policy("*", concurrency=1))
    of(methods[GET], Bound)[0].admit(Call(GET))
    of(methods[OTHER], Bound)[0].admit(Call(OTHER))
    methods = await app.load(concurrency=1)
    of(methods[GET], Bound)[0].admit(Call(GET))
    with pytest.raises(RpcError):
        of(methods[WATCH], Bound)[0].admit(Call(WATCH))


async def test_a_reload_forgets_no_call_whatever_the_number(app):
    call = Call(GET, principal=Principal("ada", "keys"))
    old = await app.load(policy(GET, concurrency=1, concurrency_per_principal=1), concurrency=1)
    for each in old[GET].policies[1:]:
        each.admit(call)
    new = await app.load(policy(GET, concurrency=1, concurrency_per_principal=1), concurrency=1)
    for each in new[GET].policies[1:]:
        with pytest.raises(RpcError):
            each.admit(call)
    wide = await app.load(policy(GET, concurrency=2, concurrency_per_principal=2), concurrency=2)
    for each in wide[GET].policies[1:]:
        assert each.admit(Call(GET)) is None
    for each in old[GET].policies[1:]:
        each.ended(call, Outcome(OK))
    (method, _), (caller,) = of(wide[GET], Bound), of(wide[GET], BoundOfEach)
    assert method.admit(Call(GET)) is None
    assert caller.admit(Call(GET)) is None


async def test_what_was_learnt_goes_on_unless_its_settings_change(app):
    def turns(methods, method=GET):
        return of(methods[method], AdaptiveConcurrency)[0]._turns

    first = turns(await app.load(adaptive_concurrency=ADAPTIVE))
    methods = await app.load(policy(GET, priority="high"), adaptive_concurrency=ADAPTIVE)
    assert turns(methods) is turns(methods, OTHER) is first
    assert turns(await app.load(adaptive_concurrency={**ADAPTIVE, "max": 50})) is not first
