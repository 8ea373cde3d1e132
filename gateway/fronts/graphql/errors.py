"""Errors of GraphQL: of a request that is refused, and of a field that failed.

A request that is refused has no data: it is a `RequestError`, each of whose errors has a code of
`RefusalCode`. A field that failed is null, and its error stands beside the data: its code is the
name of the gRPC code. What a client may see is decided here: the status message of a call, the
details of an allow-list, and of a bug of ours or of an extension only that there was one.
This module knows nothing of HTTP, and looks at no document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypedDict

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2
from graphql import GraphQLError, Node, SourceLocation

from gateway.call import Detail, RpcError
from gateway.chain import as_error

_DETAILS: Mapping[str, type[Message]] = {
    f"google.rpc.{name}": getattr(error_details_pb2, name)
    # All of google/rpc/error_details.proto but DebugInfo, which is for the backend's developers,
    # and RequestInfo, which names the backend's request.
    for name in (
        "BadRequest",
        "ErrorInfo",
        "Help",
        "LocalizedMessage",
        "PreconditionFailure",
        "QuotaFailure",
        "ResourceInfo",
        "RetryInfo",
    )
}

_LONGEST_QUOTE = 500


class RefusalCode(StrEnum):
    """Why a request is refused: `extensions.code` of its errors. Never renamed."""

    PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    UNTRUSTED_DOCUMENT = "UNTRUSTED_DOCUMENT"
    BAD_REQUEST = "BAD_REQUEST"


class Location(TypedDict):
    """A place in a document; both count from 1 (GraphQL specification, section 7.1.2)."""

    line: int
    column: int


class FormattedError(TypedDict, total=False):
    """An error as it is in the response (GraphQL specification, section 7.1.2)."""

    message: str
    locations: Sequence[Location]
    path: Sequence[str | int]
    extensions: Mapping[str, object]


class RequestError(Exception):
    """A request that is refused: nothing was called, and there is no data.

    Attributes:
        errors: Why; one at least.
    """

    def __init__(self, errors: Iterable[GraphQLError]) -> None:
        self.errors = tuple(errors)
        super().__init__(*(each.message for each in self.errors))


def request_fault(
    code: RefusalCode,
    message: str,
    locations: Iterable[SourceLocation] = (),
    **extensions: object,
) -> GraphQLError:
    """Makes one error of a request that is refused. It keeps no part of a document alive.

    Args:
        code: Why.
        message: A sentence for the developer of the client.
        locations: What of the document is at fault.
        extensions: Further entries of `extensions`, such as `limit`; JSON values.
    """
    fault = GraphQLError(message, extensions={"code": code, **extensions})
    fault.locations = [*locations] or None
    return fault


def refusal(
    code: RefusalCode, message: str, node: Node | None = None, **extensions: object
) -> RequestError:
    """Makes the error of a request that is refused for one reason, found at one node or none."""
    location = node.loc if node else None
    locations = [location.source.get_location(location.start)] if location else []
    return RequestError([request_fault(code, message, locations, **extensions)])


def limit_exceeded(
    limit: str, value: int, maximum: int, message: str, node: Node | None = None
) -> RequestError:
    """Makes the error of a request that asks for more than a limit allows.

    Args:
        limit: The limit's name in the config: `depth`.
        value: What the request has; of what is not counted to its end, the least that it has.
        maximum: What is allowed.
        message: Both in a sentence.
        node: What of the document is at fault.
    """
    code = RefusalCode.LIMIT_EXCEEDED
    return refusal(code, message, node, limit=limit, value=value, maximum=maximum)


def refused_by(failure: RpcError, headers: Mapping[str, str] | None = None) -> RequestError:
    """Makes the error of a request that is refused as a whole with the status of a call.

    Args:
        failure: How the call ended.
        headers: The gateway's own of the call, which stand beside those of its end.
    """
    extensions = call_extensions(failure, headers)
    return RequestError([GraphQLError(failure.status.message, extensions=extensions)])


def field_error(
    failure: Exception,
    path: Sequence[str | int],
    locations: Sequence[Location | SourceLocation] = (),
) -> FormattedError:
    """Returns the error of a field that failed.

    Args:
        failure: What failed: a call (RpcError), what an extension or a value says of itself
            (GraphQLError), or a bug, which is logged, and of which the client learns nothing but
            that it was.
        path: Response names and indexes from the root to the field.
        locations: Where the field is in the document.
    """
    cause = failure.original_error if isinstance(failure, GraphQLError) else None
    if cause is not None:  # graphql-core's wrapping of what a resolver or a scalar raised
        return field_error(cause, path, locations)
    if isinstance(failure, GraphQLError):
        message, extensions = failure.message, _own_extensions(failure)
    else:
        call = as_error(failure)
        message, extensions = call.status.message, call_extensions(call)
    formatted: FormattedError = {"message": message}
    if locations:
        formatted["locations"] = [_place(each) for each in locations]
    formatted["path"] = path
    formatted["extensions"] = extensions
    return formatted


def call_extensions(
    failure: RpcError, headers: Mapping[str, str] | None = None
) -> dict[str, object]:
    """Returns the `extensions` of a call that failed.

    `{"code": "UNAVAILABLE", "reason": "DRAINING", "details": [{"@type": …}], "headers": {…}}`:
    all but the code are left out where there is nothing to say. `reason` is of `gateway.errors`;
    `details` are those of the status that clients may see; `headers` are the gateway's own, by
    their lower-case names.
    """
    extensions: dict[str, object] = {"code": failure.status.code.name}
    if failure.reason is not None:
        extensions["reason"] = failure.reason
    if details := [shown for each in failure.status.details if (shown := _detail(each, failure))]:
        extensions["details"] = details
    if failure.headers or headers:
        own = {name.lower(): value for name, value in failure.headers.items()}
        extensions["headers"] = {**(headers or {}), **own}
    return extensions


def shortened(message: str) -> str:
    """Returns a message that quotes what a client sent, cut where it quotes too much."""
    return message if len(message) <= _LONGEST_QUOTE else f"{message[:_LONGEST_QUOTE]}…"


# How graphql-core quotes what a scalar raised that is no GraphQLError: in Python's own words.
_RAISED = re.compile(r", but encountered error '.*'; found(?=: )", re.DOTALL)


def worded(wrong: GraphQLError) -> str:
    """Returns what a client is told of what graphql-core finds wrong, cut, and without Python."""
    return shortened(_RAISED.sub(", found", wrong.message))


def formatted(failure: GraphQLError) -> FormattedError:
    """Returns an error of a refused request as it is in the response."""
    result: FormattedError = {"message": failure.message}
    if failure.locations:
        result["locations"] = [_place(each) for each in failure.locations]
    if failure.path:
        result["path"] = failure.path
    if failure.extensions:
        result["extensions"] = failure.extensions
    return result


def response(errors: Sequence[GraphQLError]) -> bytes:
    """Returns the whole response to a request that is refused: `{"errors":[…]}`."""
    return b'{"errors":%b}' % errors_json([formatted(each) for each in errors])


def errors_json(errors: Sequence[FormattedError]) -> bytes:
    """Returns errors as a JSON array, UTF-8: the value of `errors` in a response."""
    text = json.dumps(errors, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A client can write a lone surrogate in a document, and a message may quote it.
    return text.encode("utf-8", "replace")


def _place(location: Location | SourceLocation) -> Location:
    if isinstance(location, SourceLocation):
        return {"line": location.line, "column": location.column}
    return location


def _detail(detail: Detail, failure: RpcError) -> dict[str, object] | None:
    """Returns a detail as ProtoJSON of an Any; None where clients do not see it."""
    name = detail.type_url.rpartition("/")[2]
    kind = _DETAILS.get(name)
    if kind is None:
        return None
    message = kind()
    try:
        message.ParseFromString(detail.value)
        shown: dict[str, object] = MessageToDict(message)
    except (DecodeError, ValueError):  # a backend's detail that is none: the error matters, not it
        return None
    if name == "google.rpc.ErrorInfo" and failure.reason and "metadata" not in shown:
        return None  # it says the reason, which stands beside the details
    return {"@type": f"type.googleapis.com/{name}", **shown}


def _own_extensions(failure: GraphQLError) -> dict[str, object]:
    """Returns what an extension says beside its message, where that is JSON, with a code."""
    given = dict(failure.extensions or {})
    try:
        json.dumps(given, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        given = {}
    return {"code": "INTERNAL", **given}
