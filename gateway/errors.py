"""The gateway's own errors: a table of stable reasons, and how an RpcError is made from one.

Every error that the gateway itself raises (not one that a backend sent) carries a
`google.rpc.ErrorInfo` with a reason of this table and the domain `gateway`, so that programs can
tell errors apart without reading sentences. `docs/errors.md` lists the same table. Reasons are
never renamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from google.protobuf import duration_pb2, message
from google.rpc import error_details_pb2

from gateway.call import Code, Detail, RpcError, Status

DOMAIN = "gateway"


class Reason(NamedTuple):
    """What a reason means: its gRPC code, and an HTTP status where the code's is too coarse."""

    code: Code
    http_status: int | None = None


REASONS: Mapping[str, Reason] = {
    # The request's line and path.
    "ROUTE_NOT_FOUND": Reason(Code.NOT_FOUND),
    "METHOD_NOT_ALLOWED": Reason(Code.UNIMPLEMENTED, 405),
    "UNKNOWN_HOST": Reason(Code.NOT_FOUND, 421),
    "UNKNOWN_VERSION": Reason(Code.INVALID_ARGUMENT),
    "INVALID_PATH": Reason(Code.INVALID_ARGUMENT),
    "INVALID_PATH_PARAMETER": Reason(Code.INVALID_ARGUMENT),
    # The query and the body.
    "INVALID_QUERY": Reason(Code.INVALID_ARGUMENT),
    "UNKNOWN_QUERY_PARAMETER": Reason(Code.INVALID_ARGUMENT),
    "CONFLICTING_FIELD": Reason(Code.INVALID_ARGUMENT),
    "INVALID_JSON": Reason(Code.INVALID_ARGUMENT),
    "INVALID_BODY": Reason(Code.INVALID_ARGUMENT),
    "UNEXPECTED_BODY": Reason(Code.INVALID_ARGUMENT),
    "UNSUPPORTED_CONTENT_TYPE": Reason(Code.INVALID_ARGUMENT, 415),
    "UNSUPPORTED_CONTENT_ENCODING": Reason(Code.INVALID_ARGUMENT, 415),
    "NOT_ACCEPTABLE": Reason(Code.INVALID_ARGUMENT, 406),
    "ADDRESS_DENIED": Reason(Code.PERMISSION_DENIED),
    "CROSS_SITE_REQUEST": Reason(Code.PERMISSION_DENIED),
    "BODY_TOO_LARGE": Reason(Code.RESOURCE_EXHAUSTED, 413),
    "MESSAGE_TOO_LARGE": Reason(Code.RESOURCE_EXHAUSTED, 413),
    "BODY_TIMEOUT": Reason(Code.DEADLINE_EXCEEDED, 408),
    "BODY_INCOMPLETE": Reason(Code.INVALID_ARGUMENT),
    "VALIDATION_FAILED": Reason(Code.INVALID_ARGUMENT),
    # Headers.
    "INVALID_TIMEOUT": Reason(Code.INVALID_ARGUMENT),
    "INVALID_METADATA": Reason(Code.INVALID_ARGUMENT),
    # Who calls, and what callers may do.
    "CREDENTIALS_MISSING": Reason(Code.UNAUTHENTICATED),
    "INVALID_CREDENTIALS": Reason(Code.UNAUTHENTICATED),
    "TOKEN_EXPIRED": Reason(Code.UNAUTHENTICATED),
    "INSUFFICIENT_SCOPE": Reason(Code.PERMISSION_DENIED),
    "ROLE_MISSING": Reason(Code.PERMISSION_DENIED),
    "CONDITION_FAILED": Reason(Code.PERMISSION_DENIED),
    "AUTHORIZATION_DENIED": Reason(Code.PERMISSION_DENIED),
    "TOO_MANY_UNAUTHENTICATED": Reason(Code.RESOURCE_EXHAUSTED),
    "LOCKED_OUT": Reason(Code.RESOURCE_EXHAUSTED),
    "AUTHENTICATION_UNAVAILABLE": Reason(Code.UNAVAILABLE),
    # How much callers may ask.
    "RATE_LIMITED": Reason(Code.RESOURCE_EXHAUSTED),
    "QUOTA_EXCEEDED": Reason(Code.RESOURCE_EXHAUSTED),
    "LIMITS_UNAVAILABLE": Reason(Code.UNAVAILABLE),
    "TOO_MANY_CALLS": Reason(Code.RESOURCE_EXHAUSTED),
    "OVERLOADED": Reason(Code.UNAVAILABLE),
    # A session of WebSocket, and its streams.
    "METHOD_NOT_FOUND": Reason(Code.UNIMPLEMENTED),
    "MISSING_MESSAGE": Reason(Code.INVALID_ARGUMENT),
    "UNEXPECTED_MESSAGE": Reason(Code.INVALID_ARGUMENT),
    "FLOW_CONTROL": Reason(Code.RESOURCE_EXHAUSTED),
    "TOO_MANY_STREAMS": Reason(Code.RESOURCE_EXHAUSTED),
    "TOO_MANY_OPENS": Reason(Code.RESOURCE_EXHAUSTED),
    # HTTP itself.
    "BAD_REQUEST": Reason(Code.INVALID_ARGUMENT),
    "HEADERS_TOO_LARGE": Reason(Code.INVALID_ARGUMENT, 431),
    "HEADER_TIMEOUT": Reason(Code.DEADLINE_EXCEEDED, 408),
    "TOO_MANY_CONNECTIONS": Reason(Code.UNAVAILABLE),
    "HTTP_VERSION_NOT_SUPPORTED": Reason(Code.UNIMPLEMENTED, 505),
    # What operators ask of the gateway.
    "OPERATION_UNAVAILABLE": Reason(Code.UNAVAILABLE),
    # The way to the backend.
    "DEADLINE_EXCEEDED": Reason(Code.DEADLINE_EXCEEDED),
    "STREAM_IDLE": Reason(Code.DEADLINE_EXCEEDED),
    "UPSTREAM_UNAVAILABLE": Reason(Code.UNAVAILABLE),
    "CIRCUIT_OPEN": Reason(Code.UNAVAILABLE),
    "UPSTREAM_RESET": Reason(Code.UNAVAILABLE),
    "UPSTREAM_PROTOCOL_ERROR": Reason(Code.INTERNAL),
    "UPSTREAM_HTTP_ERROR": Reason(Code.UNKNOWN),
    "UPSTREAM_MESSAGE_TOO_LARGE": Reason(Code.RESOURCE_EXHAUSTED),
    "INVALID_UPSTREAM_MESSAGE": Reason(Code.INTERNAL),
    "FAULT_INJECTED": Reason(Code.UNAVAILABLE),
    "DRAINING": Reason(Code.UNAVAILABLE),
    "CANCELLED": Reason(Code.CANCELLED),
    "INTERNAL": Reason(Code.INTERNAL),
}


