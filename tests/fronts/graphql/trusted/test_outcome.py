"""What of an answer failed, and what a REST client is told of it."""

import json
import logging

import pytest
from graphql import GraphQLError

from gateway.call import Code, RpcError
from gateway.fronts.graphql.execute.trouble import Trouble
from gateway.fronts.graphql.plan.writing import InputError
from gateway.fronts.graphql.trusted.outcome import missing, rpc_error
from tests.fronts.graphql.trusted.shop import failure


def trouble(*path):
    return Trouble(failure(), [*reversed(path)], ())


@pytest.mark.parametrize(
    ("data", "path", "part"),
    [
        pytest.param({"a": None, "b": 1}, ["a"], ("a",), id="a-field"),
        pytest.param({"a": None, "b": 1}, ["a", "x", "y"], ("a",), id="null-went-up"),
        pytest.param({"a": {"x": None}}, ["a", "x"], ("a", "x"), id="below"),
        pytest.param({"a": [{"x": 1}, {"x": None}]}, ["a", 1, "x"], ("a", "x"), id="in-a-list"),
        pytest.param({"a": [1, None]}, ["a", 1, "x"], ("a",), id="an-item-of-a-list"),
    ],
)
def test_what_is_missing_is_the_nearest_null(data, path, part):
    assert missing(json.dumps(data), [trouble(*path)], ()) == (part,)


def test_a_part_is_named_once():
    data = json.dumps({"a": [{"x": None}, {"x": None}]})
    assert missing(data, [trouble("a", 0, "x"), trouble("a", 1, "x")], ()) == (("a", "x"),)


@pytest.mark.parametrize(
    ("data", "path", "required"),
    [
        pytest.param({"a": None, "b": 1}, ["a"], ("a",), id="itself"),
        pytest.param({"a": None, "b": 1}, ["a", "x"], ("a",), id="null-went-up"),
        pytest.param({"a": None, "b": 1}, ["a"], ("a", "x"), id="what-is-around-it"),
        pytest.param({"a": [{"x": None}], "b": 1}, ["a", 0, "x"], ("a", "x"), id="in-any-item"),
        pytest.param(None, ["a"], (), id="all"),
        pytest.param({"a": None, "b": None}, ["a"], (), id="nothing-is-left"),
    ],
)
def test_a_required_part_fails_with(data, path, required):
    with pytest.raises(RpcError) as raised:
        missing(json.dumps(data), [trouble(*path)], [required] if required else [])
    assert raised.value.status.code is Code.UNAVAILABLE


def test_what_is_below_a_required_part_may_fail():
    data = json.dumps({"a": {"x": None}})
    assert missing(data, [trouble("a", "x")], [("a",)]) == (("a", "x"),)


def test_null_without_an_error_is_an_answer():
    assert missing('{"a":null}', [], [("a",)]) == ()


@pytest.mark.parametrize(
    ("found", "code", "message"),
    [
        pytest.param(failure(Code.ABORTED, "No."), Code.ABORTED, "No.", id="a-call"),
        pytest.param(
            GraphQLError("Said.", extensions={"code": "NOT_FOUND"}),
            Code.NOT_FOUND,
            "Said.",
            id="an-extension-with-a-code",
        ),
        pytest.param(
            GraphQLError("Said.", extensions={"code": "OWN"}),
            Code.UNKNOWN,
            "Said.",
            id="an-extension-with-a-code-of-its-own",
        ),
        pytest.param(
            GraphQLError("wrapped", original_error=failure(Code.ABORTED, "No.")),
            Code.ABORTED,
            "No.",
            id="what-is-wrapped",
        ),
        pytest.param(
            InputError("Expected a key.", "key", "map"),
            Code.INVALID_ARGUMENT,
            "Argument 'map.key': Expected a key.",
            id="an-argument",
        ),
    ],
)
def test_a_failure_is_told_as_the_error_of_a_call(found, code, message):
    status = rpc_error(found).status
    assert (status.code, status.message) == (code, message)


def test_a_bug_is_logged_and_not_shown(caplog):
    with caplog.at_level(logging.ERROR):
        told = rpc_error(ZeroDivisionError("of ours"))
    assert told.status.code is Code.INTERNAL
    assert "of ours" not in told.status.message
    assert caplog.records
