"""Options in protos below the policies of the config: what holds, and what can't."""

from __future__ import annotations

import pytest

from gateway.app import BuildError
from gateway.config.effective import AUTHENTICATE, SCOPES
from gateway.policies.auth.authenticate import Authenticate
from gateway.policies.authorize import Authorize

# Those of the protos of the fixture `built`.
GET, PUT, OTHER, STREAM = "x.v1.S/Get", "x.v1.S/Put", "x.v1.T/Get", "x.v1.T/Watch"


async def problems(building):
    with pytest.raises(BuildError) as caught:
        await building
    return list(caught.value.problems)


def kinds(generation, method):
    return [type(each) for each in generation.methods[method].policies]


async def test_what_a_proto_says_holds(built):
    generation = await built()
    assert generation.settings[GET].authenticate == ("customers",)
    assert generation.settings[GET].where(AUTHENTICATE) == "x.proto:4"
    assert generation.settings[PUT].authenticate == ("none",)
    assert generation.settings[PUT].scopes == ("read",)
    gates = {
        type(each): each for each in generation.methods[GET].policies if hasattr(each, "admit")
    }
    assert gates[Authenticate].providers == ("customers",)
    assert Authorize in gates


async def test_a_policy_of_the_config_counts_more(built):
    policies = [{"methods": ["x.v1.S/*"], "authenticate": "partners", "authorize": {"scopes": []}}]
    generation = await built(policies=policies)
    assert generation.settings[PUT].authenticate == ("partners",)
    assert generation.settings[GET].scopes == ()
    assert generation.settings[GET].where(SCOPES).endswith(" policies.0.authorize.scopes")


async def test_a_method_of_which_nothing_is_said_is_closed(built):
    generation = await built()
    (gate,) = [each for each in generation.methods[OTHER].policies if hasattr(each, "providers")]
    assert gate.providers == ("customers", "partners")
    assert not gate.optional


async def test_an_unknown_provider_of_a_proto_is_an_error_at_its_line(built):
    assert await problems(built(providers=["customer"])) == [
        'x.proto:4: authenticate: no provider has the name "customers"; did you mean "customer"?'
    ]


async def test_what_a_proto_needs_is_an_error_without_providers(built):
    assert await problems(built(providers=())) == [
        'x.proto:4: authenticate: no provider has the name "customers"; expected one of none',
        "x.proto:4: authorize.scopes: there are no auth.providers: nobody has any",
    ]


async def test_a_policy_that_says_otherwise_heals_it(built):
    policies = [{"methods": ["x.v1.S/*"], "authenticate": "none", "authorize": {"scopes": []}}]
    generation = await built(providers=(), policies=policies)
    assert generation.methods.keys() == {GET, PUT, OTHER, STREAM}


async def test_options_of_what_is_not_served_do_no_harm(built):
    generation = await built(providers=["others"], services=["x.v1.T"])
    assert generation.methods.keys() == {OTHER, STREAM}


async def test_a_pattern_of_no_method_is_an_error(built):
    policies = [{"methods": ["x.v1.S/Gte"], "timeout": "1s"}]
    (line,) = await problems(built(policies=policies))
    assert line.endswith('no method matches "x.v1.S/Gte"; did you mean "x.v1.S/Get"?')


async def test_a_pattern_of_what_is_not_exposed_is_none(built):
    policies = [{"methods": ["x.v1.S/Get"], "timeout": "1s"}]
    schema = {"protos": ["."], "expose": ["x.v1.T"]}
    generation = await built(schema=schema, services=["x.v1.T"], policies=policies)
    assert generation.methods.keys() == {OTHER, STREAM}


@pytest.mark.parametrize(
    ("policies", "named"),
    [
        pytest.param([], [], id="none-since-scopes-are-asked"),
        pytest.param(
            [{"methods": ["*"], "authorize": {"scopes": []}}],
            ["x.v1.S: Put"],
            id="where-a-proto-opens-it",
        ),
        pytest.param(
            [{"methods": ["x.v1.T/*"], "authenticate": ["partners", "none"]}],
            ["x.v1.T: Get, Watch"],
            id="where-a-token-is-optional",
        ),
        pytest.param(
            [{"methods": ["*"], "authenticate": "none", "authorize": {"scopes": []}}],
            ["x.v1.S: Get, Put", "x.v1.T: Get, Watch"],
            id="all-of-them",
        ),
        pytest.param(
            [{"methods": ["*"], "authenticate": "none", "authorize": {"roles": ["staff"]}}],
            [],
            id="not-where-a-role-is-asked",
        ),
    ],
)
async def test_every_method_that_is_open_is_named_in_a_line_a_service(built, policies, named):
    warnings = [each for each in (await built(policies=policies)).warnings if "reachable" in each]
    lines = "".join(f"\n  {line}" for line in named)
    assert warnings == ([f"reachable without authentication:{lines}"] if named else [])


async def test_without_providers_none_is_named_as_all_are_open(built):
    policies = [{"methods": ["x.v1.S/*"], "authenticate": "none", "authorize": {"scopes": []}}]
    generation = await built(providers=(), policies=policies)
    assert not any("reachable" in each for each in generation.warnings)
    assert Authenticate not in kinds(generation, GET)
