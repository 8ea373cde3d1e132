"""The details of errors that every front shows."""

from __future__ import annotations

import json

import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2

from gateway.call import Code, Detail, RpcError, Status
from gateway.errors import error, pack
from gateway.fronts.error_details import any_of, details_json, details_of
from gateway.schema.codec import Codec, JsonOptions
from gateway.schema.registry import Registry

HELP = pack(error_details_pb2.Help(links=[{"url": "https://shop.example"}]))


@pytest.fixture(scope="module")
def any_to_json():
    return Codec(Registry.build([]), JsonOptions()).message("google.protobuf.Any").transcode


@pytest.mark.parametrize("details", [(), (HELP,)], ids=["none", "one"])
def test_a_backends_details_are_all_that_it_sent(details):
    assert details_of(RpcError(Status(Code.NOT_FOUND, "", details)), "r1") == details


def test_the_gateways_own_error_names_the_request_last():
    info, request = details_of(error("DRAINING", "Later."), "r1")
    assert info.type_url == "type.googleapis.com/google.rpc.ErrorInfo"
    assert request == pack(error_details_pb2.RequestInfo(request_id="r1"))


def test_a_detail_is_packed_with_its_type():
    packed = any_of(HELP)
    assert packed.Is(error_details_pb2.Help.DESCRIPTOR)
    assert packed.value == HELP.value
    assert any_of(Detail("", b"")) == any_pb2.Any()


def test_json_keeps_the_order(any_to_json):
    help_, nothing = json.loads(details_json([HELP, pack(error_details_pb2.Help())], any_to_json))
    assert help_ == {
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [{"url": "https://shop.example"}],
    }
    assert nothing == {"@type": "type.googleapis.com/google.rpc.Help"}


def test_json_of_none_is_an_empty_list(any_to_json):
    assert details_json([], any_to_json) == b"[]"


@pytest.mark.parametrize(
    ("detail", "value"),
    [
        pytest.param(Detail("type.googleapis.com/shop.v1.Secret", b"\0"), "AA==", id="unknown"),
        pytest.param(Detail("type.googleapis.com/google.rpc.Help", b"\xff"), "/w==", id="broken"),
    ],
)
def test_a_detail_that_cannot_be_read_hides_no_other(any_to_json, detail, value):
    degraded, shown = json.loads(details_json([detail, HELP], any_to_json))
    assert degraded == {"@type": detail.type_url, "value": value}
    assert shown["links"]
