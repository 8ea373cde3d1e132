"""How long a gateway's event loop stands still, as its admin listener shows it.

A process of its own asks `/healthz` on one connection, again and again: what answers it waits for
the loop as every call does. The time of an answer is that of the longest standstill in it, and what
the machine needed to let both processes run.
"""

from __future__ import annotations

import http.client
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_EVERY: Final = 0.002  # seconds between an answer and the next question


class Beat(NamedTuple):
    """One answer: when it was asked for and when it came, in seconds of the monotonic clock."""

    asked: float
    answered: float


def longest(beats: Sequence[Beat], spans: Sequence[tuple[float, float]] | None = None) -> float:
    """Returns the milliseconds of the longest of the beats, or of those that touch some spans."""
    return max(
        (
            (each.answered - each.asked) * 1e3
            for each in beats
            if spans is None
            or any(each.asked < end and each.answered > start for start, end in spans)
        ),
        default=0.0,
    )


@contextmanager
def pulse(admin: str) -> Iterator[list[Beat]]:
    """Feels it until the block ends; what it yields is filled then.

    Args:
        admin: The URL of the admin listener.
    """
    beats: list[Beat] = []
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_feel, args=(urlsplit(admin).netloc, theirs))
    process.start()
    try:
        yield beats
    finally:
        ours.send(None)
        beats += [Beat(*each) for each in ours.recv()]
        process.join()


def _feel(address: str, told: Connection) -> None:
    """Asks until it is told to end; then tells all that it has felt."""
    beats = []
    asking = http.client.HTTPConnection(address)
    while not told.poll(_EVERY):
        asked = time.monotonic()
        asking.request("GET", "/healthz")
        asking.getresponse().read()
        beats.append((asked, time.monotonic()))
    told.send(beats)
