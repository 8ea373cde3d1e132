"""Which files and folders a config looked at when it was read, also those that were not there.

Whoever wants to read the config again when one of them changes asks for them to be noted. What is
read by threads that are begun meanwhile (`asyncio.to_thread`) is noted too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_NOTED: ContextVar[set[Path] | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[set[Path]]:
    """Has paths noted until the block ends; yields the set that takes them."""
    noted: set[Path] = set()
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def note(path: Path) -> Path:
    """Takes note of a path that is about to be looked at, and returns it."""
    noted = _NOTED.get()
    if noted is not None:
        noted.add(path)
    return path
