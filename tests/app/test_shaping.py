"""Where calls go and what is made of them in a generation: where each policy stands, what is told."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.app import build, chains, choice
from gateway.app.build_error import BuildError
from gateway.app.lasting import Lasting
from gateway.app.onward import Ways
from gateway.app.pool import UpstreamPool
from gateway.call import Call, Code, RpcError
from gateway.config import from_mapping
from gateway.policies.cache.cache import Cache
from gateway.policies.choose_upstream import ChooseUpstream
from gateway.policies.deadline import DeadlineGate
from gateway.policies.deprecated import Deprecated
from gateway.policies.elsewhere import Elsewhere
from gateway.policies.faults import InjectFaults
from gateway.policies.mirror import Mirror
from gateway.upstream.manner import Repeats
from gateway.upstream.upstream import Upstream

GET, PUT, WATCH = "x.v1.T/Get", "x.v1.T/Put", "x.v1.T/Watch"
PROTO = """syntax = "proto3"; package x.v1; message M { string id = 1; }
message N { int32 number = 1; }
service T {
  rpc Get(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Put(N) returns (M);
  rpc Watch(M) returns (stream M);
}
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Builds a generation with a policy for all methods, and ends what it has begun."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.proto").write_text(PROTO)

    async def load(policy, *others, upstreams=None, lasting=None, **sections):
        given = {
            "own": {"services": ["x.v1.*"], "endpoints": ["127.0.0.1:1"]},
            "canary": {"endpoints": ["127.0.0.1:2"]},
            "next": {"endpoints": ["127.0.0.1:3"]},
        }
        for name, more in (upstreams or {}).items():
            given[name] |= more
        # Each is named, wherever the policy sends calls.
        named = {"methods": ["*"], "split": [{"upstream": each, "percent": 0} for each in given]}
        data = {
            "schema": {"protos": ["."]},
            "upstreams": given,
            "policies": [named, {"methods": ["*"], **policy}, *others],
            **sections,
        }
        pool = UpstreamPool()
        try:
            loaded = from_mapping(data, origin="test", directory=tmp_path)
            return await build(loaded, pool, lasting=lasting)
        finally:
            await pool.close(0)

    return load


def names(generation, method=GET):
    return [type(each).__name__ for each in generation.methods[method].policies]


def of(generation, kind, method=GET):
    return next(each for each in generation.methods[method].policies if isinstance(each, kind))


async def wrong(load, policy, *others):
    with pytest.raises(BuildError) as caught:
        await load(policy, *others)
    return str(caught.value)


async def test_a_method_that_shapes_nothing_has_nothing_of_it(load):
    assert names(await load({"timeout": "1s"})) == ["DeadlineGate"]


async def test_all_of_it_stands_in_its_place(load):
    policy = {
        "split": [{"upstream": "canary", "percent": 5}],
        "mirror": {"upstream": "next"},
        "deprecated": {"sunset": "2027-06-30"},
        "faults": {"code": "ABORTED", "percent": 5},
        "cache": {"ttl": "1m"},
        "concurrency": 3,
    }
    generation = await load(policy)
    assert names(generation) == [
        "DeadlineGate", "Deprecated", "InjectFaults", "ChooseUpstream", "Cache", "Mirror",
        "Elsewhere", "DeadlineGate", "Bound",
    ]  # fmt: skip
    stream = names(generation, WATCH)
    assert "Mirror" not in stream
    assert stream[-3:] == ["Elsewhere", "DeadlineGate", "Bound"]


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        pytest.param({}, [], id="none-of-the-methods"),
        pytest.param({"concurrency": 2}, ["Bound"], id="that-of-its-upstream"),
        pytest.param({"affinity": {"cookie": "stay"}}, ["Affinity"], id="a-client-is-known"),
    ],
)
async def test_copies_pass_what_is_of_their_upstream(load, monkeypatch, upstream, expected):
    ways = []
    monkeypatch.setattr(chains, "Ways", lambda **given: ways.append(Ways(**given)) or ways[-1])
    policy = {
        "mirror": {"upstream": "next"},
        "split": [{"upstream": "canary", "percent": 5}],
        "concurrency": 3,
    }
    on = {"adaptive_concurrency": {"enabled": True}}
    generation = await load(policy, upstreams={"next": upstream}, **on)
    assert [name for name in names(generation) if name in ("AdaptiveConcurrency", "Bound")] == [
        "AdaptiveConcurrency",
        "Bound",
    ]
    copies = ways[0].copies("next")
    assert [type(each).__name__ for each in copies.policies] == expected


