"""What every front makes of an error over HTTP: its status, its headers; and of a body's faults.

The statuses are the table of `google/rpc/code.proto`; AIP-193 uses the same. How an error's body
reads is each front's own.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterator, Mapping
from typing import NoReturn

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2

from gateway.call import Code, Detail, RpcError
from gateway.errors import error
from gateway.http import BodyError, BodyFault
from gateway.http.exchange import DRAINING, STREAM_IDLE

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


_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def error_headers(failure: RpcError, given: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Yields the reply headers that an error brings, whatever its body is.

    Args:
        failure: The error.
        given: Lower-case names of headers that the reply has already; none is added again.
    """
    names = set(given)
    for name, value in failure.headers.items():
        names.add(name.lower())
        yield name, value
    if failure.status.code is Code.UNAUTHENTICATED and "www-authenticate" not in names:
        # RFC 9110 section 11.6.1: a 401 must say how to authenticate.
        yield "www-authenticate", "Bearer"
    if "retry-after" not in names and (seconds := retry_after(failure.status.details)):
        yield "retry-after", str(seconds)


def retry_after(details: tuple[Detail, ...]) -> int | None:
    """Returns the whole seconds of the first RetryInfo, rounded up; None without one or with 0."""
    for detail in details:
        if detail.type_url == _RETRY_INFO:
            info = error_details_pb2.RetryInfo()
            try:
                info.ParseFromString(detail.value)
            except DecodeError:  # a backend's detail that is none: the error matters, not it
                return None
            delay = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
            return math.ceil(delay) if delay > 0 else None
    return None


def body_error(failure: BodyError) -> RpcError:
    """Returns the error for a request body that can't be had."""
    limit = failure.limit
    match failure.fault:
        case BodyFault.TOO_LARGE:
            return error("BODY_TOO_LARGE", f"The request body is larger than {limit:.0f} bytes.")
        case BodyFault.TIMEOUT:
            return error("BODY_TIMEOUT", f"No byte of the request body came for {limit:g} seconds.")
        case BodyFault.ENCODING:
            return error(
                "UNSUPPORTED_CONTENT_ENCODING",
                "The request body has a Content-Encoding; send it without one.",
                headers={"accept-encoding": "identity"},  # RFC 9110 12.5.3: what would be taken
            )
        case BodyFault.INCOMPLETE:
            return error("BODY_INCOMPLETE", "The request body ended early or is badly framed.")


def refuse_body(failure: BodyError) -> NoReturn:
    """Raises the error for a request body that can't be had: what a front gives `collect`."""
    raise body_error(failure)


def stream_idle() -> RpcError:
    """Returns the error for a stream on which nothing passed either way."""
    return error("STREAM_IDLE", "Nothing passed on this stream for too long.")


def draining() -> RpcError:
    """Returns the error for what the gateway, which shuts down, can't wait for."""
    return error("DRAINING", "The gateway is shutting down; try again.", retry_after=1)


def cut_short(cancelled: asyncio.CancelledError) -> RpcError:
    """Returns the error for a client that is still there, or raises `cancelled` again.

    Args:
        cancelled: What a listener cancelled the present task with, which may go on with its answer.
    """
    match cancelled.args:
        case (reason,) if reason == STREAM_IDLE:
            failure = stream_idle()
        case (reason,) if reason == DRAINING:
            failure = draining()
        case _:
            raise cancelled
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
    return failure
