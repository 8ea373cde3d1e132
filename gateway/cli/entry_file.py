"""Files of keys and users on disk: changed under a lock, and replaced at once.

Who reads such a file meanwhile, a gateway above all, sees it as it was or as it is to be. Two
commands that change the same file wait for each other. How its text changes is `config.edits`' to
say.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import Final, TypeVar

import typer

from gateway.cli.failure import Exit, Failure
from gateway.config import ConfigError
from gateway.config.edits import EditError
from gateway.config.entries import read_entries
from gateway.config.leaf import Leaf, LeafError
from gateway.config.models.entries import CLAIM, StoredUsers
from gateway.config.problems import printable
from gateway.policies.auth.file_mode import exposure

_T = TypeVar("_T")

_MODE: Final = 0o600
_LONGEST: Final = 64  # characters of what was given that are printed again


def read(path: Path, section: type[_T]) -> _T:
    """Returns what a file says. Warns where others may do too much with it.

    Args:
        path: The file.
        section: The model of it.

    Raises:
        Failure: It can't be read, or is wrong.
    """
    found = _parsed(path, _bytes(path), section)
    _warn(path, section)
    return found


def change(
    path: Path, section: type[_T], edit: Callable[[str, _T], str], *, header: str | None = None
) -> None:
    """Changes a file, or leaves it as it is. Warns where others may do too much with it.

    Args:
        path: The file. Of a symbolic link, what it leads to.
        section: The model of it.
        edit: Returns its new text, from its text and what that says. May raise Failure, EditError.
        header: What it begins with if it is not there yet; None if it has to be there.

    Raises:
        Failure: It can't be read or written, or is wrong.
    """
    path = path.resolve()
    with _locked(path.parent):
        if header is not None and not path.exists():
            text, found = header, _parsed(path, header.encode(), section)
        else:
            data = _bytes(path)
            found = _parsed(path, data, section)
            text = data.decode("utf-8-sig")
        try:
            after = edit(text, found)
        except EditError as failure:
            raise Failure(f"{path}: {failure}") from failure
        _parsed(path, after.encode(), section)
        _replace(path, after)
    _warn(path, section)


def checked(option: str, leaf: Leaf, value: str) -> str:
    """Returns what an option says, as the file will have it.

    Raises:
        typer.BadParameter: The file must not have it.
    """
    _check_text(option, value)
    try:
        return str(leaf.read(value, Path()))
    except LeafError as wrong:
        raise typer.BadParameter(f"{option}: expected {wrong}") from wrong


def claim(text: str) -> tuple[str, str]:
    """Returns the name and the value that `--claim` says.

    Raises:
        typer.BadParameter: It says none.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter("--claim: expected NAME=TEXT such as tenant=acme")
    _check_text("--claim", value)
    return checked("--claim", CLAIM, name), value


def _check_text(option: str, value: str) -> None:
    # What a shell passes on need not be UTF-8, and the file must be.
    try:
        value.encode()
    except UnicodeEncodeError as wrong:
        raise typer.BadParameter(f"{option}: expected text in UTF-8") from wrong


def shown(text: str) -> str:
    """Returns what somebody gave for a name, on one line of a terminal and not too long."""
    return printable(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Yields rows as lines, in columns."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Failure(f"{path}: no such file") from None
    except OSError as error:
        raise Failure(f"{path} can't be read: {error.strerror}", code=Exit.FAILED) from error


def _warn(path: Path, section: type[object]) -> None:
    said = exposure(path.name, path.stat().st_mode, passwords=section is StoredUsers)
    if said is not None:
        typer.echo(f"warning: {said}", err=True)


def _parsed(path: Path, data: bytes, section: type[_T]) -> _T:
    try:
        return read_entries(data, str(path), section)[0]
    except ConfigError as wrong:
        raise Failure(*map(str, wrong.problems)) from wrong


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keeps other commands from changing files of a folder; the files themselves are replaced."""
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Failure(f"{folder} can't be opened: {error.strerror}", code=Exit.FAILED) from error
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _replace(path: Path, text: str) -> None:
    """Writes a file beside the one that is to be replaced, and puts it in its place.

    It is read by nobody else if it is new, else by whom the one before was.
    """
    beside: Path | None = None
    try:
        number, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)
        beside = Path(name)
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            _take_after(number, path)
            os.fsync(number)
        beside.replace(path)
    except OSError as error:
        if beside is not None:
            beside.unlink(missing_ok=True)
        raise Failure(f"{path} can't be written: {error.strerror}", code=Exit.FAILED) from error


def _take_after(number: int, path: Path) -> None:
    """Gives a file the owner and the mode of the one that it replaces."""
    try:
        old = path.stat()
    except FileNotFoundError:
        os.fchmod(number, _MODE)
        return
    new = os.fstat(number)
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        os.fchown(number, old.st_uid, old.st_gid)
    os.fchmod(number, stat.S_IMODE(old.st_mode))
