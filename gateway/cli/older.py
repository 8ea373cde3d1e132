"""Whose files the log is about, for commands that look at two configs.

Some of what is wrong with a file is logged when it is read, and names it as its config does: both
configs can have one of that name.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_LOGGER: Final = "gateway"


class _Named(logging.Formatter):
    """Says whose each line is."""

    def __init__(self, whose: str) -> None:
        super().__init__()
        self._whose = whose

    def format(self, record: logging.LogRecord) -> str:
        return f"{self._whose}: {super().format(record)}"


@contextmanager
def logged_as(whose: str) -> Iterator[None]:
    """Has every warning that is logged meanwhile begin with words, on standard error.

    Args:
        whose: `--since main`, `old.yaml`.
    """
    log, handler = logging.getLogger(_LOGGER), logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_Named(whose))
    propagated = log.propagate
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.propagate = propagated
        log.removeHandler(handler)
        handler.close()
