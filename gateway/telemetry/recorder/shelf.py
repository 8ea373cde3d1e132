"""A bounded store of which each kind of thing has its share.

Where there is no room left, the oldest of the kind that has most makes place: a flood of one kind
pushes out its own, and what happens seldom stays. All in constant time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_WINDOW: Final = 1.0


class _Kind(Generic[T]):
    """Things of one kind.

    Attributes:
        things: The oldest first.
        since: When the present second began.
        taken: Those that came in it.
    """

    __slots__ = ("since", "taken", "things")

    def __init__(self) -> None:
        self.things: deque[T] = deque()
        self.since = 0.0
        self.taken = 0


class Shelf(Generic[T]):
    """Keeps so many things, and no more.

    Args:
        places: How many; 1 or more.
        leaves: Told of each thing that makes place.

    Attributes:
        crowded: Things that were not wanted, for as many of their kind came within a second as
            there are places.
    """

    __slots__ = ("_kinds", "_leaves", "_places", "_sizes", "_top", "_total", "crowded")

    def __init__(self, places: int, leaves: Callable[[T], None]) -> None:
        self._places = places
        self._leaves = leaves
        self._kinds: dict[Hashable, _Kind[T]] = {}
        # Kinds by how many they have: a dict keeps its order, and anybody in it can leave.
        self._sizes: list[dict[Hashable, None]] = [{} for _ in range(places + 2)]
        self._top = 0
        self._total = 0
        self.crowded = 0

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[T]:
        for kind in self._kinds.values():
            yield from kind.things

    def wants(self, key: Hashable, now: float) -> bool:
        """Whether there is a use in keeping one more of a kind.

        Those of a second that there is no room for would push out one another.

        Args:
            key: The kind.
            now: Seconds that only grow.
        """
        kind = self._kinds.get(key)
        if kind is None:
            return True
        if now - kind.since >= _WINDOW:
            kind.since, kind.taken = now, 0
        if kind.taken >= self._places:
            self.crowded += 1
            return False
        kind.taken += 1
        return True

    def put(self, key: Hashable, thing: T) -> None:
        """Keeps a thing; another may make place for it."""
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = _Kind()
        size = len(kind.things)
        kind.things.append(thing)
        self._move(key, size, size + 1)
        self._top = max(self._top, size + 1)
        self._total += 1
        if self._total > self._places:
            self._make_place()

    def resize(self, places: int) -> None:
        """Keeps so many from now on."""
        self._places = places
        more = places + 2 - len(self._sizes)
        self._sizes += [{} for _ in range(more)]
        while self._total > places:
            self._make_place()

    def _make_place(self) -> None:
        size = self._top
        key = next(iter(self._sizes[size]))
        kind = self._kinds[key]
        oldest = kind.things.popleft()
        self._move(key, size, size - 1)
        if not self._sizes[size]:
            self._top = size - 1
        if size == 1:
            del self._kinds[key]
        self._total -= 1
        self._leaves(oldest)

    def _move(self, key: Hashable, size: int, to: int) -> None:
        if size:
            del self._sizes[size][key]
        if to:
            self._sizes[to][key] = None
