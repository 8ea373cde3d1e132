"""Memory that all workers share: a file without a name, made once, inherited like the sockets.

It outlives the workers: one that dies and is started again goes on from what all have counted.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from gateway.state.table import Table


class SharedMemory:
    """The table of limits, in memory where the system has such files, else in a temporary file.

    It takes up what is written in it, not its size.

    Args:
        keys: How many it has room for.

    Raises:
        OSError: There is no room.
    """

    def __init__(self, keys: int) -> None:
        self._fd = _opened()
        try:
            Table.share(keys, self._fd).close()
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Returns its descriptor, which no process inherits that is not told to."""
        return self._fd

    def close(self) -> None:
        """Closes it here; once more is harmless."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _opened() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("gateway-limits", os.MFD_CLOEXEC)
    fd, path = tempfile.mkstemp(prefix="gateway-")
    Path(path).unlink()
    return fd
