"""A call's error as an HTTP reply in the form of AIP-193.

`{"error": {"code": 404, "status": "NOT_FOUND", "message": "…", "details": [{"@type": …}, …]}}`

Errors of the gateway's own carry `google.rpc.RequestInfo`; what a backend sent is passed on as it
is. A detail of a type that no proto describes degrades to its type URL and base64; it never hides
the error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator
from typing import NoReturn

from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2

from gateway.call import Code, Detail, RpcError
from gateway.errors import error, pack
from gateway.fronts.rest.status import http_status
from gateway.http import BodyError, BodyFault

JSON_TYPE = ("content-type", "application/json")

_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


class ErrorRenderer:
    """Renders errors.

    Args:
        any_to_json: Serialized `google.protobuf.Any` to its ProtoJSON, never failing.
    """

    __slots__ = ("_any_to_json",)

    def __init__(self, any_to_json: Callable[[bytes], bytes]) -> None:
        self._any_to_json = any_to_json

    def body(self, failure: RpcError, request_id: str) -> bytes:
        """Returns the JSON of an error, UTF-8, without a line end."""
        details = list(failure.status.details)
        if failure.reason is not None:
            details.append(pack(error_details_pb2.RequestInfo(request_id=request_id)))
        head = json.dumps(
            {
                "code": http_status(failure),
                "status": failure.status.code.name,
                "message": failure.status.message,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        # Lone surrogates can't be in a gRPC status; were one there, it must not hide the error.
        text = head.encode("utf-8", "replace")
        if not details:
            return b'{"error":%b}' % text
        listed = b",".join(self._any_to_json(_any(detail)) for detail in details)
        return b'{"error":%b,"details":[%b]}}' % (text[:-1], listed)

    def headers(self, failure: RpcError, given: Collection[str] = ()) -> Iterator[tuple[str, str]]:
        """Yields the reply headers that an error brings, content type included.

        Args:
            failure: The error.
            given: Lower-case names of headers that the reply has already; none is added again.
        """
        yield JSON_TYPE
        names = set(given)
        for name, value in failure.headers.items():
            names.add(name.lower())
            yield name, value
        if failure.status.code is Code.UNAUTHENTICATED and "www-authenticate" not in names:
            # RFC 9110 section 11.6.1: a 401 must say how to authenticate.
            yield "www-authenticate", "Bearer"
        if "retry-after" not in names and (seconds := _retry_after(failure.status.details)):
            yield "retry-after", str(seconds)


def _any(detail: Detail) -> bytes:
    return any_pb2.Any(type_url=detail.type_url, value=detail.value).SerializeToString()


def _retry_after(details: tuple[Detail, ...]) -> int | None:
    """Returns the whole seconds of the first RetryInfo, rounded up; None without one."""
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
            )
        case BodyFault.INCOMPLETE:
            return error("BODY_INCOMPLETE", "The request body ended early or is badly framed.")


def refuse_body(failure: BodyError) -> NoReturn:
    """Raises the error for a request body that can't be had: what a front gives `collect`."""
    raise body_error(failure)


def stream_idle() -> RpcError:
    """Returns the error for a stream on which nothing passed either way."""
    return error("STREAM_IDLE", "Nothing passed on this stream for too long.")
