"""What graphs keep of documents and plans, as metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gateway.app.counted.sources import Sources
from gateway.telemetry.metrics import catalogue
from gateway.telemetry.metrics.metrics import Metrics, ReadCounted
from gateway.telemetry.metrics.rising import Counted, Labels

if TYPE_CHECKING:
    from gateway.fronts.graphql.document.lookups import Lookups


def read_graphql(metrics: Metrics, sources: Sources) -> None:
    """Has them read."""

    def counted(of: Callable[[Lookups], dict[Labels, int]]) -> ReadCounted:
        def read() -> Iterable[Counted]:
            # All graphs of a process count in one place.
            for graph in list(sources.graphs())[:1]:
                lookups = graph.engine.documents.lookups
                for labels, value in of(lookups).items():
                    yield lookups, labels, value

        return read

    metrics.count(
        catalogue.DOCUMENT_LOOKUPS,
        counted(lambda lookups: {("hit",): lookups.hits, ("miss",): lookups.misses}),
    )
    metrics.count(
        catalogue.PLAN_LOOKUPS,
        counted(lambda lookups: {("hit",): lookups.plan_hits, ("miss",): lookups.plan_misses}),
    )
    metrics.count(catalogue.DOCUMENT_EVICTIONS, counted(lambda lookups: {(): lookups.evictions}))
    metrics.read(
        catalogue.DOCUMENTS,
        lambda: [((), sum(len(each.engine.documents) for each in sources.graphs()))],
    )
    metrics.read(
        catalogue.DOCUMENT_BYTES,
        lambda: [((), sum(each.engine.documents.size for each in sources.graphs()))],
    )
