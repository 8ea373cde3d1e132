"""Counters that others keep, as ones that never go back, whatever becomes of those others.

A reload may end what counted (an upstream, a cache), and make it anew: its count begins at 0 again.
Prometheus would take that for a restart, which it allows for; but of several workers' sums it could
not know which part restarted, and would count the rest of the sum twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from gateway.telemetry.metrics.instruments import OTHER

Labels: TypeAlias = "tuple[str, ...]"

Counted: TypeAlias = "tuple[object, Labels, float]"
"""Who counted, for which labels, how much."""


class Rising:
    """The numbers of one counter, read again and again.

    Args:
        most: Sets of labels that are told apart; all beyond are one.
    """

    __slots__ = ("_before", "_last", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        # What each of those that count has counted, by its identity.
        self._last: dict[tuple[int, Labels], float] = {}
        # What was counted by those that have ended.
        self._before: dict[Labels, float] = {}

    def read(self, found: Iterable[Counted]) -> list[tuple[Labels, float]]:
        """Returns what was counted so far, also by those that are gone."""
        now = {(id(who), labels): value for who, labels, value in found}
        for key, last in self._last.items():
            if now.get(key, 0) < last:
                self._add(self._before, key[1], last)
        self._last = now
        totals = dict(self._before)
        for (_, labels), value in now.items():
            self._add(totals, labels, value)
        return list(totals.items())

    def _add(self, totals: dict[Labels, float], labels: Labels, value: float) -> None:
        if labels not in totals and len(totals) >= self._most:
            labels = (OTHER,) * len(labels)
        totals[labels] = totals.get(labels, 0) + value
