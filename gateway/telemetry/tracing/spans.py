"""The spans of a request, or of what came over a socket: its own, and below it those of its calls.

Names and attributes are those of OpenTelemetry's semantic conventions for HTTP, RPC and GraphQL;
what they know nothing of begins with `gateway.`. Queries and messages are left out: they may hold
what nobody else should read. Pure functions of records that are complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gateway.record import CallRecord, RequestRecord, Trace
from gateway.telemetry.codes import name_of
from gateway.telemetry.tracing.calls import spans_of_call
from gateway.telemetry.tracing.span import MOST, Attributes, Kind, Span, address, fault

_METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"}
)
"""The methods that the conventions know (RFC 9110 section 9, RFC 5789, and QUERY)."""

_SERVER_ERROR: Final = 500
_GONE: Final = "CLIENT_GONE"


def spans_of(request: RequestRecord, *, principal: bool = False) -> list[Span]:
    """Returns the spans of a request, or of what came over a socket; none unless it is sampled.

    Args:
        request: Its record, which has ended.
        principal: Whether they say who made it.
    """
    trace, calls = request.trace, request.calls
    if trace is None or not trace.sampled:
        return []
    made = [_of_request(request, trace, principal=principal)]
    for call in calls:
        if call.began and call.span is not None:
            made += spans_of_call(call, call.span, trace, request.ended)
    return made


def _of_request(request: RequestRecord, trace: Trace, *, principal: bool) -> Span:
    named, describe = _KINDS[request.kind]
    attributes: Attributes = {"gateway.kind": request.kind}
    error = describe(request, attributes)
    if error is None and request.gone:
        error = _GONE
    for name, value in (
        ("gateway.front", request.front),
        ("gateway.request_id", request.request_id),
        ("gateway.reason", request.reason),
        ("graphql.operation.type", request.operation_type),
        ("graphql.operation.name", request.operation[:MOST]),
        ("gateway.graphql.document", request.document),
        ("enduser.id", _subject(request)[:MOST] if principal else ""),
        ("error.type", error),
    ):
        if value:
            attributes[name] = value
    socket = None if request.parent is None else request.parent.trace
    linked = socket is not None and socket.sampled and socket.trace_id != trace.trace_id
    return Span(
        trace.trace_id,
        trace.span,
        trace.parent,
        remote=socket is None or trace.parent != socket.span,
        state=trace.state,
        name=named(request),
        kind=Kind.SERVER,
        began=request.began,
        ended=request.ended,
        attributes=attributes,
        failed=error is not None,
        links=((socket.trace_id, socket.span),) if socket is not None and linked else (),
    )


def _subject(request: RequestRecord) -> str:
    """Returns who made a request, as its calls know; empty where none of them does."""
    principal = request.principal
    return "" if principal is None else principal.subject


# What a request is, by its kind: its name; and its attributes, with its `error.type`.


def _http_name(request: RequestRecord) -> str:
    method = request.head.method if request.head.method in _METHODS else "HTTP"
    return f"{method} {request.route}" if request.route else method


def _of_http(request: RequestRecord, attributes: Attributes) -> str | None:
    head, status = request.head, request.status
    known = head.method in _METHODS
    name, port = address(head.authority)
    attributes["http.request.method"] = head.method if known else "_OTHER"
    for key, value in (
        ("http.request.method_original", "" if known else head.method[:32]),
        ("http.route", request.route),
        ("url.path", head.path[:MOST]),
        ("url.scheme", head.scheme),
        ("network.protocol.version", head.version),
        ("client.address", head.peer),
        ("server.address", name[:MOST]),
        ("server.port", port),
        ("user_agent.original", (head.headers.get("user-agent") or "")[:MOST]),
        ("http.response.status_code", request.replied and status),
        ("http.request.body.size", request.received),
        ("http.response.body.size", request.sent),
        ("gateway.websocket.close_code", request.close),
    ):
        if value:
            attributes[key] = value
    if not request.replied or status < _SERVER_ERROR:
        return None
    return request.reason or _reason_of_only(request.calls) or str(status)


def _operation_name(request: RequestRecord) -> str:
    return request.operation_type or "GraphQL Operation"


def _of_operation(request: RequestRecord, _said: Attributes) -> str | None:
    return None if request.code is None else fault(request.code, request.reason)


def _stream_name(request: RequestRecord) -> str:
    return request.calls[0].method if request.calls else "stream"


def _of_stream(request: RequestRecord, attributes: Attributes) -> str | None:
    code, calls = request.code, request.calls
    if calls:
        attributes["rpc.system.name"] = "grpc"
        attributes["rpc.method"] = calls[0].method
        if code is None:
            code = calls[0].code
    if code is None:
        return None
    attributes["rpc.response.status_code"] = name_of(code)
    return fault(code, request.reason or _reason_of_only(request.calls))


def _reason_of_only(calls: Sequence[CallRecord]) -> str | None:
    return calls[0].reason if len(calls) == 1 else None


_KINDS: Final[
    dict[
        str,
        tuple[
            Callable[[RequestRecord], str],
            Callable[[RequestRecord, Attributes], str | None],
        ],
    ]
] = {
    "request": (_http_name, _of_http),
    "socket": (_http_name, _of_http),
    "stream": (_stream_name, _of_stream),
    "operation": (_operation_name, _of_operation),
}
