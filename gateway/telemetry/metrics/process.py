"""How the process itself does: CPU, memory, files, the event loop and the garbage collector.

What the system tells is read when somebody asks. The loop is looked at four times a second, and the
collector tells itself when it runs: neither costs a request anything.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from gateway.telemetry.metrics import standing
from gateway.telemetry.metrics.definition import Metric
from gateway.telemetry.metrics.instruments import Histograms
from gateway.telemetry.metrics.told import Rows, Told, rows

INTERVAL: Final = 0.25
"""Seconds between two looks at the event loop."""

_PROC: Final = Path("/proc/self")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_STARTED: Final = 19  # of the fields of `stat` after the name: when the process started, in ticks


class Process:
    """This process. To be made in a running loop, and to be closed.

    Args:
        worker: Its number, as a label.
        clock: Seconds that only grow.
        later: Calls a function after so many seconds; the running loop's by default.
    """

    def __init__(
        self,
        worker: str,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], asyncio.TimerHandle] | None = None,
    ) -> None:
        self._worker = worker
        self._clock = clock
        self._later = later or asyncio.get_running_loop().call_later
        self._lags = Histograms(standing.LAG)
        self._lag = self._lags.child(worker)
        self._pauses = Histograms(standing.GC_PAUSE)
        self._collecting = 0.0
        gc.callbacks.append(self._collects)
        self._timer = self._wait()

    def close(self) -> None:
        """Looks no more."""
        self._timer.cancel()
        gc.callbacks.remove(self._collects)

    @property
    def histograms(self) -> Iterable[Histograms]:
        """What was looked at."""
        return self._lags, self._pauses

    def told(self) -> Told:
        """Returns what the system tells now; what it does not tell is left out."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            standing.CPU.name: rows(
                [
                    (("user", self._worker), used.ru_utime),
                    (("system", self._worker), used.ru_stime),
                ]
            ),
            standing.GC_COLLECTED.name: rows(
                ((str(number),), each["collected"]) for number, each in enumerate(gc.get_stats())
            ),
            **self._read(standing.MEMORY, _resident),
            **self._read(standing.DESCRIPTORS, _descriptors),
            **self._read(standing.UPTIME, _uptime),
        }

    def _read(self, metric: Metric, read: Callable[[], float]) -> dict[str, Rows]:
        try:
            return {metric.name: rows([((self._worker,), read())])}
        except OSError:  # a system without /proc
            return {}

    def _wait(self) -> asyncio.TimerHandle:
        self._due = self._clock() + INTERVAL
        return self._later(INTERVAL, self._look)

    def _look(self) -> None:
        self._lag.observe(max(0.0, self._clock() - self._due))
        self._timer = self._wait()

    def _collects(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._collecting = self._clock()
        else:
            pause = self._pauses.child(str(info["generation"]), self._worker)
            pause.observe(self._clock() - self._collecting)


def _resident() -> float:
    return int((_PROC / "statm").read_text().split()[1]) * _PAGE


def _descriptors() -> float:
    return sum(1 for _ in (_PROC / "fd").iterdir()) - 1  # less the one that lists them


def _uptime() -> float:
    after_name = (_PROC / "stat").read_text().rpartition(")")[2].split()
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(after_name[_STARTED]) / _TICKS
