"""Where records begin, and who is given them when they are complete.

They are handed on many at a time: what a keeper does for one costs a fraction then of what it costs
between all that is done to answer a request, where the processor has forgotten how. A keeper that
fails is logged, once in a while, and never fails a request.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final, Protocol, TypeVar

from gateway.head import Head
from gateway.record import AttemptRecord, CallRecord, Keeper, RequestRecord

log = logging.getLogger(__name__)

R = TypeVar("R")

_QUIET: Final = 60.0  # seconds between two lines about keepers that fail
_ENOUGH: Final = 64  # calls and requests that are handed on together
_SOON: Final = 0.02  # seconds after which those are that there are


class Beginner(Protocol):
    """Looks at each record as it begins."""

    def begins(self, record: RequestRecord) -> None:
        """Takes note that something began. Must not raise."""


class Latecomer(Protocol):
    """Takes note of attempts that end after their calls, which are given up first."""

    def tried(self, call: CallRecord, attempt: AttemptRecord) -> None:
        """Takes note of one. Must not raise."""


class Records(Keeper):
    """Begins records and hands them on.

    Args:
        keepers: Who is given what is complete.
        clock: A monotonic clock, in seconds: the one of upstreams.
        later: Calls a function after so many seconds; None hands each on at once.

    Attributes:
        active: What is under way, by its kind (`RequestRecord.kind`).
        failures: How often a keeper failed.
        streams: Streaming calls that are under way.
    """

    __slots__ = (
        "_asked", "_beginners", "_called", "_clock", "_late", "_later", "_over", "_quiet_until",
        "_rings", "active", "failures", "streams",
    )  # fmt: skip

    def __init__(
        self,
        keepers: Sequence[Keeper],
        clock: Callable[[], float] = monotonic,
        later: Callable[[float, Callable[[], None]], object] | None = None,
    ) -> None:
        self._over: list[CallRecord | RequestRecord] = []
        self._later = later
        self._rings = False  # whether there is a timer
        self._clock = clock
        self._quiet_until = 0.0
        self.failures = 0
        self.streams: set[CallRecord] = set()
        self.active = {"request": 0, "socket": 0, "stream": 0, "operation": 0}
        self.replace(keepers)

    def replace(
        self,
        keepers: Sequence[Keeper],
        beginners: Sequence[Beginner] = (),
        latecomers: Sequence[Latecomer] = (),
    ) -> None:
        """Gives what is complete from now on to others; what is under way goes on.

        What was complete before is handed on to those that were there.

        Args:
            keepers: Who is given it.
            beginners: Who looks at each record as it begins.
            latecomers: Who is told of attempts that end after their calls.
        """
        if self._over:
            self.flush()
        self._late = [each.tried for each in latecomers]
        self._called = [each.called for each in keepers]
        self._asked = [each.asked for each in keepers]
        self._beginners = [each.begins for each in beginners]

    def begin(self, head: Head) -> RequestRecord:
        """Begins the record of a request."""
        record = RequestRecord(head, self._clock, self)
        self.began(record)
        return record

    def began(self, record: RequestRecord) -> None:
        """See Keeper."""
        self.active[record.kind] += 1
        for begins in self._beginners:
            begins(record)

    def tried(self, call: CallRecord, attempt: AttemptRecord) -> None:
        """See Source."""
        if self._over:
            self.flush()  # its call is among them
        for tried in self._late:
            tried(call, attempt)

    def became(self, record: RequestRecord, kind: str) -> None:
        """See Keeper."""
        self.active[record.kind] -= 1
        self.active[kind] += 1

    def called(self, call: CallRecord) -> None:
        """See Keeper."""
        self._over.append(call)
        if not self._rings:  # what made it, such as a subscription, may go on for days
            self._soon()
        elif len(self._over) >= _ENOUGH:
            self.flush()

    def asked(self, request: RequestRecord) -> None:
        """See Keeper."""
        self.active[request.kind] -= 1
        self._over.append(request)
        if not self._rings:
            self._soon()
        elif len(self._over) >= _ENOUGH:
            self.flush()

    def _soon(self) -> None:
        """Has what is complete handed on after a while."""
        if self._later is None:
            self.flush()
        else:
            self._rings = True
            self._later(_SOON, self._ring)

    def _ring(self) -> None:
        self._rings = False
        self.flush()

    def flush(self) -> None:
        """Hands on what is complete."""
        over, self._over = self._over, []
        for each in over:
            if isinstance(each, CallRecord):
                for called in self._called:
                    try:
                        called(each)
                    except Exception as bug:  # noqa: BLE001  it is logged, and others go on
                        self._failed(bug)
                continue
            for asked in self._asked:
                try:
                    asked(each)
                except Exception as bug:  # noqa: BLE001  likewise
                    self._failed(bug)
            each.calls = ()  # which know of it: neither waits for a garbage collector

    def _failed(self, bug: Exception) -> None:
        self.failures += 1
        now = self._clock()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            log.error("what keeps records failed on one", exc_info=bug)
