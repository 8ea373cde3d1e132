"""Compiles a set of protos to descriptor sets, and finds every broken file, not the first only.

The compiler stops at the first broken file. So what has an error is taken out, with all that
imports it (those can't be judged), and the rest is compiled again, until nothing is left to find.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.schema.folders import ProtoFile
from gateway.schema.problem import Problem
from gateway.schema.protoc import Complaint, Outcome, protoc

BATCH_BYTES = 8 << 20
"""Source that one run of the compiler gets: it needs about 20 times as much memory."""

_MAX_RUNS = 50  # of one batch: as many broken files at least are named
_IMPORTS = re.compile(rb'^\s*import\s+(?:public\s+|weak\s+|option\s+)?"([^"]+)"', re.MULTILINE)
_CASCADES = re.compile(r"is not defined\.$|is not imported")


@dataclass(slots=True)
class Compiled:
    """What became of the files.

    Attributes:
        sets: Descriptor sets; together they hold every file, some more than once.
        problems: What is wrong; when there is anything, `sets` is not complete.
    """

    sets: list[Path]
    problems: list[Problem]


async def compile_all(
    files: Sequence[ProtoFile],
    root: Path,
    out: Path,
    progress: Callable[[int], None],
) -> Compiled:
    """Compiles files, as many batches at once as there are processors (four at most).

    Args:
        files: What to compile.
        root: The include root: holds all of them by their names, and what they may import.
        out: A folder for the descriptor sets.
        progress: Told how many files are done, more each time.
    """
    compiled = Compiled([], [])
    strays: dict[str, tuple[str, str]] = {}
    done = 0
    slots = asyncio.Semaphore(min(os.cpu_count() or 1, 4))
    paths = {file.name: file for file in files}
    batches = await asyncio.to_thread(_batches, files)

    async def run(number: int, batch: Sequence[ProtoFile]) -> None:
        nonlocal done
        async with slots:
            path = out / f"{number:05}.binpb"
            try:
                problems = await _compile_batch(batch, paths, root, path, strays)
            except OSError as error:  # a proto that is gone, a full disk, no more processes
                problems = [
                    Problem(
                        str(error.filename or path), message=f"can't be compiled: {error.strerror}"
                    )
                ]
            compiled.problems += problems
            if not problems:  # with strays it may not be there, but then nobody looks
                compiled.sets.append(path)
        done += len(batch)
        progress(done)

    async with asyncio.TaskGroup() as group:
        for number, batch in enumerate(batches):
            group.create_task(run(number, batch))
    compiled.sets.sort()
    compiled.problems += [_stray_problem(stray, *pair, paths) for stray, pair in strays.items()]
    return compiled


def _batches(files: Iterable[ProtoFile]) -> list[list[ProtoFile]]:
    """Splits files by the size of their sources. Neighbours import each other: they stay so."""
    batches: list[list[ProtoFile]] = []
    size = BATCH_BYTES
    for file in files:
        length = file.path.stat().st_size
        if size + length > BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(file)
        size += length
    return batches


async def _compile_batch(
    batch: Sequence[ProtoFile],
    paths: Mapping[str, ProtoFile],
    root: Path,
    out: Path,
    strays: dict[str, tuple[str, str]],
) -> list[Problem]:
    """Returns what is wrong with a batch; when that is nothing, `out` holds it.

    Adds stray roots to `strays`, as `_stray_roots` gives them: many files tell of the same one.
    `paths` are the files of all batches, by name.
    """
    names = [file.name for file in batch]
    problems: list[Problem] = []
    importers: Mapping[str, set[str]] | None = None
    for _ in range(_MAX_RUNS):
        outcome = await protoc(root, names, out)
        if outcome.ok:
            return problems
        broken = {complaint.file for complaint in outcome.complaints}
        problems += _problems(outcome, paths)
        stopped_at = next((i for i, name in enumerate(names) if name in broken), None)
        if stopped_at is None:
            text = outcome.log.strip().splitlines()[-1:] or ["it printed nothing"]
            return [*problems, Problem(str(batch[0].folder), message=f"protoc failed: {text[0]}")]
        if importers is None:
            importers = await asyncio.to_thread(_read_importers, batch)
        found = _stray_roots(outcome.complaints)
        strays |= found
        for stray in found:
            broken |= {name for name in names if name.startswith(f"{stray}/")}
        left_out = _closure(broken, importers)
        # Those before it compiled; they are read again where they are imported.
        names = [name for name in names[stopped_at + 1 :] if name not in left_out]
        if not names:
            return problems
    return [
        *problems,
        Problem(str(batch[0].folder), message=f"more may be wrong: stopped after {_MAX_RUNS} runs"),
    ]


def _read_importers(files: Iterable[ProtoFile]) -> dict[str, set[str]]:
    importers = defaultdict(set)
    for file in files:
        for name in _IMPORTS.findall(file.path.read_bytes()):
            importers[name.decode(errors="replace")].add(file.name)
    return importers


def _closure(names: Iterable[str], importers: Mapping[str, Collection[str]]) -> set[str]:
    """Returns the names, and all that import them directly or not."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += importers.get(name, ())
    return found


