"""Upstreams and their endpoints, as metrics: by upstream, as there may be many endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Final

from gateway.app.counted.sources import Sources
from gateway.telemetry.metrics import catalogue
from gateway.telemetry.metrics.metrics import Metrics, ReadNow
from gateway.telemetry.metrics.rising import Counted, Labels
from gateway.upstream.node import Cause, Node
from gateway.upstream.upstream import Upstream

AVAILABLE: Final = "available"
FAILING: Final = "failing"


def read_upstreams(metrics: Metrics, sources: Sources) -> None:
    """Has them read."""
    worker = str(sources.worker)

    def upstreams() -> Iterator[Upstream]:
        generation = sources.generation()
        if generation is not None:
            yield from generation.lease.upstreams.values()

    def each_of(number: Callable[[Upstream], float]) -> ReadNow:
        return lambda: [((each.name,), number(each)) for each in upstreams()]

    def events() -> Iterable[Counted]:
        for each in upstreams():
            for event, count in asdict(each.counts).items():
                yield each, (each.name, event), count

    def endpoints() -> Iterable[tuple[Labels, float]]:
        for each in upstreams():
            states = Counter(map(state_of, (*each.nodes.values(), *each.leaving)))
            for state in (AVAILABLE, FAILING, *(cause.value for cause in Cause)):
                yield (each.name, state, worker), states[state]

    def channels() -> Iterable[tuple[Labels, float]]:
        for each in upstreams():
            states = Counter(node.state.value for node in each.nodes.values())
            for state, count in states.items():
                yield (each.name, state), count

    def ejections() -> Iterable[Counted]:
        for each in upstreams():
            for node in (*each.nodes.values(), *each.leaving):
                yield node, (each.name,), node.ejections

    metrics.count(catalogue.UPSTREAM_EVENTS, events)
    metrics.read(catalogue.UPSTREAM_CALLS, each_of(lambda upstream: upstream.breaker.requests))
    metrics.read(catalogue.UPSTREAM_PENDING, each_of(lambda upstream: upstream.queue.waiting))
    metrics.read(catalogue.BREAKER, each_of(lambda upstream: int(upstream.breaker.full)))
    metrics.read(catalogue.ENDPOINTS, endpoints)
    metrics.read(catalogue.ENDPOINT_CONNECTIONS, channels)
    metrics.count(catalogue.EJECTIONS, ejections)


def state_of(node: Node) -> str:
    """Returns what keeps an endpoint from taking calls, the first of its causes; or AVAILABLE."""
    for cause in Cause:
        if cause in node.out:
            return cause.value
    return FAILING if node.broken else AVAILABLE
