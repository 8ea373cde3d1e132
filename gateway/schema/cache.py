"""A cache of compiled protos on disk, by content: a file an entry, several processes at once.

An entry holds all types first and all comments and positions after them, so that the second part,
three quarters of it, is mapped and read only where somebody looks. An entry is written under
another name and then renamed, so it is whole or not there; a checksum finds what the disk spoiled.
What can't be read or written is done without: the cache saves time and is never needed.

    entry  = magic types… source-infos… index footer
    index  = JSON: [[name, bytes of types, bytes of source info], …]
    footer = length of index (8 bytes, big endian), SHA-256 of all before
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.schema.serialized import Buffer

MAGIC = b"gateway schema 1\n"
"""Names the format: change it with the format."""

_SUFFIX = ".descriptors"
_LENGTH = 8
_FOOTER = _LENGTH + hashlib.sha256().digest_size
_MAX_ENTRIES = 16
_MAX_BYTES = 1 << 30
_MAX_AGE = 30 * 86400.0  # seconds since its last use


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an entry."""

    name: str
    types: Buffer
    source_info: Buffer


def default_folder() -> Path | None:
    """Returns where caches belong (XDG Base Directory Specification), None without a home."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # the specification: relative ones are ignored
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            return None
    return base / "grpc-api-gateway" / "schema"


@dataclass(frozen=True, slots=True)
class Cache:
    """Compiled protos by key.

    Attributes:
        folder: Where entries are kept, or None for a cache that keeps nothing.
    """

    folder: Path | None

    def load(self, key: str) -> list[Entry] | None:
        """Returns the files kept under `key`, None when there is no such entry or it is spoiled."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}{_SUFFIX}"
        try:
            entry = _read(path)
        except OSError:
            return None
        except ValueError:
            with suppress(OSError):  # nothing is lost: it will be replaced
                path.unlink()
            return None
        with suppress(OSError):  # a cache that others own can be read all the same
            os.utime(path)
        return entry

    def store(
        self, key: str, files: Callable[[], Iterable[tuple[str, bytes, bytes]]], now: float
    ) -> list[Entry]:
        """Keeps files under `key`, and forgets what is old or too much.

        Args:
            key: A file name without suffix.
            files: Gives name, types, source info of each; each is written before the next is
                asked for.
            now: The time, in seconds since the epoch.

        Returns:
            The files, as `load` gives them; also where nothing can be kept.

        Raises:
            OSError: There is no place even for a temporary file.
        """
        if self.folder is not None:
            with suppress(OSError):  # no permission, no space: then it is not kept
                return self._keep(self.folder, key, files, now)
        path = _write(None, files())
        try:
            return _read(path)
        finally:
            path.unlink()  # what is mapped stays until nobody uses it

    def _keep(
        self,
        folder: Path,
        key: str,
        files: Callable[[], Iterable[tuple[str, bytes, bytes]]],
        now: float,
    ) -> list[Entry]:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = _write(folder, files())
        try:
            entry = _read(path)
            path.rename(folder / f"{key}{_SUFFIX}")
        except BaseException:
            path.unlink()
            raise
        with suppress(OSError):
            _evict(folder, now)
        return entry


def _evict(folder: Path, now: float) -> None:
    """Forgets entries that were not used for long, and the oldest of too many."""
    entries = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process forgot it first
            stat = path.stat()
            entries.append((stat.st_mtime, stat.st_size, path))
    size = 0
    for number, (used, length, path) in enumerate(sorted(entries, reverse=True)):
        size += length
        crowded = number and (number >= _MAX_ENTRIES or size > _MAX_BYTES)
        if crowded or now - used > _MAX_AGE:
            path.unlink(missing_ok=True)


def _write(folder: Path | None, files: Iterable[tuple[str, bytes, bytes]]) -> Path:
    """Writes an entry to a new temporary file in `folder`, or where such files go; its path."""
    digest = hashlib.sha256(MAGIC)
    index = []
    with (
        tempfile.NamedTemporaryFile(dir=folder, prefix="new-", delete=False) as out,
        tempfile.TemporaryFile(dir=folder) as infos,
    ):
        try:
            out.write(MAGIC)
            for name, types, info in files:
                index.append((name, len(types), len(info)))
                out.write(types)
                digest.update(types)
                infos.write(info)
            infos.seek(0)
            while chunk := infos.read(1 << 20):
                out.write(chunk)
                digest.update(chunk)
            tail = json.dumps(index).encode()
            tail += len(tail).to_bytes(_LENGTH, "big")
            digest.update(tail)
            out.write(tail + digest.digest())
        except BaseException:
            Path(out.name).unlink()
            raise
    return Path(out.name)


def _read(path: Path) -> list[Entry]:
    """Maps an entry.

    Raises:
        OSError: It can't be read.
        ValueError: It is not an entry, or a spoiled one.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < len(MAGIC) + _FOOTER:
            raise ValueError("too short")
        # Read, not mapped, for the checksum: what is mapped and touched counts as our memory.
        digest, left = hashlib.sha256(), size - hashlib.sha256().digest_size
        while left:
            chunk = file.read(min(left, 1 << 20))
            digest.update(chunk)
            left -= len(chunk)
        if file.read() != digest.digest():
            raise ValueError("checksum")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("another format")
    length = int.from_bytes(data[size - _FOOTER : size - _FOOTER + _LENGTH], "big")
    index = json.loads(bytes(data[size - _FOOTER - length : size - _FOOTER]))
    types_at = len(MAGIC)
    info_at = types_at + sum(types for _, types, _ in index)
    entries = []
    for name, types, info in index:
        entries.append(
            Entry(name, data[types_at : types_at + types], data[info_at : info_at + info])
        )
        types_at += types
        info_at += info
    return entries
