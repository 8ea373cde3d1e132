"""Conditions in a config: compiled at the start, in the right place of the chain."""

from __future__ import annotations

import pytest

from gateway.app import BuildError
from gateway.policies.authorize import Authorize
from gateway.policies.authorize_messages import AuthorizeMessages


def when(text, methods="*"):
    return {"methods": [methods], "authorize": {"when": text}}


def policies_of(generation, method):
    return [type(each) for each in generation.methods[method].policies]


async def test_a_condition_that_does_not_compile_is_an_error_at_its_place(built):
    policies = [when("true"), when("claims.a ==", "x.v1.T/*"), when("claims.a", "x.v1.S/Put")]
    with pytest.raises(BuildError) as failure:
        await built(policies=policies)
    second, first = failure.value.problems  # in the order of the methods
    assert "policies.1.authorize.when" in first
    assert "line 1, column 12: Syntax error" in first
    assert "policies.2.authorize.when" in second
    assert "of type dyn, not bool" in second


async def test_each_method_is_compiled_against_its_own_message(built):
    with pytest.raises(BuildError) as failure:
        await built(policies=[when("request.tenant == 'a'")])
    (problem,) = failure.value.problems
    assert "undefined field 'tenant' not found in struct 'x.v1.M'" in problem


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
