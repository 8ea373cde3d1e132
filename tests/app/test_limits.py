"""What a config's limits make of a method."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gateway.app import build
from gateway.app.lasting import Lasting
from gateway.app.limits import numbers_of
from gateway.app.pool import UpstreamPool
from gateway.call import Call, Principal, RpcError
from gateway.config import Rate, from_mapping
from gateway.config.models import RateLimit
from gateway.policies.limits.ask import Algorithm
from gateway.policies.limits.charging import Charging
from gateway.policies.limits.gate import RateLimits
from gateway.policies.limits.messages import MessageLimits
from gateway.state.table import Table
from gateway.supervisor.memory import SharedMemory

UNARY, OTHER, STREAM = "x.v1.S/Get", "x.v1.T/Get", "x.v1.T/Watch"
ADA = Principal("ada", "customers")


def limits(*given, methods="*"):
    return {"methods": [methods], "rate_limits": list(given)}


def limit(name="user", rate="3/h", **given):
    return {"name": name, "rate": rate, **given}


def kinds(generation, method):
    policies = generation.methods[method].policies
    return [type(each) for each in policies if "limits" in type(each).__module__]


def gate(generation, method):
    return next(x for x in generation.methods[method].policies if isinstance(x, RateLimits))


def admitted(generation, method, count=10, **given):
    """How many calls are let through."""
    through = 0
    for _ in range(count):
        try:
            gate(generation, method).admit(Call(method, **given))
        except RpcError as failure:
            assert failure.reason in ("RATE_LIMITED", "QUOTA_EXCEEDED")
        else:
            through += 1
    return through


async def test_a_method_without_limits_has_no_policy(built):
    generation = await built(policies=[limits(limit(), methods=UNARY)])
    assert kinds(generation, UNARY) == [RateLimits]
    assert kinds(generation, OTHER) == []


async def test_a_limit_that_is_taken_back_is_none(built):
    policies = [limits(limit()), limits(limit(rate="unlimited"), methods=UNARY)]
    generation = await built(policies=policies)
    assert kinds(generation, UNARY) == []
    assert kinds(generation, OTHER) == [RateLimits]


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        ({"calls": "10/d"}, [RateLimits]),
        ({"messages": "10/d"}, [RateLimits, Charging]),
        ({"bytes": "unlimited"}, []),
    ],
)
async def test_a_plan_with_quotas_limits_all_methods(built, quotas, expected):
    generation = await built(plans={"free": {"quotas": quotas}})
    assert kinds(generation, UNARY) == kinds(generation, STREAM) == expected


async def test_messages_are_limited_where_there_are_streams(built):
    generation = await built(policies=[limits(limit(messages=True))])
    assert kinds(generation, UNARY) == [RateLimits]
    assert kinds(generation, STREAM) == [RateLimits, MessageLimits]


async def test_methods_of_one_policy_share(built):
    generation = await built(policies=[limits(limit())])
    assert admitted(generation, UNARY, 2) == 2
    assert admitted(generation, OTHER) == 1


async def test_an_override_has_its_own_shares(built):
    policies = [limits(limit()), limits(limit(rate="4/h"), methods=UNARY)]
    generation = await built(policies=policies)
    assert admitted(generation, UNARY) == 4
    assert admitted(generation, OTHER) == 3


async def test_two_policies_may_count_one_name_by_different_keys(built):
    policies = [limits(limit()), limits(limit(key="all"), methods=UNARY)]
    generation = await built(policies=policies)
    assert [admitted(generation, UNARY, peer=each) for each in "ab"] == [3, 0]
    assert [admitted(generation, OTHER, peer=each) for each in "ab"] == [3, 3]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [("free", 1), ("pro", 10), ("other", 3), (None, 3), ("unknown", 3)],
)
async def test_plans_choose_the_numbers(built, plan, expected):
    plans = {
        "free": {"rate_limits": {"user": "1/h"}},
        "pro": {"rate_limits": {"user": "unlimited"}},
        "other": {},
    }
    generation = await built(policies=[limits(limit(burst=3))], plans=plans)
    caller = Principal("ada", "customers", plan=plan)
    assert admitted(generation, UNARY, principal=caller) == expected


async def test_a_plan_that_nobody_knows_is_told_once(built, caplog):
    plans = {"free": {"rate_limits": {"user": "1/h"}}}
    generation = await built(policies=[limits(limit())], plans=plans)
    for plan in ("gold", "gold", "x" * 1000):
        admitted(generation, UNARY, 1, principal=Principal("ada", "customers", plan=plan))
    told = [each for each in caplog.records if each.name == "gateway.limits"]
    assert [each.levelno for each in told] == [logging.WARNING] * 2
    assert told[0].getMessage() == "callers have a plan 'gold' that `plans` does not have"
    assert len(told[1].getMessage()) < 200


@pytest.mark.parametrize(
    ("given", "rate", "plans", "burst"),
    [
        pytest.param({}, Rate(100, 1), False, 100, id="as-many-as-the-rate-has"),
        pytest.param({"burst": 200}, Rate(100, 1), False, 200, id="as-the-policy-says"),
        pytest.param({"burst": 200}, Rate(10, 1), True, 10, id="of-a-plan-as-its-rate"),
    ],
)
def test_the_numbers_of_a_share(given, rate, plans, burst):
    limit = RateLimit(name="user", rate=str(rate), **given)
    numbers = numbers_of(limit, rate, plans=plans)
    assert numbers == (Algorithm.TOKEN_BUCKET, rate.count, 1.0, burst)


# What outlives a generation.


async def generations(tmp_path, lasting, *policies, second=None):
    """Builds one generation after another, over what lasts; with other sections from the second."""
    (tmp_path / "x.proto").write_text(
        'syntax = "proto3"; package x.v1; message M {} '
        "service S { rpc Get(M) returns (M); rpc Watch(M) returns (stream M); }"
    )
    for number, each in enumerate(policies):
        data = {
            "schema": {"protos": ["."]},
            "upstreams": {"x": {"services": ["x.v1.*"], "endpoints": ["127.0.0.1:1"]}},
            "policies": each,
            **(second or {} if number else {}),
        }
        pool = UpstreamPool()
        loaded = from_mapping(data, origin="test", directory=tmp_path)
        generation = await build(loaded, pool, lasting=lasting)
        await lasting.open(generation.taken)
        await lasting.settle(generation.taken)
        yield generation
        await pool.close(0)


async def test_a_limit_that_is_as_before_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lasting = Lasting()
    same, another = [limits(limit())], [limits(limit(rate="4/h"))]
    found = [
        admitted(each, UNARY, 2)
        async for each in generations(tmp_path, lasting, same, same, another, same)
    ]
    assert found == [2, 1, 2, 0]
    await lasting.close()


async def test_calls_that_wait_for_a_limit_are_counted_over_a_reload(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lasting = Lasting()
    delays = [limits(limit(rate="1/h", on_limit="delay", max_delay="1s"))]
    another = [limits(limit(rate="2/h", on_limit="delay", max_delay="1s"))]
    found = []
    async for each in generations(tmp_path, lasting, delays, delays, another):
        (allowance,) = gate(each, UNARY)._plans.all
        (room,) = allowance.rooms
        found.append(room.waiting)
        room.waiting += 1
    assert found == [0, 1, 0]
    await lasting.close()


@pytest.mark.parametrize(
    "after",
    [
        pytest.param({"policies": []}, id="without-limits"),
        pytest.param({"limits": {"keys": 2000}}, id="with-another-table"),
    ],
)
async def test_a_stream_whose_messages_are_limited_goes_on_over_a_reload(
    tmp_path, monkeypatch, after
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gateway.app.lasting._GRACE", 0)
    lasting = Lasting()
    before, method = [limits(limit(messages=True))], "x.v1.S/Watch"
    built = generations(tmp_path, lasting, before, before, second=after)
    policies = [each.methods[method].policies async for each in built]
    running = next(each for each in policies[0] if isinstance(each, MessageLimits))
    await asyncio.sleep(0.01)  # the grace is over
    call = Call(method)
    for _ in range(3):
        await running.charge(call)
    with pytest.raises(RpcError) as caught:
        await running.charge(call)
    assert caught.value.reason == "RATE_LIMITED"
    await lasting.close()


async def test_processes_that_share_memory_share_limits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    memory = SharedMemory(1000)
    policies = [limits(limit())]
    found = []
    for _ in range(2):
        lasting = Lasting(memory.fileno())
        async for each in generations(tmp_path, lasting, policies):
            found += [admitted(each, UNARY, 2)]
        await lasting.close()
    assert found == [2, 1]
    table = Table.attach(memory.fileno())
    assert len(table) == 1
    table.close()
    memory.close()
