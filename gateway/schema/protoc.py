"""Runs the protobuf compiler in a child process, and reads what it complains about.

A compiler in a process of its own neither blocks the event loop nor leaves its memory here.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PLACED = re.compile(r"^(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<text>.+)$")
_NOT_FOUND = re.compile(r"^(?P<file>.+): File not found\.$")
# "Import "x" was not found or had errors.": which of the two, other complaints tell.
_IMPORT = re.compile(r'^Import "(?P<file>.+)" was not found or had errors\.$')
_DEFINED = re.compile(r'^"(?P<symbol>.+)" is already defined in file "(?P<file>.+)"\.$')


@dataclass(frozen=True, slots=True)
class Complaint:
    """One complaint of the compiler; `file` is an import name."""

    file: str
    line: int
    column: int
    text: str

    @property
    def unusable_import(self) -> str | None:
        """The import that was not found or is broken itself, if that is the complaint."""
        match = _IMPORT.match(self.text)
        return match["file"] if match else None

    @property
    def clashes_with(self) -> str | None:
        """The other file that defines the same symbol, if that is the complaint."""
        match = _DEFINED.match(self.text)
        return match["file"] if match else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of the compiler ended.

    Attributes:
        ok: Whether it wrote the descriptor set.
        complaints: Its errors, in order, none twice.
        not_found: Import names that were found nowhere.
        log: All that it printed.
    """

    ok: bool
    complaints: tuple[Complaint, ...] = ()
    not_found: frozenset[str] = frozenset()
    log: str = ""


async def protoc(root: Path, names: Sequence[str], out: Path) -> Outcome:
    """Compiles files to a descriptor set with all their imports, comments and positions.

    It stops at the first of `names` that has an error, after all errors of that one and of what
    it imports.

    Args:
        root: The one include root.
        names: Import names below it.
        out: Where to write the descriptor set. `out` with the suffix `.args` is written too.
    """
    arguments = out.with_suffix(".args")  # thousands of names do not fit into a command line
    arguments.write_text("".join(f"./{name}\n" for name in names))
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # else a folder `grpc_tools` below the root would run instead
        "-m",
        "grpc_tools.protoc",
        "-I.",
        "--include_imports",
        "--include_source_info",
        f"--descriptor_set_out={out}",
        f"@{arguments}",
        cwd=root,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, stderr = await child.communicate()
    except asyncio.CancelledError:
        child.kill()
        await child.wait()
        raise
    return read(child.returncode or 0, stderr.decode(errors="replace"))


def read(exit_code: int, log: str) -> Outcome:
    """Reads what the compiler printed, and its exit code (negative: a signal ended it)."""
    complaints: dict[Complaint, None] = {}
    not_found = set()
    for line in log.splitlines():
        if match := _NOT_FOUND.match(line):
            not_found.add(match["file"])
        elif (match := _PLACED.match(line)) and not match["text"].startswith("warning: "):
            complaints[
                Complaint(match["file"], int(match["line"]), int(match["column"]), match["text"])
            ] = None
    return Outcome(exit_code == 0, tuple(complaints), frozenset(not_found), log)
