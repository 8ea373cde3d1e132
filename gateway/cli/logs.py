"""Logs on standard error: a line `level logger: message` each, of a worker with its number."""

from __future__ import annotations

import logging

from gateway.cli.options import Level


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record.level = record.levelname.lower()
        return super().format(record)


def configure(level: Level, *, worker: int | None = None) -> None:
    """Has everything of at least this level written to standard error.

    Args:
        level: The least that is written.
        worker: The process's number among several.
    """
    handler = logging.StreamHandler()
    who = "" if worker is None else f"worker {worker}: "
    handler.setFormatter(_Formatter(f"%(level)s %(name)s: {who}%(message)s"))
    logging.basicConfig(level=level.value.upper(), handlers=[handler], force=True)