def _stray_roots(complaints: Iterable[Complaint]) -> dict[str, tuple[str, str]]:
    """Finds folders that look like include roots of their own inside the root.

    `third_party/google/api/http.proto` and `google/api/http.proto` define the same: then
    `third_party` is meant as a root. Returns such pairs of names by the folder.
    """
    strays = {}
    for complaint in complaints:
        outer, inner = sorted((complaint.file, complaint.clashes_with or complaint.file), key=len)
        if inner.endswith(f"/{outer}"):
            strays[inner.removesuffix(f"/{outer}")] = (outer, inner)
    return strays


def _problems(outcome: Outcome, files: Mapping[str, ProtoFile]) -> list[Problem]:
    """Makes problems of the compiler's complaints, without those that only follow from others."""
    stray = tuple(f"{each}/" for each in _stray_roots(outcome.complaints))
    lacking = {each.file for each in outcome.complaints if each.unusable_import}
    problems = []
    for complaint in outcome.complaints:
        wanted = complaint.unusable_import
        if wanted and wanted not in outcome.not_found:
            continue  # broken itself, and reported so
        if complaint.file in lacking and _CASCADES.search(complaint.text):
            continue
        if complaint.file.startswith(stray) or (complaint.clashes_with or "").startswith(stray):
            continue
        problems.append(_problem(complaint, wanted, files))
    return problems


def _problem(complaint: Complaint, wanted: str | None, files: Mapping[str, ProtoFile]) -> Problem:
    file = files.get(complaint.file)
    where = str(file.path) if file else complaint.file
    if not wanted:
        return Problem(where, complaint.line, complaint.column, complaint.text)
    folders = sorted({each.folder for each in files.values()})
    above = next(
        (up for folder in folders for up in folder.absolute().parents if (up / wanted).is_file()),
        None,
    )
    return Problem(
        where,
        complaint.line,
        complaint.column,
        f'imports "{wanted}", which was not found',
        f"it lies in {above}: list that folder instead"
        if above
        else f"looked in {', '.join(map(str, folders))}, and among the bundled google protos",
    )


def _stray_problem(stray: str, outer: str, inner: str, files: Mapping[str, ProtoFile]) -> Problem:
    same = f"{inner} and {outer} define the same"
    if inner not in files:  # a bundled file: its name is the right one
        folder = files[outer].folder
        return Problem(
            str(folder),
            message=f"is not the root that its files are imported from: {same}",
            hint=f"list the folder that holds {stray}/",
        )
    folder = files[inner].folder
    return Problem(
        str(folder / stray),
        message=f"looks like an include root of its own: {same}",
        hint=f'exclude "{stray}/*" from {folder}, and list {folder / stray} as a folder of its own '
        "if its files are wanted",
    )
