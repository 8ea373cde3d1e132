"""Limits, bounds, caches and mirrors, as metrics: of what outlives generations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Final

from gateway.app.concurrency import ADAPTIVE, BOUND, METHOD_BOUND, UPSTREAM_BOUND
from gateway.app.counted.sources import Sources
from gateway.app.lasting import Still
from gateway.app.limits import TALLY
from gateway.policies.concurrency import Running
from gateway.policies.limits.tally import Tally
from gateway.policies.mirror import Copies
from gateway.state.cache import CacheStore
from gateway.telemetry.metrics import catalogue
from gateway.telemetry.metrics.metrics import Metrics, ReadNow
from gateway.telemetry.metrics.rising import Counted, Labels

_BOUNDS: Final = frozenset({METHOD_BOUND, UPSTREAM_BOUND})


def read_policies(metrics: Metrics, sources: Sources) -> None:
    """Has them read."""

    def lasting() -> Iterator[tuple[tuple[object, ...], object]]:
        """Yields what the generation that serves uses, by what it is made of."""
        generation = sources.generation()
        for key, each in () if generation is None else generation.taken.used.items():
            if isinstance(key, tuple):
                yield key, each.it if isinstance(each, Still) else each

    def limits() -> Iterable[Counted]:
        for key, each in lasting():
            if key[0] == TALLY and isinstance(each, Tally):
                for decision, count in asdict(each).items():
                    yield each, (str(key[1]), decision), count

    def bounds() -> Iterable[tuple[Labels, float]]:
        for key, each in lasting():
            if key[0] == BOUND and key[1] in _BOUNDS and isinstance(each, Running):
                yield (str(key[1]), str(key[2])), each.calls

    def adaptive(number: str) -> ReadNow:
        def read() -> Iterable[tuple[Labels, float]]:
            for key, each in lasting():
                if key[0] == ADAPTIVE:
                    yield (str(key[1]),), getattr(each, number)

        return read

    def stores(number: Callable[[CacheStore[object]], float]) -> ReadNow:
        def read() -> Iterable[tuple[Labels, float]]:
            for key, each in lasting():
                if isinstance(each, CacheStore):
                    yield (str(key[0]),), number(each)

        return read

    def evictions() -> Iterable[Counted]:
        for key, each in lasting():
            if isinstance(each, CacheStore):
                yield each, (str(key[0]),), each.evictions

    def copies() -> Iterable[Counted]:
        for _, each in lasting():
            if isinstance(each, Copies):
                for outcome, count in asdict(each.counts).items():
                    yield each, (each.upstream, outcome), count

    metrics.count(catalogue.LIMIT_DECISIONS, limits)
    metrics.read(catalogue.CONCURRENCY, bounds)
    metrics.read(catalogue.ADAPTIVE_LIMIT, adaptive("limit"))
    metrics.read(catalogue.ADAPTIVE_RUNNING, adaptive("running"))
    metrics.read(catalogue.ADAPTIVE_WAITING, adaptive("waiting"))
    metrics.read(catalogue.CACHE_ENTRIES, stores(len))
    metrics.read(catalogue.CACHE_BYTES, stores(lambda store: store.taken))
    metrics.count(catalogue.CACHE_EVICTIONS, evictions)
    metrics.count(catalogue.COPIES, copies)
