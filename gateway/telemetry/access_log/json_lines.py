"""Lines of JSON: one object for each thing that a client asked.

What does not apply is left out, so that a line says what there is. Times are microseconds, but
`time`, which is RFC 3339 in UTC; sizes are bytes. docs/logging.md has each field, in this order.

Written by hand: it is made for every request, and any encoder of objects costs more than all of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted
from typing import Final, TypeAlias, TypeVar

from gateway.record import CallRecord, Principal, RequestRecord
from gateway.telemetry.access_log.digits import DIGITS
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


Shape: TypeAlias = tuple[
    str, str, str, str, int, str, str, int | None, str | None, str, str, int, str
]
"""What lines have in common that come again and again: see `_shape`, which makes it."""


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
        # Parts of lines that come again and again: by what was asked, and what became of it; by who
        # asks.
        self._shapes: dict[Shape, str] = {}
        self._senders: dict[tuple[str, str | None], str] = {}

    def line(self, record: RequestRecord) -> str:
        """Returns the line of a record that is complete."""
        calls, kind, head, began, ended = (
            record.calls, record.kind, record.head, record.began, record.ended,
        )  # fmt: skip
        call = calls[0] if len(calls) == 1 else None
        at = str(int((self._now() - record.clock() + began) * 1e6))
        shape = _shape(record, call)
        text = (
            f'{{"time":"{self._moments.of(at[:-6])}.{at[-6:]}Z"'
            f"{self._shapes.get(shape) or _keep(self._shapes, shape, _common(*shape))}"
        )
        if record.request_id:
            text += f',"request_id":{quoted(record.request_id)}'
        if record.trace is not None:
            text += f',"trace_id":"{record.trace.trace_id}"'
        if record.parent is not None and record.parent.request_id:
            text += f',"socket_id":{quoted(record.parent.request_id)}'
        if kind in _REQUESTS:
            sender = head.peer, head.headers.get("user-agent")
            path = head.path
            text += self._senders.get(sender) or self._sender(*sender)
            if path:
                text += f',"path":{quoted(path if len(path) <= MOST else cut(path))}'
            if head.query is not None:
                text += f',"query":{quoted(self._redaction.query(head.query))}'
        if record.operation_type:
            text += _operation(record)
        principal = record.principal if call is None else call.principal
        if principal is not None:
            text += _principal(principal)
        if call is not None:
            text += _one(record, call)
        elif kind == "request":
            text += (
                f',"received_bytes":{record.received},"sent_bytes":{record.sent}'
                f',"duration_us":{int((ended - began) * 1e6)}'
            )
        else:
            text += f',"duration_us":{int((ended - began) * 1e6)}'
        if call is None and calls:
            text += _several(record)
        if record.close:
            text += f',"close_code":{record.close}'
        return text + (',"gone":true}\n' if record.gone else "}\n")

    def _sender(self, peer: str, agent: str | None) -> str:
        """Returns the part of a line that says who sends, and keeps it."""
        text = f',"peer":{quoted(peer)}' if peer else ""
        if agent is not None:
            text += f',"user_agent":{quoted(cut(agent))}'
            if len(agent) > _LONGEST_KEPT:
                return text
        return _keep(self._senders, (peer, agent), text)


def _keep(parts: dict[K, str], key: K, text: str) -> str:
    """Keeps a part of lines; where there are too many, it begins anew."""
    if len(parts) >= _MOST_PARTS:
        parts.clear()
    parts[key] = text
    return text


def _shape(record: RequestRecord, call: CallRecord | None) -> Shape:
    """Returns what decides of what a line has in common with others, in the order of _common."""
    if call is None:
        return (
            record.front, record.kind, record.head.method, record.route, record.status,
            record.operation_type, "", record.code, record.reason, "", "", 0, "",
        )  # fmt: skip
    attempts = call.attempts
    return (
        record.front, record.kind, record.head.method, record.route, record.status,
        record.operation_type, call.method, call.code if call.began else record.code,
        record.reason or call.reason, call.upstream, attempts[-1].endpoint if attempts else "",
        len(attempts), call.cached,
    )  # fmt: skip


def _common(  # noqa: PLR0917  they are one key
    front: str,
    kind: str,
    verb: str,
    route: str,
    status: int,
    operation: str,
    method: str,
    code: int | None,
    reason: str | None,
    upstream: str,
    endpoint: str,
    attempts: int,
    cached: str,
) -> str:
    """Returns what lines of requests that are alike have in common."""
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
    if operation:
        text += f',"operation_type":"{operation}"'
    if method:
        text += f',"method":{quoted(method)}'
    return text + _ended(code, reason) + _course(upstream, endpoint, attempts, cached)


def _ended(code: int | None, reason: str | None) -> str:
    """Returns how something ended."""
    text = "" if code is None else f',"grpc_status":"{name_of(code)}"'
    return text if reason is None else f'{text},"reason":{quoted(reason)}'


def _course(upstream: str, endpoint: str, attempts: int, cached: str) -> str:
    """Returns where a call went."""
    text = f',"upstream":{quoted(upstream)}' if upstream else ""
    if attempts:
        text += f',"endpoint":{quoted(endpoint)},"attempts":{attempts}'
    return f'{text},"cached":"{cached}"' if cached else text


def _operation(record: RequestRecord) -> str:
    """Returns which operation of the graph was asked for."""
    text = f',"operation":{quoted(record.operation[:128])}' if record.operation else ""
    return f'{text},"document":"{record.document}"' if record.document else text


def _principal(principal: Principal) -> str:
    """Returns who asked."""
    text = f',"principal":{quoted(principal.subject[:256])}'
    text += f',"provider":{quoted(principal.provider)}'
    return text if principal.plan is None else f'{text},"plan":{quoted(principal.plan)}'


def _one(record: RequestRecord, call: CallRecord) -> str:
    """Returns the sizes and times of a request that made one call."""
    digits = DIGITS
    began, made, ended = record.began, call.began, record.ended
    if record.kind == "request":
        text = f',"received_bytes":{digits[record.received]},"sent_bytes":{digits[record.sent]}'
    else:
        text = f',"received_bytes":{call.received_bytes},"sent_bytes":{call.sent_bytes}'
    if call.received or call.sent:
        text += f',"received_messages":{call.received},"sent_messages":{call.sent}'
    whole = int((ended - began) * 1e6)
    if not made:
        return f'{text},"duration_us":{digits[whole]}'
    attempts = call.attempts
    if len(attempts) == 1:  # as `span` has it
        first, last = attempts[0].began, attempts[0].ended
    else:
        first, last = span(call, ended)
    # Of whole microseconds since the beginning, so that the phases add up to all of it.
    body, gates, upstream = (
        int((made - began) * 1e6), int((first - began) * 1e6), int((last - began) * 1e6),
    )  # fmt: skip
    text += (
        f',"duration_us":{digits[whole]},"body_us":{digits[body]}'
        f',"gates_us":{digits[gates - body]},"upstream_us":{digits[upstream - gates]}'
        f',"reply_us":{digits[whole - upstream]}'
    )
    return f'{text},"first_message_us":{int((call.first - began) * 1e6)}' if call.first else text


def _several(record: RequestRecord) -> str:
    """Returns the calls of a request that made several."""
    written = []
    for call in record.calls[:MOST_CALLS]:
        attempts = call.attempts
        endpoint = attempts[-1].endpoint if attempts else ""
        lasted = int((call.ended - call.began) * 1e6)
        written.append(
            f'{{"method":{quoted(call.method)}{_ended(call.code, call.reason)}'
            f"{_course(call.upstream, endpoint, len(attempts), call.cached)}"
            f',"duration_us":{lasted}}}'
        )
    return f',"calls_made":{record.made},"calls":[{",".join(written)}]'
