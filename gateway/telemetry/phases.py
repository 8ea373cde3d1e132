"""Where the time of a request and of its call went: pure functions of their records.

Of a request that made one call four phases follow one another: until the call began (its body had
to come), until its first attempt (gates, limits, a cache, a place in a queue), until the end of its
last attempt, and until the answer had left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from gateway.record import CallRecord, RequestRecord

Phases: TypeAlias = "list[tuple[str, float]]"
"""Phases in their order, each with its seconds; they add up to all of a request."""


def span(call: CallRecord, ended: float) -> tuple[float, float]:
    """Returns when the first attempt of a call began, and when the last ended.

    Of a call that was given up, an attempt may end after it: the last ends with the call then.
    Without attempts both are the call's end.

    Args:
        call: The call, which was begun.
        ended: When its request ended, which counts where the call has not.
    """
    attempts = call.attempts
    if attempts and call.code is not None:
        # Hedges end in any order; the last of the list is the last that ended.
        return call.given, attempts[-1].ended
    over = call.ended or ended
    return (call.given if call.begun else over), over


def phases_of(
    request: RequestRecord,
    calls: Sequence[CallRecord],
    late: Sequence[tuple[float, float]] = (),
) -> Phases:
    """Returns the phases of a request.

    Of one with several calls, those are one phase, from the first's begin to the last's end.

    Args:
        request: The request, which is over.
        calls: Its calls: a request that is over has let go of them.
        late: When attempts of its only call began and ended that ended after it.
    """
    began, ended = request.began, request.ended
    begun = [each for each in calls if each.began]
    if not begun:
        return [("all", ended - began)]
    start = min(each.began for each in begun)
    body = ("request body", start - began)
    if len(begun) > 1:
        over = max(each.ended or ended for each in begun)
        return [body, ("calls", over - start), ("reply", ended - over)]
    call = begun[0]
    first, last = span(call, ended)
    if not call.attempts and not late:
        return [body, ("in the gateway", last - start), ("reply", ended - last)]
    if late:
        first = min(first, *(since for since, _ in late))
        last = min(ended, max(until for _, until in late))
    return [
        body,
        ("policies and queues", first - start),
        ("backend", last - first),
        ("reply", ended - last),
    ]
