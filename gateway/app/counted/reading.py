"""Has all be read that the parts of an app have in numbers."""

from __future__ import annotations

from typing import Final

from gateway.app.counted.clients import read_clients
from gateway.app.counted.graphql import read_graphql
from gateway.app.counted.policies import read_policies
from gateway.app.counted.process import read_process
from gateway.app.counted.sources import Sources
from gateway.app.counted.upstreams import read_upstreams
from gateway.telemetry.metrics.metrics import Metrics

_PARTS: Final = (read_clients, read_graphql, read_policies, read_process, read_upstreams)


def read_all(metrics: Metrics, sources: Sources) -> None:
    """Has them read."""
    for read in _PARTS:
        read(metrics, sources)
