"""The messages of streams, those of streams that run among them: some of these run for days."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway.record import CallRecord
from gateway.telemetry.metrics import catalogue
from gateway.telemetry.metrics.instruments import OTHER, Numbers
from gateway.telemetry.metrics.requests import Requests
from gateway.telemetry.metrics.rising import Labels
from gateway.telemetry.metrics.told import Told, rows

_RECEIVED: Final = "received"
_SENT: Final = "sent"


def under_way(running: Collection[CallRecord]) -> list[tuple[Labels, float]]:
    """Returns how many streaming calls run, by their labels."""
    counts: dict[Labels, float] = {}
    for call in running:
        _add(counts, (call.request.front, call.method), 1, catalogue.STREAMS.most)
    return list(counts.items())


def with_running(requests: Requests, running: Collection[CallRecord]) -> Told:
    """Returns what is told of messages: of calls that have ended, and of those that run.

    Args:
        requests: Counts those that have ended.
        running: The streaming calls that run.
    """
    messages, sizes, stalls = (
        _of(requests.messages),
        _of(requests.message_bytes),
        _of(requests.stalls),
    )
    for call in running:
        names = (call.request.front, call.method)
        _add(messages, (*names, _RECEIVED), call.received, catalogue.MESSAGES.most)
        _add(messages, (*names, _SENT), call.sent, catalogue.MESSAGES.most)
        _add(sizes, (*names, _RECEIVED), call.received_bytes, catalogue.MESSAGE_BYTES.most)
        _add(sizes, (*names, _SENT), call.sent_bytes, catalogue.MESSAGE_BYTES.most)
        if call.stalls:
            _add(stalls, names, call.stalls, catalogue.STALLS.most)
    return {
        catalogue.MESSAGES.name: rows(messages.items()),
        catalogue.MESSAGE_BYTES.name: rows(sizes.items()),
        catalogue.STALLS.name: rows(stalls.items()),
    }


def _of(family: Numbers) -> dict[Labels, float]:
    return {labels: number.value for labels, number in family}


def _add(totals: dict[Labels, float], labels: Labels, more: float, most: int) -> None:
    if labels not in totals and len(totals) >= most:
        labels = (OTHER,) * len(labels)
    totals[labels] = totals.get(labels, 0) + more
