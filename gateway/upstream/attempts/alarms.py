"""What of an upstream's calls is to happen later: one timer for all of it, and none a call.

A call that may be hedged sets an alarm, and nearly always turns it off again. So that costs a push
on a heap; the loop's timer is touched only where an alarm is earlier than all others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final

from gateway.upstream.later import CallAt, Timer, call_at

log = logging.getLogger("gateway.upstream")

_GRAIN: Final = 0.001  # seconds that a timer may be early
_FEW: Final = 100  # alarms that are off, and may stay in the heap


class Alarm:
    """Something that is to happen at a time. `ring` is None once it is off, or has rung."""

    __slots__ = ("ring",)

    def __init__(self, ring: Callable[[], None]) -> None:
        self.ring: Callable[[], None] | None = ring


class Alarms:
    """The alarms of one upstream.

    Args:
        clock: The event loop's, in seconds.
        call_at: Calls at a time of that clock.
    """

    __slots__ = ("_armed", "_call_at", "_clock", "_heap", "_number", "_off", "_timer")

    def __init__(self, clock: Callable[[], float], call_at: CallAt = call_at) -> None:
        self._clock = clock
        self._call_at = call_at
        # The number keeps alarms of one time in order.
        self._heap: list[tuple[float, int, Alarm]] = []
        self._number = 0
        self._off = 0
        self._timer: Timer | None = None
        self._armed = 0.0

    def __len__(self) -> int:
        return len(self._heap) - self._off

    def set(self, when: float, ring: Callable[[], None]) -> Alarm:
        """Has `ring` be called at `when`."""
        alarm = Alarm(ring)
        self._number += 1
        heappush(self._heap, (when, self._number, alarm))
        if self._timer is None or when < self._armed:
            self._arm(when)
        return alarm

    def turn_off(self, alarm: Alarm) -> None:
        """Has an alarm not ring. Without effect on one that has."""
        if alarm.ring is None:
            return
        alarm.ring = None
        self._off += 1
        if self._off > _FEW and self._off * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].ring is not None]
            heapify(self._heap)
            self._off = 0

    def end(self) -> None:
        """Has all of them ring now, and those that they set: what waits is not to wait on."""
        while self._heap:
            self._ring_first()
        self._disarm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, when: float) -> None:
        self._disarm()
        self._armed = when
        self._timer = self._call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        until = self._clock() + _GRAIN
        while self._heap and (self._heap[0][2].ring is None or self._heap[0][0] <= until):
            self._ring_first()
        self._arm_first()

    def _ring_first(self) -> None:
        alarm = heappop(self._heap)[2]
        ring, alarm.ring = alarm.ring, None
        if ring is None:
            self._off -= 1
            return
        try:
            ring()
        except Exception:
            log.exception("an alarm of an upstream failed on a bug")

    def _arm_first(self) -> None:
        """Arms the timer for the first alarm; what rang may have armed it for one it set."""
        if self._heap and (self._timer is None or self._heap[0][0] < self._armed):
            self._arm(self._heap[0][0])
