"""Files of entries that the config names: read at the start, and again when they change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gateway.app.settings import SettingError
from gateway.config import ConfigError
from gateway.config.problems import on_one_line
from gateway.policies.auth.file_mode import exposure
from gateway.policies.auth.stored_file import FileError, StoredFile

log = logging.getLogger("gateway.auth")

_T = TypeVar("_T")


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
            raise FileError(on_one_line(wrong.problems)) from wrong

    try:
        file = StoredFile(path, parsed)
    except FileError as wrong:
        raise SettingError(key, str(wrong)) from wrong
    if (said := exposure(path.name, file.mode, passwords=passwords)) is not None:
        log.warning("%s: %s", key, said)
    return file
