"""Descriptors from folders of `.proto` files: compiled, or from the cache when nothing changed."""

from __future__ import annotations

import asyncio
import hashlib
import mmap
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from gateway.schema import bundled
from gateway.schema.cache import MAGIC, Cache, Entry
from gateway.schema.compiling import compile_all
from gateway.schema.file import SchemaFile, Source
from gateway.schema.folders import Folder, ProtoFile, digest, scan
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.progress import Progress
from gateway.schema.serialized import cut_source_info, file_name, split_set

_Result = TypeVar("_Result")
_TRIES = 3  # when protos are changed while they are compiled


async def from_folders(
    folders: Sequence[Folder], cache: Cache, progress: Callable[[Progress], None]
) -> list[SchemaFile]:
    """Returns the files of folders, and bundled ones that they import.

    All that takes long happens in child processes and threads; the event loop stays free.

    Raises:
        SchemaError: Folders or protos are wrong; every broken file is named.
    """
    progress(Progress("reading protos"))
    protos, problems = await asyncio.to_thread(scan, folders)
    if problems:
        raise SchemaError(problems)
    for _ in range(_TRIES):
        key = await _key(protos)
        entries = await asyncio.to_thread(cache.load, key)
        if entries is None:
            try:
                entries = await _compile(protos, key, cache, progress)
            except OSError as error:  # no space or no right to write temporary files
                raise SchemaError(
                    [Problem(str(error.filename), message=f"can't be written: {error.strerror}")]
                ) from error
        if entries is not None:
            return list(_files(entries, protos))
    raise SchemaError(
        [Problem(str(folders[0].path), message="the protos change while they are compiled")]
    )


async def _key(protos: Iterable[ProtoFile]) -> str:
    """Returns what names the result of compiling `protos`."""

    def read() -> str:
        key = hashlib.sha256(MAGIC + bundled.fingerprint().encode())
        for proto in protos:
            key.update(f"\0{proto.name}\0".encode() + digest(proto))
        return key.hexdigest()

    try:
        return await asyncio.to_thread(read)
    except OSError as error:
        problem = Problem(str(error.filename), message=f"can't be read: {error.strerror}")
        raise SchemaError([problem]) from error


async def _compile(
    protos: Sequence[ProtoFile], key: str, cache: Cache, progress: Callable[[Progress], None]
) -> list[Entry] | None:
    """Compiles; returns None when a proto was changed meanwhile."""
    text = "compiling protos"
    progress(Progress(text, 0, len(protos)))
    work = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="gateway-"))
    root, out = work / "root", work / "out"
    try:
        await _to_its_end(lambda: _link(root, protos))
        await _to_its_end(out.mkdir)
        compiled = await compile_all(
            protos, root, out, lambda done: progress(Progress(text, done, len(protos)))
        )
        if await _key(protos) != key:
            return None
        if compiled.problems:
            raise SchemaError(compiled.problems)
        return await _to_its_end(
            lambda: cache.store(key, lambda: _once_each(compiled.sets), time.time())
        )
    finally:
        await asyncio.to_thread(shutil.rmtree, work)  # thousands of links take their time


async def _to_its_end(work: Callable[[], _Result]) -> _Result:
    """Does work in a thread. Cancelling waits for its end: nobody else cleans up under it."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _link(root: Path, protos: Iterable[ProtoFile]) -> None:
    """Makes a folder of links that holds each proto by its import name, and nothing else.

    So the compiler sees what was found and hashed, excluded files are out of its sight, and the
    user's own copy of a bundled proto stands in for ours.
    """
    links = bundled.paths() | {proto.name: proto.real() for proto in protos}
    for folder in {root / Path(name).parent for name in links}:
        folder.mkdir(parents=True, exist_ok=True)
    for name, path in links.items():
        (root / name).symlink_to(path)


def _once_each(sets: Iterable[Path]) -> Iterator[tuple[str, bytes, bytes]]:
    """Yields name, types, source info of each file of several descriptor sets."""
    seen = set()
    for path in sets:
        with path.open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        for each in split_set(data):
            name = file_name(each)
            if name not in seen:
                seen.add(name)
                yield name, *cut_source_info(each)


def _files(entries: Iterable[Entry], protos: Iterable[ProtoFile]) -> Iterator[SchemaFile]:
    paths = {proto.name: str(proto.path) for proto in protos}
    for entry in entries:
        path = paths.get(entry.name)
        yield SchemaFile(
            entry.name,
            entry.types,
            entry.source_info,
            Source.FOLDER if path else Source.BUNDLED,
            path or f"{entry.name} (bundled)",
        )
