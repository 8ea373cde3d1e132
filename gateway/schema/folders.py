"""Finds the `.proto` files of folders, and what is wrong with the folders. Reads no proto.

A folder is an include root: its files are imported by their paths below it. Hidden folders are
skipped (`.git`, and what Kubernetes puts behind a ConfigMap's links), links are followed.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from gateway.regular import read_regular
from gateway.schema.problem import Problem

_SUFFIX = ".proto"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of protos.

    Attributes:
        path: The folder.
        exclude: Globs over import names (`third_party/*`; `*` matches slashes too): what is left
            out, as if it did not exist.
    """

    path: Path
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class ProtoFile:
    """A `.proto` file: its import name, and its path as the user would write it."""

    name: str
    path: Path
    folder: Path

    def real(self) -> Path:
        """Returns its path without links."""
        return Path(os.path.realpath(self.path))


def scan(folders: Sequence[Folder]) -> tuple[list[ProtoFile], list[Problem]]:
    """Finds all protos of the folders.

    Returns:
        The files sorted by name, each name once; and what is wrong.
    """
    found: list[ProtoFile] = []
    problems: list[Problem] = []
    for folder in folders:
        where = str(folder.path)
        if not folder.path.exists():
            problems.append(Problem(where, message="there is no such folder"))
        elif not folder.path.is_dir():
            problems.append(
                Problem(where, message="is not a folder", hint=f"give {folder.path.parent} instead")
            )
        else:
            try:
                files = list(_walk(folder))
            except OSError as error:
                problems.append(
                    Problem(str(error.filename), message=f"can't be read: {error.strerror}")
                )
                continue
            if not files:
                problems.append(Problem(where, message="holds no .proto file"))
            found += files
    problems += _unusable_names(found)
    problems += _reached_twice(found)
    files, conflicts = _one_a_name(found)
    return sorted(files), problems + conflicts


def _walk(folder: Folder) -> Iterator[ProtoFile]:
    pending = [(folder.path, "", frozenset({os.path.realpath(folder.path)}))]
    while pending:
        path, prefix, above = pending.pop()
        with os.scandir(path) as entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.is_dir():
                    real = os.path.realpath(entry.path)
                    if not entry.name.startswith(".") and real not in above:
                        pending.append((Path(entry.path), f"{name}/", above | {real}))
                elif name.endswith(_SUFFIX) and not any(
                    fnmatchcase(name, pattern) for pattern in folder.exclude
                ):
                    yield ProtoFile(name, Path(entry.path), folder.path)


def _unusable_names(files: Iterable[ProtoFile]) -> Iterator[Problem]:
    for file in files:
        if not file.name.isprintable():  # a line break, or bytes that are not UTF-8
            yield Problem(ascii(str(file.path)), message="has a name that no proto can import")


def _reached_twice(files: Iterable[ProtoFile]) -> list[Problem]:
    """Finds files that have two import names, or one name by two folders; a problem a pair."""
    seen: dict[Path, ProtoFile] = {}
    pairs: dict[tuple[Path, Path], tuple[ProtoFile, ProtoFile]] = {}
    counts: Counter[tuple[Path, Path]] = Counter()
    for file in files:
        first = seen.setdefault(file.real(), file)
        if first is not file:
            pair = (first.folder, file.folder)
            pairs.setdefault(pair, (first, file))
            counts[pair] += 1
    problems = []
    for pair, (first, second) in pairs.items():
        count = f"{counts[pair]} of its files" if counts[pair] > 1 else "one of its files"
        if pair[0] == pair[1]:
            count = count.replace("of its", "of its own")
        problems.append(
            Problem(
                str(second.folder),
                message=f"{count} can be reached by two ways: "
                f"{second.path} is {second.name} here and {first.name} in {first.folder}",
                hint=f"list one of the folders only, or exclude the files from {first.folder}",
            )
        )
    return problems


def _one_a_name(files: Iterable[ProtoFile]) -> tuple[list[ProtoFile], list[Problem]]:
    chosen: dict[str, ProtoFile] = {}
    problems = []
    for file in files:
        first = chosen.setdefault(file.name, file)
        if first.real() != file.real() and digest(first) != digest(file):
            problems.append(
                Problem(
                    str(file.path),
                    message=f"differs from {first.path}, and both are imported as {file.name}",
                    hint="remove one of them, or exclude it",
                )
            )
    return list(chosen.values()), problems


def digest(file: ProtoFile) -> bytes:
    """Returns the SHA-256 of a file's content.

    Raises:
        OSError: It can't be read.
    """
    return hashlib.sha256(read_regular(file.path)).digest()
