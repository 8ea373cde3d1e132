"""Where records begin, and who is given them when they are complete.

A keeper that fails is logged, once in a while, and never fails a request.
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

    Attributes:
        active: What is under way, by its kind (`RequestRecord.kind`).
        failures: How often a keeper failed.
        streams: Streaming calls that are under way.
    """

    __slots__ = (
        "_asked", "_beginners", "_called", "_clock", "_late", "_quiet_until", "active",
        "failures", "streams",
    )  # fmt: skip

    def __init__(
        self,
        keepers: Sequence[Keeper],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.replace(keepers)
        self._clock = clock
        self._quiet_until = 0.0
        self.failures = 0
        self.streams: set[CallRecord] = set()
        self.active = {"request": 0, "socket": 0, "stream": 0, "operation": 0}

    def replace(
        self,
        keepers: Sequence[Keeper],
        beginners: Sequence[Beginner] = (),
        latecomers: Sequence[Latecomer] = (),
    ) -> None:
        """Gives what is complete from now on to others; what is under way goes on.

        Args:
            keepers: Who is given it.
            beginners: Who looks at each record as it begins.
            latecomers: Who is told of attempts that end after their calls.
        """
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
        for tried in self._late:
            tried(call, attempt)

    def became(self, record: RequestRecord, kind: str) -> None:
        """See Keeper."""
        self.active[record.kind] -= 1
        self.active[kind] += 1

    def called(self, call: CallRecord) -> None:
        """See Keeper."""
        for called in self._called:
            try:
                called(call)
            except Exception as bug:  # noqa: BLE001  it is logged, and the call goes on
                self._failed(bug)

    def asked(self, request: RequestRecord) -> None:
        """See Keeper."""
        self.active[request.kind] -= 1
        for asked in self._asked:
            try:
                asked(request)
            except Exception as bug:  # noqa: BLE001  it is logged, and the answer goes on
                self._failed(bug)

    def _failed(self, bug: Exception) -> None:
        self.failures += 1
        now = self._clock()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            log.error("what keeps records failed on one", exc_info=bug)
