"""Lines of JSON: one object for each thing that a client asked.

What does not apply is left out, so that a line says what there is. Times are microseconds, but
`time`, which is RFC 3339 in UTC; sizes are bytes. docs/logging.md has each field, in this order.

Written by hand: it is made for every request, and any encoder of objects costs more than all of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted
from math import floor, inf
from typing import Final, TypeAlias

from gateway.record import CallRecord, Principal, RequestRecord
from gateway.telemetry.access_log.digits import DIGITS
from gateway.telemetry.access_log.moments import Moments, rfc3339
from gateway.telemetry.access_log.redaction import MOST, Redaction, cut
from gateway.telemetry.codes import name_of
from gateway.telemetry.phases import span
from gateway.telemetry.tables import keep

MOST_CALLS: Final = 32
"""Calls of one request that are in its line, where it made several."""

_MOST_PARTS: Final = 4096  # parts of lines of each sort that are kept
_LOOK: Final = 1.0  # seconds between two looks at the wall clock
_NAME: Final = 256  # characters of who asks
_BRIEF: Final = 64  # characters of what a client sends, in a brief line
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
        self._ahead = 0.0  # seconds
        self._until = -inf  # when to look again
        # Parts of lines that come again and again: by what was asked, and what became of it; by who
        # asks.
        self._shapes: dict[Shape, str] = {}
        self._senders: dict[tuple[str, str | None], str] = {}

    def line(self, record: RequestRecord, *, brief: bool = False) -> str:
        """Returns the line of a record that is complete.

        A brief one is below 4 KiB, and says so: without calls, query and user agent.
        """
        calls, kind, head = record.calls, record.kind, record.head
        call = calls[0] if len(calls) == 1 else None
        if record.ended >= self._until:
            self._look(record.clock())
        at = str(floor((record.began + self._ahead) * 1e6))
        shape = _shape(record, call)
        common = self._shapes.get(shape) or keep(self._shapes, shape, _common(*shape), _MOST_PARTS)
        # What does not apply is empty; all is put together at once, for every piece costs.
        request_id = trace = socket = sender = target = operation = who = closed = ""
        if name := record.request_id:
            request_id = f',"request_id":{_name(name)}'
        if record.trace is not None:
            trace = f',"trace_id":"{record.trace.trace_id}"'
        if record.parent is not None and record.parent.request_id:
            socket = f',"socket_id":{quoted(record.parent.request_id)}'
        if kind in _REQUESTS:
            by = head.peer, None if brief else head.headers.get("user-agent")
            sender = self._senders.get(by) or self._sender(*by)
            path = head.path[:_BRIEF] if brief else head.path
            target = self._target(path, None if brief else head.query)
        if record.operation_type:
            operation = _operation(record)
        principal = record.principal if call is None else call.principal
        if principal is not None:
            who = _principal(principal, _BRIEF if brief else _NAME)
        course = _several(record, brief=brief) if call is None else _one(record, call)
        if record.close:
            closed = f',"close_code":{record.close}'
        if record.gone:
            closed += ',"gone":true'
        if brief:
            closed += ',"brief":true'
        return (
            f'{{"time":"{self._moments.of(at[:-6])}.{at[-6:]}Z"{common}{request_id}{trace}{socket}'
            f"{sender}{target}{operation}{who}{course}{closed}}}\n"
        )

    def _look(self, now: float) -> None:
        """Looks how far the wall clock is ahead of the monotonic one: now and then, as it is set.

        Args:
            now: The time on that one.
        """
        self._ahead = self._now() - now
        self._until = now + _LOOK

    def _target(self, path: str, query: str | None) -> str:
        """Returns the part of a line that says what is asked for."""
        text = f',"path":{quoted(path if len(path) <= MOST else cut(path))}' if path else ""
        return text if query is None else f'{text},"query":{quoted(self._redaction.query(query))}'

    def _sender(self, peer: str, agent: str | None) -> str:
        """Returns the part of a line that says who sends, and keeps it."""
        text = f',"peer":{quoted(peer)}' if peer else ""
        if agent is not None:
            text += f',"user_agent":{quoted(cut(agent))}'
            if len(agent) > _LONGEST_KEPT:
                return text
        return keep(self._senders, (peer, agent), text, _MOST_PARTS)


def _shape(record: RequestRecord, call: CallRecord | None) -> Shape:
    """Returns what decides of what a line has in common with others, in the order of _common."""
    if call is None:
        return (
            record.front, record.kind, record.head.method, record.route, record.status,
            record.operation_type, "", record.code, record.reason, "", "", 0, "",
        )  # fmt: skip
    return (
        record.front, record.kind, record.head.method, record.route, record.status,
        record.operation_type, call.method, call.code if call.began else record.code,
        record.reason or call.reason, call.upstream, call.where(), call.begun, call.cached,
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


def _name(request_id: str) -> str:
    """Returns the id of a request as JSON; one of the gateway's own needs no care."""
    plain = request_id.isalnum() and request_id.isascii()
    return f'"{request_id}"' if plain else quoted(request_id)


