"""The metrics of the gateway itself: its process, its config, and what tells all the others.

Those of its work are `catalogue`'s, which has all of them together.
"""

from __future__ import annotations

from typing import Final

from gateway.telemetry.metrics import terms
from gateway.telemetry.metrics.definition import Kind, Metric, Together

_COUNTER, _GAUGE, _HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

# The process.

RELOADS: Final = Metric(
    "gateway.reloads",
    _COUNTER,
    "Reloads that took effect (ok), and that were refused (failed).",
    ("gateway.outcome", terms.WORKER),
    "{reload}",
)
LAST_RELOAD: Final = Metric(
    "gateway.reload.last.timestamp",
    _GAUGE,
    "When the last reload ended, in seconds since 1970; 0 before the first.",
    (terms.WORKER,),
    "s",
)
LAST_RELOAD_OK: Final = Metric(
    "gateway.reload.last.successful",
    _GAUGE,
    "Whether the last reload took effect, 1 or 0; 1 before the first.",
    (terms.WORKER,),
)
GENERATION: Final = Metric(
    "gateway.generation",
    _GAUGE,
    "How many configs have served since the start, this one included.",
    (terms.WORKER,),
    "{config}",
)
CONFIG: Final = Metric(
    "gateway.config.info",
    _GAUGE,
    "1; which config serves.",
    ("gateway.config.digest", terms.WORKER),
)
BUILD: Final = Metric(
    "gateway.build.info",
    _GAUGE,
    "1; what serves.",
    ("service.version", "process.runtime.version"),
    together=Together.MAX,
)
LAG: Final = Metric(
    "gateway.loop.lag",
    _HISTOGRAM,
    "How late the event loop was, looked at four times a second.",
    (terms.WORKER,),
    "s",
    terms.SHORT,
)
GC_PAUSE: Final = Metric(
    "gateway.gc.pause",
    _HISTOGRAM,
    "Time for which the garbage collector held up everything.",
    ("cpython.gc.generation", terms.WORKER),
    "s",
    terms.SHORT,
)
GC_COLLECTED: Final = Metric(
    "cpython.gc.collected_objects",
    _COUNTER,
    "Objects that the garbage collector collected.",
    ("cpython.gc.generation",),
    "{object}",
)
CPU: Final = Metric("process.cpu.time", _COUNTER, "CPU time.", ("cpu.mode", terms.WORKER), "s")
MEMORY: Final = Metric("process.memory.usage", _GAUGE, "Resident memory.", (terms.WORKER,), "By")
DESCRIPTORS: Final = Metric(
    "process.unix.file_descriptor.count",
    _GAUGE,
    "Open file descriptors.",
    (terms.WORKER,),
    "{file_descriptor}",
)
UPTIME: Final = Metric(
    "process.uptime", _GAUGE, "Time since the process started.", (terms.WORKER,), "s"
)
WORKERS: Final = Metric("gateway.workers", _GAUGE, "Workers that serve.", (), "{worker}")
RESTARTS: Final = Metric(
    "gateway.worker.restarts",
    _COUNTER,
    "Workers that ended and were started again.",
    (terms.WORKER,),
    "{restart}",
)

# What tells all this.

DROPPED: Final = Metric(
    "gateway.telemetry.dropped",
    _COUNTER,
    "What was not told, since there was too much of it: lines of the access log, spans.",
    ("gateway.what",),
    "{item}",
)
FAILURES: Final = Metric(
    "gateway.telemetry.failures",
    _COUNTER,
    "Times that what counts or tells of a request failed, on a bug.",
    (),
    "{failure}",
)
OVERFLOWS: Final = Metric(
    "gateway.metrics.overflows",
    _COUNTER,
    "Times that a metric was asked for labels beyond its bound: they are counted as `_other`.",
    ("gateway.metric",),
    "{time}",
)