class Violation(NamedTuple):
    """One field at fault: its path as the client writes it (`filter.minPrice`), and what is."""

    field: str
    description: str


def pack(detail: message.Message) -> Detail:
    """Returns a `google.rpc` detail message packed for `Status.details`."""
    return Detail(f"type.googleapis.com/{detail.DESCRIPTOR.full_name}", detail.SerializeToString())


def error(
    reason: str,
    text: str,
    *,
    violations: Iterable[Violation] = (),
    retry_after: float | None = None,
    metadata: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    code: Code | None = None,
) -> RpcError:
    """Makes an error of the gateway's own.

    Args:
        reason: A key of REASONS.
        text: A sentence for the developer of the client: what, where, what was expected. It must
            not hold backend addresses, file paths or a parser's own words.
        violations: The fields at fault, as `google.rpc.BadRequest`.
        retry_after: Seconds after which another try makes sense, as `google.rpc.RetryInfo`.
        metadata: Values a program may want, as `ErrorInfo.metadata`.
        headers: Reply headers that belong to the error.
        code: The gRPC code where it is not the reason's own.
    """
    usual, http_status = REASONS[reason]
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)
    details = [pack(info)]
    if fields := tuple(violations):
        bad = error_details_pb2.BadRequest()
        for name, description in fields:
            bad.field_violations.add(field=name, description=description)
        details.append(pack(bad))
    if retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(round(retry_after * 1e9))
        details.append(pack(error_details_pb2.RetryInfo(retry_delay=delay)))
    return RpcError(
        Status(usual if code is None else code, text, tuple(details)),
        headers=headers,
        http_status=http_status,
        reason=reason,
    )
