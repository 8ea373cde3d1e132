"""Logs on standard error: a line `level logger: message` each."""

from __future__ import annotations

import logging

from gateway.cli.options import Level


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record.level = record.levelname.lower()
        return super().format(record)


def configure(level: Level) -> None:
    """Has everything of at least this level written to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter("%(level)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.value.upper(), handlers=[handler], force=True)
