"""Files of entries that the config names: read at the start, and again when they change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from gateway.app.settings import SettingError
from gateway.config import ConfigError
from gateway.policies.auth.file_mode import exposure
from gateway.policies.auth.stored_file import FileError, StoredFile

log = logging.getLogger("gateway.auth")

_T = TypeVar("_T")

_SHOWN: Final = 5  # mistakes of a file that are told at once


def stored_file(
    key: str, path: Path, parse: Callable[[bytes, str], _T], *, passwords: bool = False
) -> StoredFile[_T]:
    """Returns a file that is watched once it is opened. Logs where others may do too much with it.

    Args:
        key: That of the config which names it.
        path: Where it is.
        parse: Makes what it means of what it holds and its name. Raises ConfigError.
        passwords: Whether hashes of passwords are in it.

    Raises:
        SettingError: It can't be used.
    """

    def parsed(data: bytes) -> _T:
        try:
            return parse(data, path.name)
        except ConfigError as wrong:
            raise FileError(_told(wrong)) from wrong

    try:
        file = StoredFile(path, parsed)
    except FileError as wrong:
        raise SettingError(key, str(wrong)) from wrong
    if (said := exposure(path.name, file.mode, passwords=passwords)) is not None:
        log.warning("%s: %s", key, said)
    return file


def _told(wrong: ConfigError) -> str:
    """Returns mistakes on one line: it goes into a log, or after the place of a key."""
    lines = [str(problem) for problem in wrong.problems[:_SHOWN]]
    more = len(wrong.problems) - len(lines)
    return "; ".join([*lines, *([f"and {more} more"] if more else [])])
