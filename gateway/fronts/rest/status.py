"""gRPC codes as HTTP statuses. The table of `google/rpc/code.proto`; AIP-193 uses the same."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.call import Code, RpcError

HTTP_STATUS: Mapping[Code, int] = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}


def http_status(error: RpcError) -> int:
    """Returns the HTTP status of an error: its own, where it has one, else the table's."""
    return error.http_status or HTTP_STATUS[error.status.code]
