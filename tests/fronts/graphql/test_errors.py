"""Errors in responses: the form of the specification, codes, and what clients never see."""

from __future__ import annotations

import json
import logging

import pytest
from google.protobuf import duration_pb2, json_format
from google.rpc import error_details_pb2
from graphql import GraphQLError, SourceLocation, parse

from gateway.call import Code, Detail, RpcError, Status
from gateway.errors import REASONS, error, pack
from gateway.fronts.graphql.errors import (
    RefusalCode,
    RequestError,
    errors_json,
    field_error,
    limit_exceeded,
    refusal,
    refused_by,
    response,
)


def answered(refused: RequestError):
    return json.loads(response(refused.errors))


def field(failure, path=("product",), locations=()):
    return json.loads(errors_json([field_error(failure, path, locations)]))[0]


def test_a_refused_request_has_errors_and_no_data():
    assert answered(refusal(RefusalCode.BAD_USER_INPUT, "Bad.")) == {
        "errors": [{"message": "Bad.", "extensions": {"code": "BAD_USER_INPUT"}}]
    }


def test_a_node_becomes_a_location():
    document = parse("{\n  product\n}")
    node = document.definitions[0].selection_set.selections[0]
    refused = refusal(RefusalCode.VALIDATION_FAILED, "Bad.", node)
    assert answered(refused)["errors"][0]["locations"] == [{"line": 2, "column": 3}]


def test_an_exceeded_limit_says_limit_value_and_maximum():
    refused = limit_exceeded("depth", 13, 12, "The document is 13 deep; 12 is the most.")
    assert answered(refused)["errors"][0]["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "limit": "depth",
        "value": 13,
        "maximum": 12,
    }


def test_a_lone_surrogate_hides_no_error():
    assert b"?" in response(refusal(RefusalCode.PARSE_FAILED, "near \ud800").errors)


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
def test_a_failed_call_has_its_codes_name_and_message(code):
    assert field(RpcError(Status(code, 'no "p9" – é'))) == {
        "message": 'no "p9" – é',
        "path": ["product"],
        "extensions": {"code": code.name},
    }


@pytest.mark.parametrize("reason", REASONS)
def test_the_gateways_own_error_has_its_reason_once(reason):
    extensions = field(error(reason, "Text."))["extensions"]
    assert extensions == {"code": REASONS[reason].code.name, "reason": reason}


def test_the_gateways_own_details_are_kept():
    extensions = field(error("DRAINING", "Text.", retry_after=1.5, metadata={"a": "b"}))[
        "extensions"
    ]
    assert [each["@type"].rpartition(".")[2] for each in extensions["details"]] == [
        "ErrorInfo",
        "RetryInfo",
    ]


@pytest.mark.parametrize("location", [SourceLocation(2, 3), {"line": 2, "column": 3}])
def test_path_and_locations(location):
    failed = field(RpcError(Status(Code.NOT_FOUND)), ["orders", 3, "product"], [location])
    assert failed["path"] == ["orders", 3, "product"]
    assert failed["locations"] == [{"line": 2, "column": 3}]


SHOWN = [
    error_details_pb2.BadRequest(
        field_violations=[{"field": "page_size", "description": "too large"}]
    ),
    error_details_pb2.ErrorInfo(reason="OUT_OF_STOCK", domain="shop"),
    error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=2)),
    error_details_pb2.QuotaFailure(violations=[{"subject": "u1"}]),
    error_details_pb2.PreconditionFailure(violations=[{"type": "TOS"}]),
    error_details_pb2.ResourceInfo(resource_name="p9"),
    error_details_pb2.Help(links=[{"url": "https://shop.example"}]),
    error_details_pb2.LocalizedMessage(locale="de", message="Nein."),
]


@pytest.mark.parametrize("detail", SHOWN, ids=lambda each: each.DESCRIPTOR.name)
def test_details_of_the_allow_list_are_shown_as_json(detail):
    failure = RpcError(Status(Code.FAILED_PRECONDITION, "No.", (pack(detail),)))
    assert field(failure)["extensions"]["details"] == [
        {
            "@type": f"type.googleapis.com/{detail.DESCRIPTOR.full_name}",
            **json_format.MessageToDict(detail),
        }
    ]


@pytest.mark.parametrize(
    "detail",
    [
        pytest.param(pack(error_details_pb2.DebugInfo(detail="at /srv/app.py:3")), id="debug-info"),
        pytest.param(pack(error_details_pb2.RequestInfo(request_id="r1")), id="request-info"),
        pytest.param(Detail("type.googleapis.com/shop.v1.Secret", b""), id="a-type-of-the-backend"),
        pytest.param(Detail("type.googleapis.com/google.rpc.Help", b"\xff"), id="no-message"),
        pytest.param(
            Detail("type.googleapis.com/google.rpc.LocalizedMessage", b"\x0a\x01\xff"),
            id="no-utf-8",
        ),
        pytest.param(Detail("", b""), id="no-type"),
    ],
)
def test_other_details_are_left_out(detail):
    failure = RpcError(Status(Code.UNKNOWN, "No.", (detail,)))
    assert field(failure)["extensions"] == {"code": "UNKNOWN"}


def test_the_gateways_headers_stand_in_extensions():
    failure = RpcError(Status(Code.RESOURCE_EXHAUSTED, "Slow down."), headers={"Retry-After": "2"})
    assert field(failure)["extensions"]["headers"] == {"retry-after": "2"}


def test_a_request_refused_by_a_call_has_the_calls_extensions():
    refused = refused_by(error("INVALID_TIMEOUT", "Bad time-out."))
    assert answered(refused)["errors"] == [
        {
            "message": "Bad time-out.",
            "extensions": {"code": "INVALID_ARGUMENT", "reason": "INVALID_TIMEOUT"},
        }
    ]


@pytest.mark.parametrize(
    "bug",
    [
        pytest.param(ValueError("secret"), id="bare"),
        pytest.param(GraphQLError("secret", original_error=KeyError("secret")), id="wrapped"),
    ],
)
def test_a_bug_is_masked_and_logged(bug, caplog):
    with caplog.at_level(logging.ERROR):
        shown = json.dumps(field(bug))
    assert "secret" not in shown
    assert '"INTERNAL"' in shown
    assert "secret" in caplog.text


def test_a_wrapped_call_is_shown_as_the_call():
    cause = RpcError(Status(Code.NOT_FOUND, "Gone."))
    assert field(GraphQLError("wrapped", original_error=cause))["extensions"]["code"] == "NOT_FOUND"


def test_what_an_extension_says_is_shown():
    shown = field(GraphQLError("Too young.", extensions={"code": "AGE", "years": 3}))
    assert shown["message"] == "Too young."
    assert shown["extensions"] == {"code": "AGE", "years": 3}


@pytest.mark.parametrize("value", [object(), float("nan")], ids=["object", "nan"])
def test_what_is_not_json_is_left_out(value):
    assert field(GraphQLError("No.", extensions={"x": value}))["extensions"] == {"code": "INTERNAL"}
