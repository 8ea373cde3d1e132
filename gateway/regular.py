"""Opens regular files, and nothing else that may stand in their place.

To open a pipe waits until somebody writes to it (fifo(7)), perhaps for ever, and a device may never
end: neither is a file that a config or a schema can be read from. It knows nothing of what is
inside.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """Opens a file to read, without waiting for anybody; links are followed.

    Raises:
        OSError: It can't be opened, or is no regular file.
        ValueError: No file can be called so.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(number).st_mode, path)
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_regular(path: Path) -> bytes:
    """Returns what a file holds.

    Raises:
        OSError: It can't be read, or is no regular file.
        ValueError: No file can be called so.
    """
    with open_regular(path) as file:
        return file.read()


def _check(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
