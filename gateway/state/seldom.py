"""What may be said again only when it has not been so for a while, by what it is of."""

from __future__ import annotations

from collections.abc import Callable, Hashable


class Seldom:
    """When each of a few topics came up last.

    Args:
        clock: Seconds, on a clock that never goes back.
        quiet: Seconds for which a topic must not have come up to be said again.
    """

    __slots__ = ("_clock", "_latest", "_quiet")

    def __init__(self, clock: Callable[[], float], quiet: float) -> None:
        self._clock = clock
        self._quiet = quiet
        self._latest: dict[Hashable, float] = {}

    def may(self, topic: Hashable) -> bool:
        """Takes note that a topic came up; returns whether to say so.

        Topics are never forgotten: there must be few.
        """
        now = self._clock()
        latest = self._latest.get(topic)
        self._latest[topic] = now
        return latest is None or now - latest >= self._quiet
