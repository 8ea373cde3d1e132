"""The details of an error, `google.rpc` messages, as fronts show them: as JSON or packed.

Errors of the gateway's own get a `google.rpc.RequestInfo`; what a backend sent is passed on as it
is. Where the details stand in an error, and what stands beside them, is each front's own; GraphQL
shows a choice of its own (`graphql.errors`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from google.protobuf import any_pb2
from google.rpc import error_details_pb2

from gateway.call import Detail, RpcError
from gateway.errors import pack

AnyToJson: TypeAlias = "Callable[[bytes], bytes]"
"""A serialized `google.protobuf.Any` to its ProtoJSON, UTF-8. It never fails: a detail of a type
that no proto describes degrades to its type URL and base64, for it must not hide the error."""


def details_of(failure: RpcError, request_id: str) -> tuple[Detail, ...]:
    """Returns the details of an error that clients are shown.

    Args:
        failure: The error.
        request_id: What `google.rpc.RequestInfo` says, where the error is the gateway's own.
    """
    details = failure.status.details
    if failure.reason is None:
        return details
    return (*details, pack(error_details_pb2.RequestInfo(request_id=request_id)))


def any_of(detail: Detail) -> any_pb2.Any:
    """Returns a detail as the `google.protobuf.Any` that `google.rpc.Status.details` holds."""
    return any_pb2.Any(type_url=detail.type_url, value=detail.value)


def details_json(details: Iterable[Detail], any_to_json: AnyToJson) -> bytes:
    """Returns details as a JSON array, UTF-8: `[{"@type": "type.googleapis.com/…", …}]`."""
    listed = (any_to_json(any_of(each).SerializeToString()) for each in details)
    return b"[%b]" % b",".join(listed)
