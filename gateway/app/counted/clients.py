"""Connections, requests and sockets of clients, as metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gateway.app.counted.sources import Sources
from gateway.telemetry.metrics import catalogue, terms
from gateway.telemetry.metrics.metrics import Metrics
from gateway.telemetry.metrics.rising import Counted, Labels


def read_clients(metrics: Metrics, sources: Sources) -> None:
    """Has them read."""

    def connections() -> Iterable[tuple[Labels, float]]:
        listener = sources.listener()
        return [((), 0 if listener is None else listener.connections)]

    def accepted() -> Iterable[Counted]:
        listener = sources.listener()
        return [] if listener is None else [(listener, (), listener.accepted)]

    def active() -> Iterable[tuple[Labels, float]]:
        listener = sources.listener()
        under_way = () if listener is None else listener.under_way()
        counts = Counter((terms.verb(each.method), each.scheme) for each in under_way)
        return list(counts.items())

    def sockets() -> Iterable[tuple[Labels, float]]:
        roster = sources.sessions.roster
        return [((form,), count) for form, count in roster.by_form().items()]

    metrics.read(catalogue.CONNECTIONS, connections)
    metrics.count(catalogue.ACCEPTED, accepted)
    metrics.read(catalogue.HTTP_ACTIVE, active)
    metrics.read(catalogue.SOCKETS, sockets)
    metrics.read(catalogue.WAITING_SESSIONS, lambda: [((), sources.sessions.waiting)])
