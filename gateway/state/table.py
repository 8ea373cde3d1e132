"""A hash table of a bounded number of keys, each with three floats, in one piece of memory.

It never grows, allocates nothing for a key, and gives the garbage collector nothing to look at: a
key costs the same at a million as at ten, and nothing ever pauses. Several processes may map the
same piece (`share`, `attach`). What the floats mean is its user's: but the first is the time from
which on they are worth nothing, so that a full table knows what to forget.

A key is kept as its tag only: BLAKE2b of 64 bits, keyed by a secret that is made with the table, so
that nobody can choose keys that meet. Two keys share a tag by chance with a probability of 3e-8
among a million. A tag belongs to a set of 16 slots, and is looked for in that set alone, by one
`mmap.find` over 128 bytes. A new key takes an empty slot of its set, else that whose numbers are
worth nothing soonest: mostly nothing already; if they still were worth something, it is counted in
`evicted`. The key that is forgotten is as good as new to its user, so the policy is: the bucket
that is full again first goes first.

There is a set for every ten keys, so 1.6 slots a key: a million keys in use at a time lose 0.55 %
(sets fill unevenly, by Poisson; with sets of 8 it would be 2.4 %, with 1.5 slots a key 0.9 %).

Memory, in bytes a key of `keys`: 12.8 for tags, and 12.8 for each of the three numbers, in arrays
of their own: 51.2 in all, of address space. Resident is what was touched, in pages: the tags and
the first number where users keep one (25.6), the second (38.4), the third (51.2). As keys spread
over all pages, a hundredth of `keys` in use touches most of them. Before the arrays stand 8 KiB: a
header, and the mutexes.

    0     header: magic, ways, keys, sets, secret
    4096  mutexes
    8192  tags; first, second, third numbers: each from a multiple of 4096 on

What is written holds at every step, so a process may die between any two: numbers are written in
their order, and a tag after its numbers. Every read and write of a number is one of eight aligned
bytes.
"""

from __future__ import annotations

import logging
import math
import mmap
import os
import secrets
import struct
from hashlib import blake2b
from typing import Final, Self

from gateway.state.mutex import COUNT, SIZE, Mutexes, mutexes

log = logging.getLogger("gateway.state")

WAYS: Final = 16
_KEYS_OF_A_SET: Final = 10
_MAGIC: Final = b"gwtable1"
_HEADER: Final = struct.Struct("<8sQQQ16s")
_TAG: Final = struct.Struct("<Q")
_EMPTY: Final = bytes(_TAG.size)
_ONE: Final = _TAG.pack(1)  # instead of the one tag that means an empty slot
_SET: Final = WAYS * _TAG.size
_PAGE: Final = 4096  # of the layout; the system's may be larger
_MUTEXES: Final = _PAGE
_TAGS: Final = 2 * _PAGE
_TOLD_FROM: Final = 100  # a part of `keys`: when so many more were evicted, it is told
_QUIET: Final = 3600.0  # seconds between two such lines

if COUNT * SIZE > _TAGS - _MUTEXES:
    raise AssertionError("the mutexes have no room")


class TableError(Exception):
    """What was to be attached is not a table."""


