"""Gives each record its place in a trace when it begins (`gateway.telemetry.records.Beginner`).

Done for every request, so with little: ids are numbers by chance, of a generator which is seeded
anew in each process. An id of zeros, which is none, comes once in more requests than anybody makes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.head import Fields
from gateway.record import TRACEPARENT, TRACESTATE, RequestRecord, Said, Trace
from gateway.telemetry.tracing.context import Parent, parent_of, state_of
from gateway.telemetry.tracing.numbers import getrandbits
from gateway.telemetry.tracing.sampling import MASK, Share, Wishes, by_chance

_SPAN_BITS: Final = 64
_BITS: Final = 128 + _SPAN_BITS
_BYTES: Final = _BITS // 8
_OF_TRACE: Final = -16  # a dash stands behind the first 16 bytes
_FLAGS: Final = (
    "00",
    "01",
    "02",
    "03",
)  # whether it is sampled, and 2 for random (section 3.2.2.5)


class Beginning:
    """Gives records their places.

    Args:
        share: The part of requests that is traced where no caller decided, from 0 to 1.
        rate: How many a second are traced since their callers say so.
        clock: A monotonic clock, in seconds.
    """

    __slots__ = ("_least", "_share", "_wishes")

    def __init__(self, share: float, rate: float, clock: Callable[[], float]) -> None:
        self._share = Share(share)
        self._least = self._share.least  # asked for by each request
        self._wishes = Wishes(rate, clock)

    def begins(self, record: RequestRecord) -> None:
        """See Beginner."""
        fields = record.head.headers if record.carrier is None else record.carrier
        value = fields.get(TRACEPARENT)
        if value is None:
            bare = fields.get(TRACESTATE) is None
        else:
            # Two of them say nothing (section 3.2): they are no list.
            parent = parent_of(value) if len(fields.all(TRACEPARENT)) == 1 else None
            if parent is not None:
                record.trace = self._joined(record, fields, parent)
                return
            bare = False
        bits = getrandbits(_BITS)
        ids = bits.to_bytes(_BYTES, "big").hex("-", _OF_TRACE)
        sampled = (bits >> _SPAN_BITS) & MASK >= self._least
        told = f"00-{ids}-03" if sampled else f"00-{ids}-02"
        record.trace = Trace(told, sampled, _span, bare)

    def _joined(self, record: RequestRecord, fields: Fields, parent: Parent) -> Trace:
        """Returns the place of a record in the trace of its caller."""
        heeded = parent.sampled and self._wishes.heeds()
        sampled = heeded or (parent.sampled and by_chance(self._share))
        above = parent.span
        socket = None if record.parent is None else record.parent.trace
        if socket is not None and socket.sampled and socket.parent == above:
            above = socket.span  # what the handshake says holds for all that comes on the socket
        state = state_of(fields.all(TRACESTATE)) if sampled else ""
        flags = _FLAGS[sampled + 2 * parent.random]
        told = f"00-{parent.trace_id}-{_span()}-{flags}"
        return Trace(told, sampled, _span, False, Said(above, state), not parent.sampled)


def _span() -> str:
    """Returns the id of a span."""
    return f"{getrandbits(_SPAN_BITS):016x}"
