"""The spans of a call: its own, and below it those of what it waited for, and of its attempts.

The call is what came into its chain. Its waits are what held it up there: a key that was fetched, a
limit that was asked for. Its attempts are what backends saw, and know the ids of; those that ran at
once, hedges, stand beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.call import Code
from gateway.record import AttemptRecord, CallRecord, Trace
from gateway.telemetry.codes import name_of
from gateway.telemetry.tracing.span import MOST, Attributes, Event, Kind, Span, address, fault

_GIVEN_UP = Code.CANCELLED.name


def spans_of_call(call: CallRecord, span: str, trace: Trace, over: float) -> Iterator[Span]:
    """Yields the spans of a call.

    Args:
        call: Its record.
        span: The id of its own span.
        trace: The trace.
        over: When its request ended, which counts where the call has not.
    """
    yield _of_call(call, span, trace, call.ended or over)
    for what, began, until in call.waits or ():
        yield _below(span, trace, trace.new(), name=what, began=began, ended=until)
    for attempt in call.attempts:
        made = span_of_attempt(call, attempt)
        if made is not None:
            yield made


def span_of_attempt(call: CallRecord, attempt: AttemptRecord) -> Span | None:
    """Returns the span of an attempt; None for one that has none."""
    trace = call.request.trace
    if trace is None or call.span is None or attempt.span is None:
        return None
    times = {"began": attempt.began, "ended": attempt.ended}
    made = _below(call.span, trace, attempt.span, name=call.method, **times)
    before = sum(each.began < attempt.began for each in call.attempts)
    return _described(made, call, attempt, before)


def _below(above: str, trace: Trace, span: str, *, name: str, began: float, ended: float) -> Span:
    """Returns a span within the gateway, of which nothing is said so far."""
    return Span(
        trace.trace_id,
        span,
        above,
        remote=False,
        state=trace.state,
        name=name,
        kind=Kind.INTERNAL,
        began=began,
        ended=ended,
        attributes={},
    )


def _of_call(call: CallRecord, span: str, trace: Trace, ended: float) -> Span:
    error = None if call.code is None else fault(call.code, call.reason)
    attributes: Attributes = {"rpc.method": call.method, "rpc.response.status_code": _code(call)}
    for name, value in (
        ("error.type", error),
        ("gateway.upstream", call.upstream),
        ("gateway.cached", call.cached),
        ("gateway.graphql.path", call.path[:MOST]),
        ("gateway.reason", call.reason),
        ("gateway.messages.received", call.received),
        ("gateway.messages.sent", call.sent),
        ("gateway.messages.stalled", call.stalls),
    ):
        if value:
            attributes[name] = value
    made = _below(trace.span, trace, span, name=call.method, began=call.began, ended=ended)
    events = (Event("first message", call.first),) if call.first else ()
    return made._replace(attributes=attributes, failed=error is not None, events=events)


def _described(made: Span, call: CallRecord, attempt: AttemptRecord, before: int) -> Span:
    """Returns the span of an attempt with what is said of it.

    Args:
        made: It, so far.
        call: Its call.
        attempt: Its record.
        before: How many attempts of the call began before it.
    """
    name, port = address(attempt.endpoint)
    attributes: Attributes = {
        "rpc.system.name": "grpc",
        "rpc.method": call.method,
        "rpc.response.status_code": _code(attempt),
        "server.address": name,
        "gateway.upstream": attempt.upstream,
    }
    if port is not None:
        attributes["server.port"] = port
    if before:
        attributes["previous-rpc-attempts"] = before  # as gRPC itself calls it (proposal A72)
    if not attempt.seen:
        attributes["gateway.attempt.sent"] = False
    if attempt.code is None:
        attributes["gateway.attempt.given_up"] = True
    # To a client, all but OK is a failure; but one that it gave up itself is none.
    failed = attempt.code is not None and attempt.code != Code.OK
    if failed:
        attributes["error.type"] = attempt.reason or _code(attempt)
    return made._replace(kind=Kind.CLIENT, attributes=attributes, failed=failed)


def _code(ended: CallRecord | AttemptRecord) -> str:
    return _GIVEN_UP if ended.code is None else name_of(ended.code)
