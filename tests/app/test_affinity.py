"""What a config's affinity makes of a method: a gate where there is a cookie, and keys of calls."""

from __future__ import annotations

import pytest

from gateway.app import BuildError, build
from gateway.app.id_cookies import id_cookies
from gateway.app.pool import UpstreamPool
from gateway.call import Call
from gateway.config import from_mapping
from gateway.http import Headers, Request
from gateway.policies.affinity import Affinity

PROTO = """syntax = "proto3"; package x.v1;
message Whose { string user_id = 1; }
message Asked { string id = 1; Whose whose = 2; }
message M {}
service S { rpc Get(Asked) returns (M); rpc Ping(M) returns (M); rpc Watch(Asked) returns (stream M); }
service T { rpc Get(M) returns (M); }
"""
GET, PING, WATCH, OTHER = "x.v1.S/Get", "x.v1.S/Ping", "x.v1.S/Watch", "x.v1.T/Get"
ID = "AAECAwQFBgcICQoLDA0ODw"


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Builds a generation whose service S has an upstream that is said more of.

    Policies may send calls elsewhere, to an upstream of no service.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.proto").write_text(PROTO)

    async def made(upstream, policies=(), *, elsewhere=None, **others):
        def shop(service, port, more):
            return {"services": [service], "endpoints": [f"127.0.0.1:{port}"], **more}

        upstreams = {"s": shop("x.v1.S", 1, upstream), "t": shop("x.v1.T", 2, others)}
        if elsewhere is not None:
            upstreams["e"] = {"endpoints": ["127.0.0.1:3"], **elsewhere}
        data = {
            "schema": {"protos": ["."]},
            "upstreams": upstreams,
            "policies": list(policies),
        }
        pool = UpstreamPool()
        try:
            return await build(from_mapping(data, origin="test", directory=tmp_path), pool)
        finally:
            await pool.close(0)

    return made


def gates(generation, method):
    return [each for each in generation.methods[method].policies if isinstance(each, Affinity)]


def sticky(generation, name):
    return generation.lease.upstreams[name].spec.balancing.sticky


async def test_a_cookie_is_looked_for_last_and_at_its_own_upstream_only(made):
    generation = await made({"affinity": {"cookie": "stay"}})
    for method in (GET, PING, WATCH):
        assert [generation.methods[method].policies[-1]] == gates(generation, method)
    assert gates(generation, OTHER) == []
    assert id_cookies(generation.config)


async def test_fronts_know_the_cookies_in_which_a_call_may_give_an_id(made):
    route = [{"route": [{"upstream": "s", "header": {"x-way": "s"}}], "methods": [OTHER]}]
    generation = await made({"affinity": {"cookie": "stay"}}, affinity={"cookie": "other"})
    assert [each.name for each in generation.methods[WATCH].cookies] == ["stay"]
    assert [each.name for each in generation.methods[OTHER].cookies] == ["other"]
    routed = await made({"affinity": {"cookie": "stay"}}, policies=route)
    assert [each.name for each in routed.methods[OTHER].cookies] == ["stay"]


async def test_without_affinity_nobody_looks(made):
    generation = await made({"balancing": {"policy": "ring_hash", "hash_on": "peer"}})
    assert gates(generation, GET) == []
    assert not id_cookies(generation.config)


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        pytest.param({"affinity": {"cookie": "stay"}}, True, id="cookie"),
        pytest.param({"affinity": {"on": "principal"}}, True, id="principal"),
        pytest.param({"balancing": {"policy": "maglev", "hash_on": "peer"}}, False, id="maglev"),
        pytest.param({}, False, id="nothing"),
    ],
)
async def test_affinity_holds_whatever_the_policy(made, upstream, expected):
    assert sticky(await made(upstream), "s") is expected


async def test_each_upstream_has_its_own_cookie(made):
    generation = await made(
        {"affinity": {"cookie": "a", "ttl": "90s"}}, affinity={"cookie": "b", "ttl": "100ms"}
    )
    call = Call(OTHER, head=Request("GET", "/", None, Headers([("cookie", f"a={ID}")])))
    gates(generation, OTHER)[0].admit(call)
    assert call.affinity == ""
    gates(generation, GET)[0].admit(call)
    assert call.affinity == ID
    ages = {each.name: each.max_age for each in id_cookies(generation.config)}
    assert ages == {"a": 90, "b": 1}


async def test_one_cookie_of_two_upstreams_is_one(made):
    cookie = {"cookie": "a", "ttl": "1m"}
    generation = await made({"affinity": cookie}, affinity=cookie)
    assert [(each.name, each.max_age) for each in id_cookies(generation.config)] == [("a", 60)]


async def test_methods_without_the_field_are_noted(made):
    generation = await made({"affinity": {"on": "field:whose.user_id"}})
    (note,) = generation.notes
    assert note == (
        "test: upstreams.s.affinity.on: without effect on x.v1.S/Ping, x.v1.S/Watch: "
        "x.v1.M has no field whose"
    )


@pytest.mark.parametrize(
    ("upstream", "line"),
    [
        pytest.param(
            {"affinity": {"on": "field:whose.name"}},
            "test: upstreams.s.affinity.on: x.v1.Whose has no field name (x.v1.S/Get, "
            "x.v1.S/Ping, x.v1.S/Watch)",
            id="affinity",
        ),
        pytest.param(
            {"balancing": {"policy": "maglev", "hash_on": "field:whose"}},
            "test: upstreams.s.balancing.hash_on: whose is a message; expected a number, text, "
            "bytes, bool or enum that is not repeated (x.v1.S/Get, x.v1.S/Ping, x.v1.S/Watch)",
            id="hash",
        ),
    ],
)
async def test_a_field_that_no_method_has_is_wrong(made, upstream, line):
    with pytest.raises(BuildError) as caught:
        await made(upstream)
    assert caught.value.problems == (line,)


SENDS = [
    pytest.param({"route": [{"upstream": "e", "header": {"x-a": "1"}}]}, id="route"),
    pytest.param({"split": [{"upstream": "e", "percent": 5}]}, id="split"),
    pytest.param({"mirror": {"upstream": "e"}}, id="mirror"),
]


@pytest.mark.parametrize("policy", SENDS)
async def test_a_field_is_looked_for_where_policies_send_calls(made, policy):
    with pytest.raises(BuildError) as caught:
        await made(
            {},
            [{"methods": ["x.v1.S/*"], **policy}],
            elsewhere={"affinity": {"on": "field:whose.name"}},
        )
    (line,) = caught.value.problems
    assert line == (
        "test: upstreams.e.affinity.on: x.v1.Whose has no field name (x.v1.S/Get, x.v1.S/Ping, "
        "x.v1.S/Watch)"
    )


@pytest.mark.parametrize("policy", SENDS)
async def test_methods_that_are_sent_there_and_lack_the_field_are_noted(made, policy):
    generation = await made(
        {}, [{"methods": ["x.v1.S/*"], **policy}], elsewhere={"affinity": {"on": "field:id"}}
    )
    assert (
        "test: upstreams.e.affinity.on: without effect on x.v1.S/Ping, x.v1.S/Watch: x.v1.M has "
        "no field id"
    ) in generation.notes
