"""Facts of real generations, and what differs between them."""

import dataclasses

from pydantic import SecretStr

from gateway.app.compatibility.compare import compare
from gateway.app.effects import Facts, effects_of, facts_of
from gateway.app.effects.facts import MethodFacts
from gateway.app.reach import Reach
from gateway.app.surface.reading import surface_of

NONE = [{"methods": ["x.v1.S/*"], "authenticate": "none", "authorize": {"scopes": []}}]


def lines(found):
    return [str(each) for each in found]


async def test_a_generation_and_itself_differ_in_nothing(built):
    made = await built()
    assert await effects_of(made, made) == []
    assert await effects_of(made, await built()) == []


async def test_nothing_of_the_generation_is_kept(built):
    facts = facts_of(await built())
    assert set(facts.methods) == {"x.v1.S/Get", "x.v1.S/Put", "x.v1.T/Get", "x.v1.T/Watch"}
    plain = (str, bytes, tuple, frozenset, dict, SecretStr, MethodFacts, Reach)
    for field in dataclasses.fields(Facts):
        value = getattr(facts, field.name)
        for each in value.values() if isinstance(value, dict) else [value]:
            assert isinstance(each, plain)


async def test_options_of_protos_and_policies_count_alike(built):
    found = facts_of(await built()).methods
    assert found["x.v1.S/Get"].reach.providers == {"customers"}
    assert found["x.v1.S/Get"].reach.scopes == {"read"}
    # Who shows nobody has no scopes.
    assert not found["x.v1.S/Put"].reach.anonymous
    assert found["x.v1.T/Get"].reach.providers == {"customers", "partners"}


async def test_a_policy_that_opens(built):
    opening = await effects_of(await built(), await built(policies=NONE))
    assert lines(each for each in opening if each.opens) == [
        "2 methods now anonymous: x.v1.S/Get, x.v1.S/Put",
        "2 methods no longer asking for the scopes read: x.v1.S/Get, x.v1.S/Put",
    ]


async def test_without_any_provider_all_is_anonymous(built):
    sections = {"schema": {"protos": ["."], "expose": ["x.v1.T"]}}
    before = await built(**sections, services=("x.v1.T",))
    after = await built((), **sections, services=("x.v1.T",))
    assert lines(each for each in await effects_of(before, after) if each.opens) == [
        "2 methods now anonymous: x.v1.T/Get, x.v1.T/Watch",
        "pages now anonymous: the OpenAPI document, the documentation, GraphiQL, introspection",
    ]


async def test_the_layout_of_a_condition_is_no_change_by_either_comparison(built):
    def conditional(when):
        return [{"methods": ["x.v1.T/*"], "authorize": {"when": when}}]

    before = await built(policies=conditional("principal.plan  == 'a  b'"))
    after = await built(policies=conditional("principal.plan\n== 'a  b'  // all\n"))
    assert await effects_of(before, after) == []
    assert compare(surface_of(before), surface_of(after)) == []


async def test_routes_the_graph_and_the_config(built):
    after = await built(rest={"prefix": "/api"}, graphql=False, adaptive_concurrency={"max": 9})
    found = lines(await effects_of(await built(), after))
    assert "4 routes added: POST /api/x.v1.S/Get, POST /api/x.v1.S/Put" in found[0]
    assert "GraphQL is now off" in found
    assert 'rest.prefix "" → /api' in found
    assert "adaptive_concurrency.max 1000 → 9" in found


async def test_what_a_message_is_made_of(built, tmp_path):
    before = await built()
    proto = tmp_path / "x.proto"
    proto.write_text(proto.read_text().replace("message M {}", "message M { string id = 1; }"))
    found = lines(await effects_of(before, await built()))
    assert "message x.v1.M: +id" in found


async def test_hosts_have_routes_of_their_own(built):
    before = await built(hosts={"a.example": {}})
    after = await built(hosts={"a.example": {}, "b.example": {"services": ["x.v1.T"]}})
    found = lines(await effects_of(before, after))
    assert "host b.example added" in found
    assert any("b.example: POST /x.v1.T/Get" in each for each in found)


async def test_who_shows_something_where_only_nobody_is_named_is_looked_at_by_all_providers(built):
    policy = {"methods": ["x.v1.T/*"], "authorize": {"roles": ["r"]}}
    before = await built(policies=[{**policy, "authenticate": "customers"}])
    after = await built(policies=[{**policy, "authenticate": "none"}])
    assert lines(each for each in await effects_of(before, after) if each.opens) == [
        "2 methods now for callers of partners too: x.v1.T/Get, x.v1.T/Watch"
    ]


async def test_a_service_of_no_host_is_reached_by_nobody_until_a_host_has_it(built):
    policies = [{"methods": ["x.v1.T/*"], "authenticate": "none"}]
    before = await built(policies=policies, hosts={"a.example": {"services": ["x.v1.S"]}})
    after = await built(policies=policies, hosts={"a.example": {}})
    assert lines(each for each in await effects_of(before, after) if each.opens) == [
        "2 new methods anonymous: x.v1.T/Get, x.v1.T/Watch"
    ]