class Table:
    """A table of its own, or one that is shared.

    Made by `private`, `share` or `attach`.

    Attributes:
        keys: For how many it was made.
        first: The first number of each slot; also `second` and `third`.
        locks: The mutexes of what is shared: a set's is its number modulo `mutex.COUNT`. None
            where nothing is.
        evicted: Keys that this process has forgotten while their numbers were worth something.
    """

    __slots__ = (
        *("_find", "_hash", "_memory", "_quiet_until", "_sets", "_told"),
        *("evicted", "first", "keys", "locks", "second", "third"),
    )

    def __init__(self, memory: mmap.mmap, locks: Mutexes | None) -> None:
        _, _, self.keys, self._sets, secret = _HEADER.unpack_from(memory)
        self._memory = memory
        self._hash = blake2b(digest_size=_TAG.size, key=secret)
        self._find = memory.find
        self.locks = locks
        self.evicted = 0
        self._told = 0  # of those evicted
        self._quiet_until = -math.inf
        length = self._sets * _SET
        arrays = memoryview(memory)
        starts = [_TAGS + number * _whole_pages(length) for number in (1, 2, 3)]
        self.first, self.second, self.third = (
            arrays[start : start + length].cast("d") for start in starts
        )

    @classmethod
    def private(cls, keys: int, *, secret: bytes | None = None) -> Self:
        """Returns one that this process has for itself.

        Args:
            keys: How many may be in use at a time.
            secret: 16 bytes; None for random ones.
        """
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        memory = mmap.mmap(-1, size(keys), flags=flags)
        _write_header(memory, keys, secret)
        return cls(memory, None)

    @classmethod
    def share(cls, keys: int, fd: int, *, secret: bytes | None = None) -> Self:
        """Makes one in an empty file, for others to `attach`.

        Args:
            keys: How many may be in use at a time.
            fd: The file, such as a memfd; it gets its length. It may be closed afterwards where the
                system has robust mutexes (Linux).
            secret: 16 bytes; None for random ones.
        """
        os.ftruncate(fd, size(keys))
        memory = mmap.mmap(fd, size(keys))
        locks = mutexes(memory, fd, _MUTEXES, fresh=True)
        _write_header(memory, keys, secret)
        return cls(memory, locks)

    @classmethod
    def attach(cls, fd: int) -> Self:
        """Returns one that another process, or this one, has made by `share`.

        Args:
            fd: The file.

        Raises:
            TableError: It is none, or of another version of the gateway.
        """
        length = os.fstat(fd).st_size
        if length < _TAGS:
            raise TableError(f"a table of limits has more than {length} bytes")
        memory = mmap.mmap(fd, length)
        magic, ways, keys, sets, _ = _HEADER.unpack_from(memory)
        if (magic, ways, sets, length) != (_MAGIC, WAYS, _sets(keys), size(keys)):
            memory.close()
            raise TableError("it is not a table of limits as this version of the gateway has them")
        return cls(memory, mutexes(memory, fd, _MUTEXES, fresh=False))

    def locate(self, key: str) -> tuple[bytes, int]:
        """Returns a key's tag, and the number of the set where it belongs."""
        hashed = self._hash.copy()
        hashed.update(key.encode("utf-8", "surrogatepass"))
        tag = hashed.digest()
        (number,) = _TAG.unpack(tag)
        return (tag if number else _ONE), number % self._sets

    def find(self, tag: bytes, where: int) -> int:
        """Returns the slot of a tag in its set, or -1."""
        start = _TAGS + where * _SET
        at = self._find(tag, start, start + _SET)
        while at & 7 and at > 0:  # not a tag, but parts of two
            at = self._find(tag, at + 1, start + _SET)
        return (at - _TAGS) // 8 if at > 0 else -1

    def read(self, slot: int, count: int) -> tuple[float, float, float]:
        """Returns the first `count` numbers of a slot, and 0 for the others."""
        return (
            self.first[slot],
            self.second[slot] if count > 1 else 0.0,
            self.third[slot] if count > 2 else 0.0,
        )

    def write(self, slot: int, numbers: tuple[float, float, float], count: int) -> None:
        """Writes the first `count` numbers of a slot."""
        self.first[slot] = numbers[0]
        if count > 1:
            self.second[slot] = numbers[1]
        if count > 2:
            self.third[slot] = numbers[2]

    def insert(
        self,
        tag: bytes,
        where: int,
        numbers: tuple[float, float, float],
        count: int,
        now: float,
    ) -> None:
        """Keeps a tag that is not in its set.

        Args:
            tag: The tag.
            where: Its set.
            numbers: Its numbers.
            count: How many of them it has.
            now: What is worth something only until then is worth nothing.
        """
        slot = self.find(_EMPTY, where)
        if slot < 0:
            first = where * WAYS
            until = self.first[first : first + WAYS].tolist()
            soonest = min(until)
            slot = first + until.index(soonest)
            if soonest > now:
                self._count_evicted(now)
            self._tag(slot, _EMPTY)
        self.write(slot, numbers, count)
        self._tag(slot, tag)

    def _tag(self, slot: int, tag: bytes) -> None:
        at = _TAGS + slot * _TAG.size
        self._memory[at : at + _TAG.size] = tag

    def _count_evicted(self, now: float) -> None:
        self.evicted += 1
        if self.evicted - self._told > self.keys // _TOLD_FROM and now >= self._quiet_until:
            self._told, self._quiet_until = self.evicted, now + _QUIET
            log.warning(
                "more than %d keys of limits are in use: those whose limits are nearest to being "
                "whole again are forgotten",
                self.keys,
            )

    def __len__(self) -> int:
        """Returns how many tags it keeps, also of numbers that are worth nothing: by counting."""
        length = self._sets * _SET
        with memoryview(self._memory)[_TAGS : _TAGS + length] as tags, tags.cast("Q") as numbers:
            return sum(1 for number in numbers if number)

    def close(self) -> None:
        """Lets go of the memory; what is shared stays with the others.

        Nobody may use it afterwards. A table that nobody refers to lets go of its memory by itself.
        """
        for array in (self.first, self.second, self.third):
            array.release()
        if self.locks is not None:
            self.locks.close()
        self._memory.close()


def size(keys: int) -> int:
    """Returns the bytes of a table for so many keys."""
    return _TAGS + 4 * _whole_pages(_sets(keys) * _SET)


def _sets(keys: int) -> int:
    return -(-keys // _KEYS_OF_A_SET)


def _whole_pages(length: int) -> int:
    return -(-length // _PAGE) * _PAGE


def _write_header(memory: mmap.mmap, keys: int, secret: bytes | None) -> None:
    key = secrets.token_bytes(16) if secret is None else secret
    _HEADER.pack_into(memory, 0, _MAGIC, WAYS, keys, _sets(keys), key)
