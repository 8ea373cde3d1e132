"""Whether others than its owner may do too much with a file of keys or users.

Who may write to such a file lets in whom they like. Who may read one with hashes of passwords can
guess at them as fast as their machines allow; hashes of random keys tell nobody anything.
"""

from __future__ import annotations

import stat
from typing import Final

_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def exposure(name: str, mode: int, *, passwords: bool) -> str | None:
    """Returns what is wrong with a file's mode, and what to do; None if nothing is.

    Args:
        name: The file's.
        mode: As of `os.stat_result.st_mode`.
        passwords: Whether hashes of passwords are in it.
    """
    shown = f"{stat.S_IMODE(mode):04o}"
    if mode & _WRITE:
        wanted = "go=" if passwords else "go-w"
        return (
            f"{name} can be written by others than its owner (mode {shown}), who can let in whom "
            f"they like; chmod {wanted} {name}"
        )
    if passwords and mode & (stat.S_IRWXG | stat.S_IRWXO):
        return (
            f"{name} can be read by others than its owner (mode {shown}), who can guess at "
            f"passwords by its hashes; chmod go= {name}"
        )
    return None
