"""What is in files and folders now, and whether that is something new. Blocks; waits for nothing.

Files are looked at, not subscribed to: that works on every file system (NFS, what is mounted into
a container), for files that are written in place, that another is renamed over, and that are links
into a folder which is replaced as a whole (Kubernetes' `..data`). A file is read only where its
time, size or inode has changed, or where it was read once only: it may be written twice in one tick
of its clock.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

SUFFIXES: Final = (".proto", ".graphql")
"""Of the files that count in folders: no editor's swap files, no backups."""

_MOST: Final = 64 * 1024**2  # bytes: what is larger is known by its time, size and inode

Picture: TypeAlias = Mapping[Path, bytes]
"""What is in each file, as a digest; empty for one that is not there or can't be read."""


class Verdict(Enum):
    """What a look has found."""

    SAME = "same"
    """All is as it was."""

    MOVING = "moving"
    """Something is not as it was, and may be half-written."""

    CHANGED = "changed"
    """Something is not as it was, and has been so for two looks."""


class _Stamp(NamedTuple):
    """What tells one version of a file from another, without reading it."""

    modified: int
    size: int
    inode: int
    device: int


class _Version(NamedTuple):
    """What was found in a file.

    Attributes:
        stamp: Before it was read; None for one that is not there.
        digest: Of what it holds.
        twice: Whether that was read twice.
    """

    stamp: _Stamp | None
    digest: bytes
    twice: bool


class Watched:
    """Files and folders, and what they held when the config was last read."""

    def __init__(self) -> None:
        self._named: frozenset[Path] = frozenset()
        self._known: dict[Path, _Version] = {}
        self._base: Picture = {}
        self._last: Picture = {}

    def follow(self, paths: Iterable[Path], since: int) -> None:
        """Looks at these from now on. What it knows of those that it looked at before stays so.

        Args:
            paths: Files and folders, there or not.
            since: When the config began to be read, in nanoseconds since 1970. What has a later
                time may have been read before it was written: it counts as changed.
        """
        before = set(self._known)
        self._named = frozenset(paths)
        picture = self._picture()
        fresh = {
            path: b"?" if _is_later(self._known[path].stamp, since) else digest
            for path, digest in picture.items()
            if path not in before
        }
        # One that is gone from a folder that still counts is a change, whenever it went.
        kept = {path: digest for path, digest in self._base.items() if self._counts(path)}
        self._base = {**kept, **fresh}
        self._last = self._base

    def rebase(self) -> None:
        """Takes what there is now for what the config is made of: it is about to be read."""
        self._base = self._last = self._picture()

    def look(self) -> Verdict:
        """Looks at all of them."""
        picture, last = self._picture(), self._last
        self._last = picture
        if picture == self._base:
            return Verdict.SAME
        return Verdict.CHANGED if picture == last else Verdict.MOVING

    def changed(self) -> list[Path]:
        """Returns what is not as it was when the config was read."""
        every = sorted(self._base.keys() | self._last.keys())
        return [path for path in every if self._base.get(path) != self._last.get(path)]

    def _counts(self, path: Path) -> bool:
        return not self._named.isdisjoint((path, *path.parents))

    def _picture(self) -> Picture:
        known = {path: self._version(path) for path in _files(sorted(self._named))}
        self._known = known
        return {path: each.digest for path, each in known.items()}

    def _version(self, path: Path) -> _Version:
        before, stamp = self._known.get(path), _stamp(path)
        if before is not None and before.stamp == stamp and before.twice:
            return before
        digest = b"" if stamp is None else _digest(path, stamp)
        same = before is not None and before.stamp == stamp and before.digest == digest
        return _Version(stamp, digest, same)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yields the files that are named, and those below folders; links are followed."""
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112  a `Path` raises where it may not look
            yield from _below(path, frozenset())
        else:
            yield path


def _below(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    """Yields the files of a folder that count. Those behind hidden folders are reached by links."""
    real = os.path.realpath(folder)
    if real in above:
        return  # a link to a folder that it is in
    try:
        entries = sorted(os.scandir(folder), key=lambda each: each.name)
    except OSError:
        return  # it is gone, or closed: so are its files
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if os.path.isdir(entry.path):  # noqa: PTH112  an entry raises for a link to itself
            yield from _below(Path(entry.path), above | {real})
        elif entry.name.endswith(SUFFIXES):
            yield Path(entry.path)


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except (OSError, ValueError):  # the config may name what no file can be called
        return None
    return _Stamp(found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


def _digest(path: Path, stamp: _Stamp) -> bytes:
    if stamp.size > _MOST:
        return repr(stamp).encode()
    try:
        # Not blocking, so that a pipe in its place is not waited for.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return b""
            return blake2b(file.read(_MOST), digest_size=16).digest()
    except OSError:
        return b""


def _is_later(stamp: _Stamp | None, since: int) -> bool:
    return stamp is not None and stamp.modified > since
