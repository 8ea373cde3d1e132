"""The pings that a WebSocket's client owes an answer to (RFC 6455 sections 5.5.2 and 5.5.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

Answered: TypeAlias = "Callable[[float], None]"

_MOST: Final = 16  # that are remembered; the oldest is forgotten


class Pings:
    """Pings that were sent, each with a number as its data."""

    __slots__ = ("_number", "_sent")

    def __init__(self) -> None:
        self._number = 0
        self._sent: dict[bytes, tuple[float, Answered | None]] = {}

    def sends(self, now: float, answered: Answered | None) -> bytes:
        """Returns the data of another ping."""
        if len(self._sent) >= _MOST:
            del self._sent[next(iter(self._sent))]
        self._number += 1
        data = b"%d" % self._number
        self._sent[data] = now, answered
        return data

    def answers(self, data: bytes, now: float) -> Iterator[tuple[Answered, float]]:
        """Iterates over whom a pong is for, and the seconds that it took.

        A pong answers all pings before its own, too. One that nobody asked for answers none.
        """
        if data not in self._sent:
            return
        for sent in list(self._sent):
            at, answered = self._sent.pop(sent)
            if answered is not None:
                yield answered, now - at
            if sent == data:
                return
