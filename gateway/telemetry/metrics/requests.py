"""Counts requests and calls as they end, by their records.

What counts for a record is found by one look into a table, under what tells such records apart, and
is made when one like it comes first: a handful of additions is all that is done for each after it.
A table that is full begins anew: what clients make up fills it, and is not to stay.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from time import time
from typing import Final, NamedTuple

from gateway.call import Code
from gateway.errors import REASONS
from gateway.record import AttemptRecord, CallRecord, RequestRecord
from gateway.telemetry.metrics import catalogue, terms
from gateway.telemetry.metrics.instruments import (
    Exemplar,
    Histogram,
    Histograms,
    Number,
    Numbers,
)
from gateway.telemetry.tables import keep

_CODES: Final = {code.value: code.name for code in Code}
_GIVEN_UP: Final = Code.CANCELLED.name
_SYSTEM: Final = "grpc"
_GRAPHQL: Final = "graphql"
_SERVER_ERROR: Final = 500
_GONE: Final = "CLIENT_GONE"  # as spans tell it
_OF_CLIENTS: Final = 3000  # close codes from here on are chosen by whom they come from
_ENTRIES: Final = 8192
_BOUNDS: Final = terms.SECONDS


class _Request(NamedTuple):
    """What counts requests that are alike."""

    duration: Histogram
    received: Number
    sent: Number


class _Call(NamedTuple):
    """What counts calls that are alike."""

    duration: Histogram
    cached: Number | None


class _Stream(NamedTuple):
    """What counts the messages of streams that are alike."""

    received: Number
    sent: Number
    received_bytes: Number
    sent_bytes: Number


class Requests:
    """Counts requests and calls (`gateway.record.Keeper`).

    Args:
        is_trusted: Whether a GraphQL document is a trusted one, by its hash.
        wall: Seconds since 1970, for exemplars.
    """

    __slots__ = (
        "_attempts",
        "_calls",
        "_is_trusted",
        "_operations",
        "_reasons",
        "_requests",
        "_streams",
        "_wall",
        "attempt_duration",
        "bodies",
        "cached",
        "call_duration",
        "closes",
        "cost",
        "http_duration",
        "message_bytes",
        "messages",
        "operation_duration",
        "refusals",
        "stalls",
    )

    def __init__(
        self,
        is_trusted: Callable[[str], bool],
        wall: Callable[[], float] = time,
    ) -> None:
        self.http_duration = Histograms(catalogue.HTTP_DURATION)
        self.bodies = Numbers(catalogue.HTTP_BODIES)
        self.refusals = Numbers(catalogue.REFUSALS)
        self.closes = Numbers(catalogue.CLOSES)
        self.call_duration = Histograms(catalogue.CALL_DURATION)
        self.attempt_duration = Histograms(catalogue.ATTEMPT_DURATION)
        self.cached = Numbers(catalogue.CACHED)
        self.messages = Numbers(catalogue.MESSAGES)
        self.message_bytes = Numbers(catalogue.MESSAGE_BYTES)
        self.stalls = Numbers(catalogue.STALLS)
        self.operation_duration = Histograms(catalogue.OPERATION_DURATION)
        self.cost = Histograms(catalogue.OPERATION_COST)
        self._reasons = set(REASONS)
        self._is_trusted = is_trusted
        self._wall = wall
        self._requests: dict[tuple[object, ...], _Request] = {}
        self._calls: dict[tuple[object, ...], _Call] = {}
        self._attempts: dict[tuple[object, ...], Histogram] = {}
        self._streams: dict[tuple[str, str], _Stream] = {}
        self._operations: dict[tuple[str, str, str | None], Histogram] = {}

    def know(self, reasons: Iterable[str]) -> None:
        """Takes in reasons beside `errors.REASONS` that requests may be refused with."""
        self._reasons.update(reasons)

    # What is told.

    @property
    def histograms(self) -> Iterable[Histograms]:
        """All histograms."""
        return (
            self.http_duration,
            self.call_duration,
            self.attempt_duration,
            self.operation_duration,
            self.cost,
        )

    @property
    def counters(self) -> Iterable[Numbers]:
        """All counters, but those of the messages of streams."""
        return self.bodies, self.refusals, self.closes, self.cached

    # What is counted.

    def asked(self, request: RequestRecord) -> None:
        """Counts a request, or what came over a socket (`Keeper`)."""
        kind = request.kind
        if kind == "request":
            head = request.head
            key = (
                request.status, request.route, request.front, head.method, head.scheme,
                head.version, request.reason, request.gone,
            )  # fmt: skip
            counts = self._requests.get(key) or self._request(key, request)
            seconds = request.ended - request.began
            duration = counts.duration
            duration.counts[bisect_left(_BOUNDS, seconds)] += 1
            duration.sum += seconds
            counts.received.value += request.received
            counts.sent.value += request.sent
            if request.trace is not None and request.trace.sampled:
                self._show(duration, request, seconds)
        elif kind == "socket":
            self._closed(request)
        if request.reason is not None:
            self._refused(request)
        if request.operation_type:
            self._operated(request)

    def called(self, call: CallRecord) -> None:
        """Counts a call, and its attempts (`Keeper`)."""
        request = call.request
        key = (call.method, request.front, call.code, call.reason, call.cached)
        counts = self._calls.get(key) or self._call(key, call)
        seconds = call.ended - call.began
        duration = counts.duration
        duration.counts[bisect_left(_BOUNDS, seconds)] += 1
        duration.sum += seconds
        if counts.cached is not None:
            counts.cached.value += 1
        for attempt in call.attempts:  # as in `tried`: to call it would cost as much as it does
            name = (call.method, attempt.upstream, attempt.code, attempt.reason)
            tried = self._attempts.get(name) or self._attempt(name, call.method, attempt)
            seconds = attempt.ended - attempt.began
            tried.counts[bisect_left(_BOUNDS, seconds)] += 1
            tried.sum += seconds
        if call.received or call.sent:
            self._streamed(call)
        if call.reason is not None:
            self.refusals.child(request.front, self._known(call.reason)).value += 1
        if request.trace is not None and request.trace.sampled:
            self._show(duration, request, call.ended - call.began)

    def tried(self, call: CallRecord, attempt: AttemptRecord) -> None:
        """Counts an attempt (`gateway.telemetry.records.Latecomer`)."""
        key = (call.method, attempt.upstream, attempt.code, attempt.reason)
        duration = self._attempts.get(key) or self._attempt(key, call.method, attempt)
        seconds = attempt.ended - attempt.began
        duration.counts[bisect_left(_BOUNDS, seconds)] += 1
        duration.sum += seconds

    # What is done when something is the first of its kind.

    def _request(self, key: tuple[object, ...], request: RequestRecord) -> _Request:
        status = request.status
        error = ""
        if status >= _SERVER_ERROR:
            error = str(status) if request.reason is None else self._known(request.reason)
        elif request.gone:
            error = _GONE
        made = _Request(
            self.http_duration.child(
                terms.verb(request.head.method),
                request.head.scheme,
                request.route,
                str(status),
                request.head.version,
                error,
            ),
            self.bodies.child(request.front, request.route, "received"),
            self.bodies.child(request.front, request.route, "sent"),
        )
        return keep(self._requests, key, made, _ENTRIES)

    def _call(self, key: tuple[object, ...], call: CallRecord) -> _Call:
        code = _name(call.code)
        error = "" if call.code == Code.OK else self._error(code, call.reason)
        cached = self.cached.child(call.method, call.cached) if call.cached else None
        duration = self.call_duration.child(call.request.front, call.method, code, error)
        made = _Call(duration, cached)
        return keep(self._calls, key, made, _ENTRIES)

    def _attempt(self, key: tuple[object, ...], method: str, attempt: AttemptRecord) -> Histogram:
        code = _name(attempt.code)
        error = "" if attempt.code == Code.OK else self._error(code, attempt.reason)
        made = self.attempt_duration.child(_SYSTEM, method, code, error, attempt.upstream)
        return keep(self._attempts, key, made, _ENTRIES)

    # What is not done for every one.

    def _closed(self, request: RequestRecord) -> None:
        """Counts a socket that has closed, and the request that it was before."""
        head = request.head
        opened = self.http_duration.child(
            terms.verb(head.method),
            head.scheme,
            request.route,
            str(request.status),
            head.version,
            "",
        )
        opened.observe(request.replied - request.began)
        is_known = request.closed_here or request.close < _OF_CLIENTS
        code = str(request.close) if is_known else terms.UNKNOWN
        self.closes.child(request.front, code).value += 1

    def _refused(self, request: RequestRecord) -> None:
        """Counts what a request was refused with, unless that was its call, which is counted.

        What its client cancelled itself, such as a stream on its socket, is no refusal.
        """
        reason = request.reason
        if reason is None or reason == _GIVEN_UP:
            return
        if all(call.reason != reason for call in request.calls):
            self.refusals.child(request.front, self._known(reason)).value += 1

    def _streamed(self, call: CallRecord) -> None:
        counts = self._stream(call.request.front, call.method)
        counts.received.value += call.received
        counts.sent.value += call.sent
        counts.received_bytes.value += call.received_bytes
        counts.sent_bytes.value += call.sent_bytes
        if call.stalls:  # most fronts know none
            self.stalls.child(call.request.front, call.method).value += call.stalls

    def _stream(self, front: str, method: str) -> _Stream:
        counts = self._streams.get((front, method))
        if counts is None:
            counts = _Stream(
                self.messages.child(front, method, "received"),
                self.messages.child(front, method, "sent"),
                self.message_bytes.child(front, method, "received"),
                self.message_bytes.child(front, method, "sent"),
            )
            keep(self._streams, (front, method), counts, _ENTRIES)
        return counts

    def _operated(self, request: RequestRecord) -> None:
        named = request.operation if self._is_trusted(request.document) else ""
        key = (request.operation_type, named, request.reason)
        duration = self._operations.get(key)
        if duration is None:
            error = "" if request.reason is None else self._known(request.reason)
            duration = self.operation_duration.child(request.operation_type, named, error)
            keep(self._operations, key, duration, _ENTRIES)
        duration.observe(request.ended - request.began)
        if request.cost:
            self.cost.child().observe(request.cost)

    def _show(self, duration: Histogram, request: RequestRecord, seconds: float) -> None:
        trace = request.trace
        assert trace is not None, "it is sampled"
        duration.show(Exemplar(trace.trace_id, seconds, self._wall()))

    def _error(self, code: str, reason: str | None) -> str:
        return code if reason is None else self._known(reason)

    def _known(self, reason: str) -> str:
        return reason if reason in self._reasons else terms.UNKNOWN


def _name(code: int | None) -> str:
    """Returns the name of a gRPC code; that of a call that was given up is CANCELLED."""
    return _GIVEN_UP if code is None else _CODES.get(code, terms.UNKNOWN)