def _operation(record: RequestRecord) -> str:
    """Returns which operation of the graph was asked for."""
    text = f',"operation":{quoted(record.operation[:128])}' if record.operation else ""
    return f'{text},"document":"{record.document}"' if record.document else text


def _principal(principal: Principal, most: int) -> str:
    """Returns who asked."""
    text = f',"principal":{quoted(principal.subject[:most])}'
    text += f',"provider":{quoted(principal.provider)}'
    return text if principal.plan is None else f'{text},"plan":{quoted(principal.plan)}'


def _one(record: RequestRecord, call: CallRecord) -> str:
    """Returns the sizes and times of a request that made one call."""
    digits = DIGITS
    began, made, ended = record.began, call.began, record.ended
    messages = first_message = ""
    if record.kind == "request":
        received, sent = record.received, record.sent
    else:
        received, sent = call.received_bytes, call.sent_bytes
    if call.received or call.sent:
        messages = f',"received_messages":{call.received},"sent_messages":{call.sent}'
    whole = floor((ended - began) * 1e6)
    text = (
        f',"received_bytes":{digits[received]},"sent_bytes":{digits[sent]}{messages}'
        f',"duration_us":{digits[whole]}'
    )
    if not made:
        return text
    first, last = span(call, ended)
    # Of whole microseconds since the beginning, so that the phases add up to all of it.
    body = floor((made - began) * 1e6)
    gates = floor((first - began) * 1e6)
    upstream = floor((last - began) * 1e6)
    if call.first:
        first_message = f',"first_message_us":{floor((call.first - began) * 1e6)}'
    return (
        f'{text},"body_us":{digits[body]}'
        f',"gates_us":{digits[gates - body]},"upstream_us":{digits[upstream - gates]}'
        f',"reply_us":{digits[whole - upstream]}{first_message}'
    )


def _several(record: RequestRecord, *, brief: bool) -> str:
    """Returns the sizes and times of a request that made no call, or several, and those."""
    text = f',"duration_us":{floor((record.ended - record.began) * 1e6)}'
    if record.kind == "request":
        text = f',"received_bytes":{record.received},"sent_bytes":{record.sent}{text}'
    if not record.calls:
        return text
    if brief:
        return f'{text},"calls_made":{record.made}'
    written = []
    for call in record.calls[:MOST_CALLS]:
        lasted = floor((call.ended - call.began) * 1e6)
        written.append(
            f'{{"method":{quoted(call.method)}{_ended(call.code, call.reason)}'
            f"{_course(call.upstream, call.where(), call.begun, call.cached)}"
            f',"duration_us":{lasted}}}'
        )
    return f'{text},"calls_made":{record.made},"calls":[{",".join(written)}]'
