"""Files that are made as a whole, in a folder of theirs: written, or held against what is there.

A file that has the same header, where such files can be, and is made no more is removed; no other
file is touched. One that is in the way, and was written by somebody, is not written over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path


class NotMadeError(Exception):
    """Files are in the way that were not made here.

    Attributes:
        paths: Which.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        super().__init__(*paths)
        self.paths = tuple(paths)


def write(folder: Path, files: Mapping[str, str], header: str, places: Iterable[str]) -> None:
    """Writes files.

    Args:
        folder: Where; made if it is not there.
        files: The text of each by its path below the folder.
        header: What each of them begins with.
        places: Where such files can be, as globs.

    Raises:
        NotMadeError: Somebody wrote one that is there; nothing is written.
        OSError: One can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if others := [path for path in files if not _may_be_written(folder / path, header)]:
        raise NotMadeError([str(folder / path) for path in others])
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    for path in _left_over(folder, files, header, places):
        (folder / path).unlink()


def differences(
    folder: Path, files: Mapping[str, str], header: str, places: Iterable[str]
) -> list[str]:
    """Returns a line for each file that is not what it would be, in the order of paths.

    Args:
        folder: Where the files are.
        files: What they should be.
        header: What each of them begins with.
        places: Where such files can be, as globs.

    Raises:
        OSError: One is there and can't be read.
    """
    found = dict.fromkeys(_left_over(folder, files, header, places), "is made no more")
    for path, text in files.items():
        file = folder / path
        if not file.is_file():
            found[path] = "is missing"
        elif file.read_bytes() != text.encode():
            found[path] = "is not current"
    return [f"{folder / path}: {found[path]}" for path in sorted(found)]


def _left_over(
    folder: Path, files: Mapping[str, str], header: str, places: Iterable[str]
) -> Iterator[str]:
    for file in sorted({file for place in places for file in folder.glob(place)}):
        path = file.relative_to(folder).as_posix()
        if path not in files and file.is_file() and _is_made(file, header):
            yield path


def _may_be_written(file: Path, header: str) -> bool:
    return not file.is_file() or file.stat().st_size == 0 or _is_made(file, header)


def _is_made(file: Path, header: str) -> bool:
    start = header.rstrip().encode()  # a checkout may have ended its lines otherwise
    with file.open("rb") as content:
        return content.read(len(start)) == start