@pytest.mark.parametrize(
    ("upstream", "key"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param(
            {"balancing": {"policy": "ring_hash", "hash_on": "peer"}}, b"a9:192.0.2.1", id="a-ring"
        ),
        pytest.param({"affinity": {"cookie": "stay"}}, b"kept", id="an-id"),
    ],
)
async def test_copies_go_where_calls_of_the_client_would_and_once(load, monkeypatch, upstream, key):
    manners, taking = [], Upstream.taking

    def seen(upstream, manner):
        if upstream.name == "next":
            manners.append(manner)
        return taking(upstream, manner)

    monkeypatch.setattr(Upstream, "taking", seen)
    await load({"mirror": {"upstream": "next"}}, upstreams={"next": upstream})
    assert {each.repeats for each in manners} == {Repeats.NEVER}
    call = Call(GET, peer="192.0.2.1", affinity="kept")
    of_copies = manners[-2:]  # of both unary methods; before, the upstream's own
    assert [each.key and each.key(call) for each in of_copies] == [key] * 2


async def test_each_upstream_has_its_own_time(load):
    policy = {"timeout": "4s", "split": [{"upstream": "canary", "percent": 5}]}
    upstreams = {"own": {"timeout": "3s"}, "canary": {"timeout": "10s"}}
    generation = await load(policy, upstreams=upstreams)
    now = asyncio.get_running_loop().time()
    gates = [each for each in generation.methods[GET].policies if isinstance(each, DeadlineGate)]
    left = []
    for gate in gates:
        call = Call(GET)
        gate.admit(call)
        left.append(round(call.deadline.at - now))
    assert left == [4, 3]  # wherever it goes; to its own


async def test_without_a_deadline_of_one_there_is_none_for_all(load):
    policy = {"split": [{"upstream": "canary", "percent": 5}]}
    generation = await load(policy, upstreams={"own": {"stream_timeout": "3s"}})
    call = Call(WATCH)
    of(generation, DeadlineGate, WATCH).admit(call)
    assert call.deadline is None


async def test_rules_choose_by_what_is_asked(load):
    route = [{"upstream": "canary", "when": "request.id == 'c' && method.endsWith('Get')"}]
    named = {"methods": [PUT, WATCH], "route": []}
    generation = await load({"route": route}, named)
    gate = of(generation, ChooseUpstream)
    for request, upstream in ((b"\n\x01c", "canary"), (b"\n\x01d", "")):
        call = Call(GET, request)
        gate.admit(call)
        assert call.upstream == upstream
    assert "ChooseUpstream" not in names(generation, PUT)


async def test_the_services_own_upstream_can_be_named(load):
    generation = await load({"route": [{"upstream": "own", "header": {"x-a": "1"}}],
                             "split": [{"upstream": "canary", "percent": 100}]})  # fmt: skip
    call = Call(GET)
    of(generation, ChooseUpstream).admit(call)
    assert call.upstream == "canary"
    assert of(generation, Elsewhere).describe().startswith("Sends calls for canary there")


async def test_a_rule_that_does_not_compile_is_named_once_for_its_methods(load):
    text = await wrong(load, {"route": [{"upstream": "canary", "when": "request.idd == 'c'"}]})
    (line,) = text.splitlines()
    assert "policies.1.route.0.when: " in line
    assert all(name in line for name in (GET, PUT, WATCH))


@pytest.mark.parametrize("when", ["request.idd == 'c'", "request.id == 'c'"], ids=["get", "watch"])
async def test_a_rule_that_does_not_compile_takes_no_call(load, monkeypatch, when):
    made, policies = [], choice._Choosing.policies
    monkeypatch.setattr(
        choice._Choosing,
        "policies",
        lambda *given: [made.append(each) or each for each in policies(*given)],
    )
    await wrong(load, {"route": [{"upstream": "canary", "when": when}]})
    call = Call(WATCH)
    made[-1].admit(call)
    assert call.upstream == ""


async def test_a_streams_upstream_is_chosen_before_its_messages(load):
    text = await wrong(
        load,
        {"timeout": "1s"},
        {
            "methods": [WATCH],
            "route": [{"upstream": "canary", "when": "request.id == 'c'"}],
        },
    )
    assert "policies.2.route.0.when: the upstream of a stream is chosen before its first" in text


async def test_a_mirror_of_a_stream_that_is_named_is_wrong(load):
    text = await wrong(
        load, {"timeout": "1s"}, {"methods": [WATCH], "mirror": {"upstream": "next"}}
    )
    assert f"policies.2.mirror: {WATCH}: streams are not copied; expected unary methods" in text


async def test_what_a_glob_of_a_mirror_finds_is_noted(load):
    notes = (await load({"mirror": {"upstream": "next"}})).notes
    said = [each.partition("mirror: ")[2] for each in notes if "policies.1.mirror" in each]
    assert said == [
        f"without effect on {WATCH}: streams are not copied",
        f"calls of {PUT} may change something, and are made twice",
    ]


