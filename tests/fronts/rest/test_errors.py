"""Errors as HTTP replies: AIP-193, the status table, details."""

from __future__ import annotations

import json

import pytest
from google.protobuf import any_pb2, duration_pb2, json_format
from google.rpc import error_details_pb2

from gateway.call import Code, Detail, RpcError, Status
from gateway.errors import REASONS, Violation, error, pack
from gateway.fronts.http_errors import HTTP_STATUS, body_error, http_status
from gateway.fronts.rest.errors import ErrorRenderer
from gateway.http import BodyError, BodyFault


def any_to_json(data: bytes) -> bytes:
    return json_format.MessageToJson(any_pb2.Any.FromString(data)).encode()


RENDERER = ErrorRenderer(any_to_json)


def rendered(failure, request_id="r1"):
    return json.loads(RENDERER.body(failure, request_id))["error"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        # google/rpc/code.proto, "HTTP Mapping" of each.
        ("OK", 200),
        ("CANCELLED", 499),
        ("UNKNOWN", 500),
        ("INVALID_ARGUMENT", 400),
        ("DEADLINE_EXCEEDED", 504),
        ("NOT_FOUND", 404),
        ("ALREADY_EXISTS", 409),
        ("PERMISSION_DENIED", 403),
        ("UNAUTHENTICATED", 401),
        ("RESOURCE_EXHAUSTED", 429),
        ("FAILED_PRECONDITION", 400),
        ("ABORTED", 409),
        ("OUT_OF_RANGE", 400),
        ("UNIMPLEMENTED", 501),
        ("INTERNAL", 500),
        ("UNAVAILABLE", 503),
        ("DATA_LOSS", 500),
    ],
)
def test_status_table(code, status):
    assert http_status(RpcError(Status(Code[code]))) == status


def test_the_table_has_every_code():
    assert set(HTTP_STATUS) == set(Code)


def test_a_backends_error_is_passed_on_as_it_is():
    failure = RpcError(Status(Code.NOT_FOUND, 'no "p9" – é'))
    assert rendered(failure) == {"code": 404, "status": "NOT_FOUND", "message": 'no "p9" – é'}


def test_a_backends_details_are_passed_on():
    info = error_details_pb2.ErrorInfo(reason="OUT_OF_STOCK", domain="shop")
    failure = RpcError(Status(Code.FAILED_PRECONDITION, "none left", (pack(info),)))
    assert rendered(failure)["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "OUT_OF_STOCK",
            "domain": "shop",
        }
    ]


def test_the_gateways_own_error_has_reason_fields_and_request_id():
    failure = error("INVALID_QUERY", "Bad.", violations=[Violation("pageSize", "too big")])
    by_type = {each["@type"].rpartition(".")[2]: each for each in rendered(failure)["details"]}
    assert by_type["ErrorInfo"]["reason"] == "INVALID_QUERY"
    assert by_type["ErrorInfo"]["domain"] == "gateway"
    assert by_type["BadRequest"]["fieldViolations"] == [
        {"field": "pageSize", "description": "too big"}
    ]
    assert by_type["RequestInfo"]["requestId"] == "r1"


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_renders(reason):
    failure = error(reason, "Text.")
    body = rendered(failure)
    assert body["details"][0]["reason"] == reason
    assert 400 <= body["code"] <= 599
    assert body["status"] == REASONS[reason].code.name


def headers(failure):
    return dict(RENDERER.headers(failure))


def test_unauthenticated_says_how_to_authenticate():
    assert headers(RpcError(Status(Code.UNAUTHENTICATED)))["www-authenticate"] == "Bearer"
    own = RpcError(Status(Code.UNAUTHENTICATED), headers={"WWW-Authenticate": 'Basic realm="x"'})
    assert "www-authenticate" not in headers(own)
    assert headers(own)["WWW-Authenticate"] == 'Basic realm="x"'


def test_what_a_backend_said_itself_is_not_said_again():
    given = {"www-authenticate", "retry-after"}
    info = pack(error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=2)))
    for code in (Code.UNAUTHENTICATED, Code.UNAVAILABLE):
        failure = RpcError(Status(code, "", (info,)))
        assert [name for name, _ in RENDERER.headers(failure, given)] == ["content-type"]


@pytest.mark.parametrize(
    ("seconds", "nanos", "header"),
    [(2, 0, "2"), (0, 1, "1"), (1, 500_000_000, "2"), (0, 0, None), (-1, 0, None)],
)
def test_retry_after_from_retry_info(seconds, nanos, header):
    delay = duration_pb2.Duration(seconds=seconds, nanos=nanos)
    info = pack(error_details_pb2.RetryInfo(retry_delay=delay))
    failure = RpcError(Status(Code.UNAVAILABLE, "", (info,)))
    assert headers(failure).get("retry-after") == header


def test_a_retry_info_that_is_none_hides_nothing():
    broken = Detail("type.googleapis.com/google.rpc.RetryInfo", b"\xff")
    assert "retry-after" not in headers(RpcError(Status(Code.UNAVAILABLE, "", (broken,))))


@pytest.mark.parametrize(
    ("fault", "limit", "status"),
    [
        (BodyFault.TOO_LARGE, 4194304, 413),
        (BodyFault.TIMEOUT, 30.0, 408),
        (BodyFault.INCOMPLETE, None, 400),
        (BodyFault.ENCODING, None, 415),
    ],
)
def test_body_errors(fault, limit, status):
    assert http_status(body_error(BodyError(fault, limit))) == status


def test_body_error_names_the_limit():
    assert "4194304 bytes" in body_error(BodyError(BodyFault.TOO_LARGE, 4194304)).status.message
