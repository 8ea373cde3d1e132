"""All numbers of one process: those that are counted here, and those that others have.

What others have is read when somebody asks, and costs nothing before. Where one of them fails, it
is left out, and logged: an operator wants the others all the more.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeAlias

from gateway.record import CallRecord
from gateway.telemetry.metrics import catalogue, standing, told
from gateway.telemetry.metrics.definition import Kind, Metric
from gateway.telemetry.metrics.instruments import Numbers
from gateway.telemetry.metrics.process import Process
from gateway.telemetry.metrics.requests import Requests
from gateway.telemetry.metrics.rising import Counted, Labels, Rising
from gateway.telemetry.metrics.streams import under_way, with_running
from gateway.telemetry.metrics.told import Rows, Told

log = logging.getLogger(__name__)

ReadNow: TypeAlias = "Callable[[], Iterable[tuple[Labels, float]]]"
"""Reads how much there is now, by labels."""

ReadCounted: TypeAlias = "Callable[[], Iterable[Counted]]"
"""Reads what was counted, by whom."""


class Metrics:
    """The numbers of one process. To be made in a running loop, and to be closed.

    Args:
        worker: Its number; 0 for one alone.
        running: Returns the streaming calls that are under way.
        is_trusted: See Requests.

    Attributes:
        requests: Counts requests and calls.
    """

    def __init__(
        self,
        worker: int,
        running: Callable[[], Collection[CallRecord]],
        is_trusted: Callable[[str], bool],
    ) -> None:
        self.requests = Requests(is_trusted)
        self._worker = worker
        self._life = secrets.token_hex(8)
        self._running = running
        self._overflows = Numbers(standing.OVERFLOWS)
        self._process = Process(str(worker))
        self._readers: dict[str, Callable[[], Rows]] = {}

    def close(self) -> None:
        """Ends what looks at the process."""
        self._process.close()

    def read(self, metric: Metric, read: ReadNow) -> None:
        """Has a gauge read from what others have."""
        assert metric.kind is Kind.GAUGE, "what grows is counted"
        self._readers[metric.name] = lambda: told.rows(read())

    def count(self, metric: Metric, read: ReadCounted) -> None:
        """Has a counter read from what others count."""
        assert metric.kind is Kind.COUNTER, "what does not grow is read"
        rising = Rising(metric.most)
        self._readers[metric.name] = lambda: told.rows(rising.read(read()))

    def content(self) -> dict[str, Any]:
        """Returns what this process tells: the answer to the operation `metrics`."""
        return {"worker": self._worker, "life": self._life, "metrics": self.told()}

    def told(self) -> Told:
        """Returns all numbers."""
        requests = self.requests
        # One whose client has left is counted, though its task may still clean up.
        running = [each for each in self._running() if not each.ended]
        histograms = (*requests.histograms, *self._process.histograms)
        counters = tuple(requests.counters)
        streams = (requests.messages, requests.message_bytes, requests.stalls)
        overflows = [
            *((each.metric.name, each.overflows) for each in histograms),
            *((each.metric.name, each.overflows) for each in (*counters, *streams)),
        ]
        for name, times in overflows:
            if times:
                self._overflows.child(name).value = times
        found: Told = {each.metric.name: told.histograms(each) for each in histograms}
        found |= {each.metric.name: told.numbers(each) for each in (*counters, self._overflows)}
        found |= with_running(requests, running)
        found[catalogue.STREAMS.name] = told.rows(under_way(running))
        found |= self._process.told()
        for name, read in self._readers.items():
            try:
                found[name] = read()
            except Exception:
                log.exception("the metric %s can't be read", name)
        return found
