"""The application log on standard error: what happens to the gateway itself, a line each.

As text, `level logger: message`, a traceback below it; or as JSON, an object a line. Of a worker
with its number. What clients ask is in the access log, not here.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import Final

from gateway.cli.options import Level, LogForm

_TELLING: Final = ("urllib3",)
"""Loggers of libraries that tell whole URLs in lines below errors, as that of the collector."""


@dataclass(frozen=True, slots=True)
class Logs:
    """How much is logged, and how.

    Attributes:
        level: The least that is written.
        form: How a line is written.
    """

    level: Level
    form: LogForm = LogForm.TEXT


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record.level = record.levelname.lower()
        return super().format(record)


class _Json(logging.Formatter):
    def __init__(self, worker: int | None) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        said: dict[str, object] = {
            "time": f"{at}.{int(record.created % 1 * 1e6):06d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if self._worker is not None:
            said["worker"] = self._worker
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said)


def configure(logs: Logs, *, worker: int | None = None) -> None:
    """Has everything of at least its level written to standard error.

    Libraries whose lines tell URLs write errors alone, whatever the level.

    Args:
        logs: How much, and how.
        worker: The process's number among several.
    """
    handler = logging.StreamHandler()
    if logs.form is LogForm.JSON:
        handler.setFormatter(_Json(worker))
    else:
        who = "" if worker is None else f"worker {worker}: "
        handler.setFormatter(_Text(f"%(level)s %(name)s: {who}%(message)s"))
    logging.basicConfig(level=logs.level.value.upper(), handlers=[handler], force=True)
    for name in _TELLING:
        logging.getLogger(name).setLevel(logging.ERROR)