async def test_faults_that_are_on_are_warned_of(load):
    faults = {"delay": "100ms", "code": "ABORTED", "percent": 2.5}
    generation = await load({"faults": faults})
    (warning,) = [each for each in generation.warnings if "faults" in each]
    assert warning.endswith(
        "policies.1.faults: on purpose, 2.5 % of the calls are delayed by 100 ms and fail with "
        f"ABORTED: {GET}, {PUT}, {WATCH}"
    )


async def test_faults_of_no_share_are_off(load):
    generation = await load({"faults": {"code": "ABORTED"}})
    assert not [each for each in generation.warnings if "faults" in each]
    assert "InjectFaults" not in names(generation)


async def test_a_fault_asks_no_backend_and_no_cache(load):
    policy = {"faults": {"code": "ABORTED", "percent": 100}, "cache": {"ttl": "1m"}}
    generation = await load(policy)
    with pytest.raises(RpcError) as caught:
        await generation.methods[GET].call(Call(GET))
    assert caught.value.status.code is Code.ABORTED
    kinds = [type(each) for each in generation.methods[GET].policies]
    assert kinds.index(InjectFaults) < kinds.index(Cache)


async def test_without_a_day_it_is_deprecated_since_it_was_first_said(load):
    today = int(time.time() // 86400 * 86400)
    call = Call(GET)
    of(await load({"deprecated": {"link": "/v2"}}), Deprecated).admit(call)
    assert today <= int(call.reply_headers["deprecation"][1:]) <= today + 86400


async def test_no_end_comes_before_its_decline(load):
    call = Call(GET)
    of(await load({"deprecated": {"sunset": "2020-01-01"}}), Deprecated).admit(call)
    assert call.reply_headers["deprecation"] == "@1577836800"


async def test_clients_see_what_goes_away(load):
    given = {"since": "2026-06-30", "sunset": "2027-06-30", "link": "/v2"}
    generation = await load({"timeout": "1s"}, {"methods": [GET], "deprecated": given})
    said = "Deprecated since 2026-06-30; may be gone from 2027-06-30; see /v2"
    assert generation.methods[GET].descriptor.deprecation == said
    assert generation.graphql.graph.schema.query_type.fields["get"].deprecation_reason == said
    assert not generation.methods[PUT].descriptor.deprecated


async def test_the_cache_tells_by_which_headers_upstreams_are_chosen(load):
    policy = {
        "cache": {"ttl": "1m", "shared": True},
        "route": [{"upstream": "next", "header": {"X-Next": "1"}}],
        "split": [
            {"upstream": "canary", "percent": 5, "hash_on": "cookie:sid"},
            {"upstream": "next", "percent": 5, "hash_on": "header:X-User"},
        ],
    }
    cache = of(await load(policy, headers={"request": {"allow": []}}), Cache)
    assert cache._keeping.told._vary == "cookie, x-next, x-user"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        pytest.param("principal.plan == 'gold'", {"cache-control": ""}, id="its caller"),
        pytest.param("peer.address == '::1'", {"cache-control": "private, "}, id="its address"),
        pytest.param("'a' in peer.certificate.dns", {"cache-control": "private, "}, id="its proof"),
        pytest.param(
            "metadata['baggage'] == 'a'",
            {"cache-control": "", "vary": "baggage"},
            id="what else only traces it",
        ),
    ],
)
async def test_other_caches_are_told_what_conditions_look_at(load, when, expected):
    policy = {
        "cache": {"ttl": "1m", "shared": True},
        "route": [{"upstream": "canary", "when": when}],
    }
    cache = of(await load(policy, headers={"request": {"allow": ["baggage"]}}), Cache)
    assert cache._keeping.told.by("", None) == expected


async def test_copies_go_on_over_reloads_and_end_when_nobody_sends_any(load):
    lasting, cancelled = Lasting(), []

    async def serving(policy):
        generation = await load(policy, lasting=lasting)
        await lasting.open(generation.taken)
        await lasting.settle(generation.taken)
        return generation

    mirror = {"mirror": {"upstream": "next"}}
    copies = of(await serving(mirror), Mirror)._copies
    copies.send(Call(GET), lambda call, done: lambda: cancelled.append(call.method))
    assert of(await serving(mirror | {"timeout": "1s"}), Mirror)._copies is copies
    assert (len(copies), cancelled) == (1, [])
    await serving({"timeout": "1s"})
    assert (len(copies), cancelled) == (1, [])  # calls of the generation before may still come
    await lasting.close()
    assert (len(copies), cancelled) == (0, [GET])
