"""What was purged lately: what was asked for before may be outdated when it comes.

Purges are numbered. Of each tag its last is remembered, of so many tags; a purge that is not of one
tag, or not remembered any more, may have been of anything.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Final

_MOST: Final = 4096
"""Tags whose last purge is remembered."""


class Purged:
    """The purges of a cache.

    Attributes:
        count: How many there were.
    """

    __slots__ = ("_of_all", "_of_tags", "count")

    def __init__(self) -> None:
        self.count = 0
        self._of_all = 0
        self._of_tags: OrderedDict[str, int] = OrderedDict()

    def note(self, tag: str | None = None) -> None:
        """Takes note of a purge: of a tag, or of anything."""
        self.count += 1
        if tag is None:
            self._of_all = self.count
            return
        self._of_tags[tag] = self.count
        self._of_tags.move_to_end(tag)
        if len(self._of_tags) > _MOST:
            _, last = self._of_tags.popitem(last=False)
            self._of_all = max(self._of_all, last)

    def since(self, count: int, tags: Collection[str]) -> bool:
        """Whether what has these tags may have been purged since there were `count` purges."""
        if count == self.count:
            return False
        return count < self._of_all or any(count < self._of_tags.get(tag, 0) for tag in tags)
