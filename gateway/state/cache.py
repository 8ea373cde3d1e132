"""What is kept for a while, in so many bytes at most: entries by key, by tag and by group.

Which entries go when room is needed is decided as S3-FIFO does (Yang, Zhang, Qiu, Yue, Vigfusson:
"FIFO queues are all you need for cache eviction", SOSP 2023), counted in bytes. New entries come
into a small queue, a tenth of the room; those that are asked for twice before its end go on into
the main queue, the rest leave, and only their keys are remembered for a while: who comes back in
that time goes into the main queue at once. So a scan of what nobody asks for again passes through
a tenth of the room and drives out nothing. A hit moves nothing: it counts up to three. In the main
queue each hit is another round, up to `_CHANCES` of them in one go, so that no entry costs more
than a bounded time to let in, however warm the others are.

An entry is charged with all that it holds, also with what is added later (`Entry.keep`), and with
its places in the queues and the index, and that of a remembered key, of which there are never more
than there were entries. Entries end at their time, and are noticed when they are next asked for, or
when their turn to leave comes. What entries mean is not known here, nor how their sizes come about.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from typing import Final, Generic, TypeVar

from gateway.state.purged import Purged

V = TypeVar("V")

_SMALL: Final = 10
"""Percent of the room that is for the small queue, as the paper has it."""

_MOST_HITS: Final = 3  # that are counted of an entry: rounds in the main queue
_WARM: Final = 2
"""Hits that take an entry out of the small queue into the main one."""

_CHANCES: Final = 64
"""Entries that are spared in a row before one is not."""

_FORMS: Final = 8
"""Forms of an entry; the first made goes when there is another."""

ENTRY: Final = 720
"""Bytes of an entry beside what it holds: objects, key, places in a queue and by group, and a
remembered key (measured: tests/state/test_cache.py)."""

TAG: Final = 320
"""Bytes of a tag of an entry beside its text: a set, and places in it and in the index."""

FORM: Final = 440
"""Bytes of a form beside its contents, the table of forms among them."""


class _Queue(Generic[V]):
    """Entries in the order in which they came, and what they are charged with together."""

    __slots__ = ("entries", "taken")

    def __init__(self) -> None:
        self.entries: OrderedDict[bytes, Entry[V]] = OrderedDict()
        self.taken = 0


class Entry(Generic[V]):
    """Something that is kept. It is also the forms that were made of it (`gateway.kept.Forms`).

    Attributes:
        key: By which it is found.
        value: What it is.
        until: When it ends, on the clock of who keeps it.
        group: Its group.
        tags: Its tags.
        charge: Bytes that it is charged with.
        hits: How often it was asked for, up to three.
    """

    __slots__ = ("_forms", "_queue", "_store", "charge", "group", "hits", "key", "tags", "until",
                 "value")  # fmt: skip

    def __init__(
        self,
        key: bytes,
        value: V,
        *,
        until: float,
        group: str,
        tags: Collection[str],
        charge: int,
    ) -> None:
        self.key = key
        self.value = value
        self.until = until
        self.group = group
        self.tags = tags
        self.charge = charge
        self.hits = 0
        self._forms: dict[object, bytes] | None = None
        self._store: CacheStore[V] | None = None
        self._queue: _Queue[V] | None = None

    def get(self, form: object) -> bytes | None:
        """Returns it in a form, or None (`gateway.kept.Forms`)."""
        return None if self._forms is None else self._forms.get(form)

    def keep(self, form: object, made: bytes) -> None:
        """Takes it in a form, which it is charged with from now on.

        Args:
            form: What makes it, as small as can be: it is kept too.
            made: It in that form. One that is larger than any entry may be is not kept.
        """
        if self._store is not None:
            self._store._form(self, form, made)  # noqa: SLF001  the store's own


class CacheStore(Generic[V]):
    """Entries in memory. Every operation takes a bounded time, but the purges.

    Args:
        size: Bytes that all entries may be charged with together.
        entry_size: Bytes of the largest form that is kept of an entry.

    Attributes:
        evictions: Entries that made room for others, so far.
    """

    __slots__ = ("_by_group", "_by_tag", "_entry_size", "_left", "_main", "_purged", "_room",
                 "_small", "evictions")  # fmt: skip

    def __init__(self, size: int, entry_size: int) -> None:
        self._room = size
        self._entry_size = entry_size
        self._small: _Queue[V] = _Queue()
        self._main: _Queue[V] = _Queue()
        self._left: OrderedDict[bytes, None] = OrderedDict()
        self._by_tag: dict[str, set[bytes]] = {}
        self._by_group: dict[str, set[bytes]] = {}
        self._purged = Purged()
        self.evictions = 0

    async def open(self) -> None:
        """Begins no work: there is none."""

    async def close(self) -> None:
        """Lets go of all."""
        self.clear()

    def __len__(self) -> int:
        return len(self._small.entries) + len(self._main.entries)

    @property
    def taken(self) -> int:
        """The bytes that entries are charged with."""
        return self._small.taken + self._main.taken

    @property
    def purges(self) -> int:
        """How often something was purged."""
        return self._purged.count

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that have entries."""
        return tuple(self._by_group)

    def get(self, key: bytes, now: float) -> Entry[V] | None:
        """Returns the entry of a key; None where there is none, or its time is over."""
        entry = self._main.entries.get(key)
        if entry is None:
            entry = self._small.entries.get(key)
            if entry is None:
                return None
        if entry.until <= now:
            self._remove(entry)
            return None
        if entry.hits < _MOST_HITS:
            entry.hits += 1
        return entry

    def put(
        self,
        key: bytes,
        value: V,
        size: int,
        *,
        until: float,
        group: str,
        tags: Collection[str] = (),
    ) -> Entry[V]:
        """Keeps something, in place of what was kept under its key.

        Args:
            key: By which it is found; charged for as 24 bytes.
            value: What it is.
            size: Bytes that it holds.
            until: When it ends.
            group: By which it is purged.
            tags: By which it is purged, each once.

        Returns:
            The entry; not kept where there is no room for it.
        """
        charge = ENTRY + size + sum(TAG + len(tag) for tag in tags)
        entry = Entry(key, value, until=until, group=group, tags=tags, charge=charge)
        queue = self._queue_of(key)
        before = queue.entries.get(key)
        if before is not None:
            self._unlink(before)
            entry.hits = before.hits
        if charge > self._room:
            queue.entries.pop(key, None)
            return entry
        entry._store, entry._queue = self, queue  # noqa: SLF001  the store's own
        queue.entries[key] = entry  # in the old one's place, if there was one
        queue.taken += charge
        self._link(self._by_group, (group,), key)
        self._link(self._by_tag, tags, key)
        self._make_room()
        return entry

    def drop(self, key: bytes) -> None:
        """Lets go of the entry of a key, if there is one."""
        entry = self._main.entries.get(key) or self._small.entries.get(key)
        if entry is not None:
            self._remove(entry)

    def outdate(self, tag: str | None = None) -> None:
        """Takes note of a purge, of a tag or of anything: what was asked for before is outdated."""
        self._purged.note(tag)

    def outdated(self, purges: int, tags: Collection[str]) -> bool:
        """Whether what has these tags was purged since there were so many purges."""
        return self._purged.since(purges, tags)

    def purge_tag(self, tag: str, most: int) -> int:
        """Lets go of up to `most` entries that have a tag; returns how many."""
        self._purged.note(tag)
        return self._purge(self._by_tag, tag, most)

    def purge_group(self, group: str, most: int) -> int:
        """Lets go of up to `most` entries of a group; returns how many."""
        self._purged.note()
        return self._purge(self._by_group, group, most)

    def clear(self) -> int:
        """Lets go of all, also of remembered keys; returns how many entries there were."""
        self._purged.note()
        there = len(self)
        for queue in (self._small, self._main):
            for entry in queue.entries.values():
                entry._store = None  # noqa: SLF001  the store's own
            queue.entries.clear()
            queue.taken = 0
        self._left.clear()
        self._by_tag.clear()
        self._by_group.clear()
        return there

    def _queue_of(self, key: bytes) -> _Queue[V]:
        """Returns the queue that a key is in, or is to come into."""
        if key in self._main.entries:
            return self._main
        if key in self._left:
            del self._left[key]
            return self._main
        return self._small

    def _form(self, entry: Entry[V], form: object, made: bytes) -> None:
        forms, queue = entry._forms, entry._queue  # noqa: SLF001  the store's own
        if len(made) > self._entry_size or queue is None:
            return
        if forms is None:
            forms = entry._forms = {}  # noqa: SLF001
        freed = 0
        if form in forms:
            freed = FORM + len(forms.pop(form))
        elif len(forms) == _FORMS:
            freed = FORM + len(forms.pop(next(iter(forms))))
        forms[form] = made
        more = FORM + len(made) - freed
        entry.charge += more
        queue.taken += more
        self._make_room()

    def _make_room(self) -> None:
        spared = 0
        small, main = self._small, self._main
        while small.taken + main.taken > self._room:
            from_small = small.taken * 100 > self._room * _SMALL or not main.entries
            queue = small if from_small else main
            key, entry = next(iter(queue.entries.items()))
            if spared < _CHANCES and entry.hits >= (_WARM if from_small else 1):
                spared += 1
                self._spare(entry, queue)
            else:
                spared = 0
                self.evictions += 1
                self._remove(entry)
                if from_small:
                    self._left[key] = None
        while len(self._left) > len(self):
            self._left.popitem(last=False)

    def _spare(self, entry: Entry[V], queue: _Queue[V]) -> None:
        """Gives the first of a queue another round in the main one."""
        if queue is self._main:
            entry.hits -= 1
            queue.entries.move_to_end(entry.key)
            return
        entry.hits = 0
        del queue.entries[entry.key]
        queue.taken -= entry.charge
        entry._queue = self._main  # noqa: SLF001  the store's own
        self._main.entries[entry.key] = entry
        self._main.taken += entry.charge

    def _remove(self, entry: Entry[V]) -> None:
        queue = entry._queue  # noqa: SLF001  the store's own
        assert queue is not None, "it is kept"
        del queue.entries[entry.key]
        self._unlink(entry)

    def _unlink(self, entry: Entry[V]) -> None:
        """Takes an entry out of all but its queue's order."""
        queue = entry._queue  # noqa: SLF001  the store's own
        assert queue is not None, "it is kept"
        queue.taken -= entry.charge
        entry._store = entry._queue = None  # noqa: SLF001
        _drop(self._by_group, (entry.group,), entry.key)
        _drop(self._by_tag, entry.tags, entry.key)

    @staticmethod
    def _link(index: dict[str, set[bytes]], names: Iterable[str], key: bytes) -> None:
        for name in names:
            keys = index.get(name)
            if keys is None:
                keys = index[name] = set()
            keys.add(key)

    def _purge(self, index: dict[str, set[bytes]], name: str, most: int) -> int:
        keys = index.get(name)
        purged = 0
        # To look for the first in each part would take ever longer: a set keeps the gaps.
        while keys and purged < most:
            self.drop(keys.pop())
            purged += 1
        return purged


def _drop(index: dict[str, set[bytes]], names: Iterable[str], key: bytes) -> None:
    for name in names:
        keys = index[name]
        keys.discard(key)
        if not keys:
            del index[name]
