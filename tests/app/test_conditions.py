"""Conditions in a config: compiled at the start, in the right place of the chain."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gateway.app import BuildError
from gateway.app.conditions import conditions
from gateway.config.effective import WHEN, Setting, Settings
from gateway.policies.authorize import Authorize
from gateway.policies.authorize_messages import AuthorizeMessages
from tests.policies.cel.shop import ORDER, POOL, SEALED

ITEM = "shop.Item"


def when(text, methods="*"):
    return {"methods": [methods], "authorize": {"when": text}}


def policies_of(generation, method):
    return [type(each) for each in generation.methods[method].policies]


async def problems(building):
    with pytest.raises(BuildError) as failure:
        await building
    return list(failure.value.problems)


async def test_a_condition_that_does_not_compile_is_an_error_at_its_place(built):
    policies = [when("true"), when("claims.a ==", "x.v1.T/*"), when("claims.a", "x.v1.S/Put")]
    second, first = await problems(built(policies=policies))  # in the order of the methods
    assert "policies.1.authorize.when: at column 12 of the condition: the condition ends" in first
    assert "policies.2.authorize.when" in second
    assert "of type dyn, not bool" in second


async def test_each_method_is_compiled_against_its_own_message(built):
    (problem,) = await problems(built(policies=[when("request.tenant == 'a'", "x.v1.T/Get")]))
    assert problem.endswith(
        "at column 9 of the condition: the request has no field tenant; x.v1.M has none "
        "(x.v1.T/Get)"
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("request.tenant == 'a'", "at column 9 of the condition: the request has no field tenant"),
        ("user == 'a'", "at column 1 of the condition: nothing has the name user"),
        ("claims.a", "the condition is of type dyn, not bool"),
    ],
)
async def test_what_is_wrong_for_many_methods_is_one_problem(built, text, what):
    (problem,) = await problems(built(policies=[when(text)]))
    assert what in problem
    assert problem.endswith(" (x.v1.S/Get, x.v1.S/Put, x.v1.T/Get and 1 more)")


def method(name, input_):
    return SimpleNamespace(name=name, input=input_)


def compiled(text, *methods):
    """What becomes of one condition over methods, which have these messages."""
    setting = Setting(text, "gateway.yaml:5:7", "policies.0.authorize.when")
    settings = {each.name: Settings({WHEN: setting}) for each in methods}
    return conditions(SimpleNamespace(pool=POOL), methods, settings)


def test_where_others_have_the_field_that_is_missing_the_methods_are_to_be_named():
    made = compiled(
        "request.total == 1", method("a.B/C", ORDER), method("a.B/D", SEALED), method("a.B/E", ITEM)
    )
    assert list(made.by_method) == ["a.B/C"]
    (problem,) = made.problems
    assert problem == (
        "gateway.yaml:5:7: policies.0.authorize.when: at column 9 of the condition: "
        "the request has no field total (a.B/D, a.B/E); "
        "requests of other methods have it: name those in methods"
    )


async def test_a_condition_on_the_caller_is_asked_at_once(built):
    generation = await built(policies=[when("claims.a == 1")])
    for method in ("x.v1.T/Get", "x.v1.T/Watch"):
        assert Authorize in policies_of(generation, method)
        assert AuthorizeMessages not in policies_of(generation, method)


async def test_one_on_the_request_is_asked_at_each_message_of_a_stream(built):
    generation = await built(policies=[when("request == request")])
    assert Authorize in policies_of(generation, "x.v1.T/Get")
    assert AuthorizeMessages not in policies_of(generation, "x.v1.T/Get")
    assert Authorize not in policies_of(generation, "x.v1.T/Watch")
    assert AuthorizeMessages in policies_of(generation, "x.v1.T/Watch")


async def test_scopes_are_asked_before_messages_are_looked_at(built):
    policy = {
        "methods": ["x.v1.T/Watch"],
        "authorize": {"scopes": ["a"], "when": "request != request"},
    }
    found = policies_of(await built(policies=[policy]), "x.v1.T/Watch")
    assert found.index(Authorize) < found.index(AuthorizeMessages)


async def test_a_condition_needs_no_providers(built):
    generation = await built(
        (), ("x.v1.T",), policies=[when("peer.address == '::1'", "x.v1.T/Get")]
    )
    assert Authorize in policies_of(generation, "x.v1.T/Get")
