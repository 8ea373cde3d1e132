"""What is served, and what became of reloads, as metrics."""

from __future__ import annotations

import platform

from gateway import __version__
from gateway.app.counted.sources import Sources
from gateway.telemetry.metrics import standing
from gateway.telemetry.metrics.metrics import Metrics


def read_process(metrics: Metrics, sources: Sources) -> None:
    """Has them read."""
    worker, reloads = str(sources.worker), sources.reloads
    build = (__version__, platform.python_version())
    metrics.read(standing.BUILD, lambda: [(build, 1)])
    metrics.read(standing.CONFIG, lambda: [((reloads.digest, worker), 1)])
    metrics.read(standing.GENERATION, lambda: [((worker,), reloads.generation)])
    if not sources.worker:  # of several, their supervisor tells
        metrics.read(standing.WORKERS, lambda: [((), 1)])
        metrics.read(standing.LAST_RELOAD, lambda: [((worker,), reloads.last or 0)])
        metrics.read(standing.LAST_RELOAD_OK, lambda: [((worker,), int(not reloads.last_failed))])
        metrics.count(
            standing.RELOADS,
            lambda: [
                (reloads, (outcome, worker), count) for outcome, count in reloads.outcomes.items()
            ],
        )
