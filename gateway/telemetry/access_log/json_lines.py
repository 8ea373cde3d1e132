"""Lines of JSON: one object for each thing that a client asked.

What does not apply is left out, so that a line says what there is. Times are microseconds, but
`time`, which is RFC 3339 in UTC; sizes are bytes. docs/logging.md has each field, in this order.

Written by hand: it is made for every request, and any encoder of objects costs more than all of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted
from typing import Final, TypeVar

from gateway.head import Head
from gateway.record import CallRecord, RequestRecord
from gateway.telemetry.access_log.moments import Moments, rfc3339
from gateway.telemetry.access_log.redaction import MOST, Redaction, cut
from gateway.telemetry.codes import name_of
from gateway.telemetry.phases import span

K = TypeVar("K")

MOST_CALLS: Final = 32
"""Calls of one request that are in its line, where it made several."""

_MOST_PARTS: Final = 4096  # parts of lines of each sort that are kept
_LONGEST_KEPT: Final = 256  # characters of what a client sends: what is kept of it is bounded
_REQUESTS: Final = frozenset({"request", "socket"})


class JsonLines:
    """Writes lines.

    Args:
        redaction: What is left out of queries.
        now: The wall clock, in seconds since 1970.
    """

    def __init__(self, redaction: Redaction, now: Callable[[], float] = time.time) -> None:
        self._redaction = redaction
        self._now = now
        self._moments = Moments(rfc3339)
        # Parts of lines that come again and again: by what a request is, who sends it, where it
        # goes.
        self._shapes: dict[tuple[str, str, str, str, int, str], str] = {}
        self._senders: dict[tuple[str, str | None], str] = {}
        self._courses: dict[tuple[str, str], str] = {}

    def line(self, record: RequestRecord) -> str:
        """Returns the line of a record that is complete."""
        calls = record.calls
        call = calls[0] if len(calls) == 1 else None
        head, ended = record.head, record.ended
        lasted = ended - record.began
        at = self._now() - lasted
        second = int(at)
        shape = (
            record.front,
            record.kind,
            head.method,
            record.route,
            record.status,
            "" if call is None else call.method,
        )
        text = (
            f'{{"time":"{self._moments.of(second)}.{int((at - second) * 1e6):06d}Z"'
            f"{self._shapes.get(shape) or self._shape(*shape)}"
        )
        if record.request_id:
            text += f',"request_id":{quoted(record.request_id)}'
        if record.trace is not None:
            text += f',"trace_id":"{record.trace.trace_id.hex()}"'
        if record.parent is not None and record.parent.request_id:
            text += f',"socket_id":{quoted(record.parent.request_id)}'
        if record.kind in _REQUESTS:
            sender = head.peer, head.headers.get("user-agent")
            text += self._senders.get(sender) or self._sender(*sender)
            if head.path:
                text += f',"path":{_path(head)}'
            if head.query is not None:
                text += f',"query":{quoted(self._redaction.query(head.query))}'
        if record.operation_type:
            text += _operation(record)
        text += _outcome(record, call)
        if call is None:
            if record.kind == "request":
                text += f',"received_bytes":{record.received},"sent_bytes":{record.sent}'
            text += f',"duration_us":{int(lasted * 1e6)}'
            if calls:
                text += self._several(record)
        else:
            text += self._one(record, call)
        if record.close:
            text += f',"close_code":{record.close}'
        return text + (',"gone":true}\n' if record.gone else "}\n")

    def _one(self, record: RequestRecord, call: CallRecord) -> str:
        """Returns the sizes, times and course of a request that made one call."""
        sizes = record if record.kind == "request" else None
        received = call.received_bytes if sizes is None else sizes.received
        sent = call.sent_bytes if sizes is None else sizes.sent
        text = f',"received_bytes":{received},"sent_bytes":{sent}'
        if call.received or call.sent:
            text += f',"received_messages":{call.received},"sent_messages":{call.sent}'
        began, made, ended = record.began, call.began, record.ended
        text += f',"duration_us":{int((ended - began) * 1e6)}'
        if not made:
            return text
        first, last = span(call, ended)
        text += (
            f',"body_us":{int((made - began) * 1e6)},"gates_us":{int((first - made) * 1e6)}'
            f',"upstream_us":{int((last - first) * 1e6)},"reply_us":{int((ended - last) * 1e6)}'
        )
        if call.first:
            text += f',"first_message_us":{int((call.first - began) * 1e6)}'
        return text + self._course(call)

    def _several(self, record: RequestRecord) -> str:
        """Returns the calls of a request that made several."""
        written = []
        for call in record.calls[:MOST_CALLS]:
            code = "" if call.code is None else f',"grpc_status":"{name_of(call.code)}"'
            lasted = int((call.ended - call.began) * 1e6)
            text = f'{{"method":{quoted(call.method)}{code},"duration_us":{lasted}'
            if call.reason is not None:
                text += f',"reason":{quoted(call.reason)}'
            written.append(f"{text}{self._course(call)}}}")
        return f',"calls_made":{record.made},"calls":[{",".join(written)}]'

    def _course(self, call: CallRecord) -> str:
        """Returns where a call went."""
        attempts = call.attempts
        course = call.upstream, attempts[-1].endpoint if attempts else ""
        text = self._courses.get(course)
        if text is None:
            upstream, endpoint = course
            text = f',"upstream":{quoted(upstream)}' if upstream else ""
            text += f',"endpoint":{quoted(endpoint)}' if endpoint else ""
            _keep(self._courses, course, text)
        if attempts:
            text += f',"attempts":{len(attempts)}'
        return f'{text},"cached":"{call.cached}"' if call.cached else text

    def _sender(self, peer: str, agent: str | None) -> str:
        """Returns the part of a line that says who sends, and keeps it."""
        text = f',"peer":{quoted(peer)}' if peer else ""
        if agent is not None:
            text += f',"user_agent":{quoted(cut(agent))}'
            if len(agent) > _LONGEST_KEPT:
                return text
        return _keep(self._senders, (peer, agent), text)

    def _shape(  # noqa: PLR0917  they are one key
        self, front: str, kind: str, verb: str, route: str, status: int, method: str
    ) -> str:
        """Returns what lines of requests that are alike have in common, and keeps it."""
        text = f',"kind":"{kind}"'
        if front:
            text += f',"front":"{front}"'
        if kind in _REQUESTS:
            if verb:  # the listener refuses some requests before they have one
                text += f',"http_method":{quoted(verb[:32])}'
            if route:
                text += f',"route":{quoted(route)}'
            if status:
                text += f',"http_status":{status}'
        if method:
            text += f',"method":{quoted(method)}'
        return _keep(self._shapes, (front, kind, verb, route, status, method), text)


def _keep(parts: dict[K, str], key: K, text: str) -> str:
    """Keeps a part of lines; where there are too many, it begins anew."""
    if len(parts) >= _MOST_PARTS:
        parts.clear()
    parts[key] = text
    return text


def _path(head: Head) -> str:
    """Returns the path of a request as JSON."""
    return quoted(head.path if len(head.path) <= MOST else cut(head.path))


def _operation(record: RequestRecord) -> str:
    """Returns what was asked of the graph."""
    text = ""
    if record.operation_type:
        text = f',"operation_type":"{record.operation_type}"'
    if record.operation:
        text += f',"operation":{quoted(record.operation[:128])}'
    if record.document:
        text += f',"document":"{record.document}"'
    return text


def _outcome(record: RequestRecord, call: CallRecord | None) -> str:
    """Returns how it ended, and who asked."""
    text = ""
    code = record.code if call is None or not call.began else call.code
    if code is not None:
        text = f',"grpc_status":"{name_of(code)}"'
    reason = record.reason or (None if call is None else call.reason)
    if reason is not None:
        text += f',"reason":{quoted(reason)}'
    principal = record.principal if call is None else call.principal
    if principal is not None:
        text += f',"principal":{quoted(principal.subject[:256])}'
        text += f',"provider":{quoted(principal.provider)}'
        if principal.plan is not None:
            text += f',"plan":{quoted(principal.plan)}'
    return text
