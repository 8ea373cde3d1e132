"""Expects a call to fail, and reads what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2

DETAILS = {
    "type.googleapis.com/" + kind.DESCRIPTOR.full_name: kind
    for kind in (
        error_details_pb2.BadRequest,
        error_details_pb2.ErrorInfo,
        error_details_pb2.PreconditionFailure,
        error_details_pb2.ResourceInfo,
    )
}


@contextmanager
def fails_with(code: grpc.StatusCode) -> Iterator[pytest.ExceptionInfo[grpc.aio.AioRpcError]]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield caught
    assert caught.value.code() is code, caught.value.details()


def details_of(error: grpc.aio.AioRpcError) -> list:
    """The `google.rpc` details that came with an error, having checked that they agree with it."""
    value = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(value)
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    return [DETAILS[detail.type_url].FromString(detail.value) for detail in status.details]


def fields_at_fault(error: grpc.aio.AioRpcError) -> list[str]:
    (bad_request,) = details_of(error)
    return [violation.field for violation in bad_request.field_violations]
