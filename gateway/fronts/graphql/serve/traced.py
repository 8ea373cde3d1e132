"""The trace that an operation on a WebSocket belongs to, as its client says.

Browsers can set no header of a handshake, and a socket may have operations of many traces. The
protocol has no place for it but an operation's `extensions`, which are the client's to fill: there,
`traceparent` and `tracestate` count as if the operation had come by itself with such headers.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.http import Request
from gateway.record import TRACEPARENT, TRACESTATE


def traced(head: Request, extensions: Mapping[str, object] | None) -> Request:
    """Returns the head of an operation: the socket's, with the trace that the client names."""
    if not extensions:
        return head
    parent = extensions.get(TRACEPARENT)
    if not isinstance(parent, str):
        return head
    state = extensions.get(TRACESTATE)
    named = head.with_field(TRACEPARENT, parent)
    if isinstance(state, str):
        return named.with_field(TRACESTATE, state)
    return named.with_field(TRACESTATE, "") if TRACESTATE in head.headers else named
