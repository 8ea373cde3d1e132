"""Levels of loggers that are changed while the gateway runs, and fall back after a time.

Of one process. Only the gateway's own loggers can be changed: those of libraries may tell what they
send and receive, secrets too.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gateway.operations.arguments import one_of, only, seconds
from gateway.operations.asking import NOT_ASKED_RIGHT, Content, OperationError

USUAL: Final = "usual"
LEVELS: Final = ("debug", "info", "warning", "error")

_ROOT: Final = "gateway"
_NAME: Final = re.compile(r"gateway(\.[a-z0-9_]{1,40}){0,8}")
_SECONDS: Final = 600.0
_LONGEST: Final = 24 * 3600.0
_MOST: Final = 64  # loggers at once

log = logging.getLogger(_ROOT)


class Clock(Protocol):
    """What an event loop has of it."""

    def time(self) -> float:
        """Returns seconds that only grow."""

    def call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Calls back after so many seconds."""


@dataclass(frozen=True, slots=True)
class _Changed:
    """A logger's level now.

    Attributes:
        usual: What it falls back to; NOTSET for its parent's.
        level: The name of the one it has.
        until: When it falls back, on the clock.
        timer: What has it fall back.
    """

    usual: int
    level: str
    until: float
    timer: asyncio.TimerHandle


class LogLevels:
    """Those of a process.

    Args:
        clock: The event loop.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed: dict[str, _Changed] = {}

    async def operate(self, arguments: Mapping[str, str]) -> Content:
        """Does the operation `log`: changes the level of a logger, and tells all that are changed.

        Args:
            arguments: `level` (`usual` is to fall back now; without it nothing is changed),
                `logger` (`gateway` by default, and so all that have no level of their own), `for`.

        Returns:
            `levels`: of each logger that is changed, `logger`, `level` and the `seconds` left.

        Raises:
            OperationError: An argument is none.
        """
        only(arguments, "level", "logger", "for")
        level = one_of(arguments, "level", (*LEVELS, USUAL))
        name = arguments.get("logger", _ROOT)
        lasts = seconds(arguments, "for", _SECONDS, _LONGEST)
        if _NAME.fullmatch(name) is None:
            text = "logger: expected one of the gateway's, such as gateway.upstream."
            raise OperationError(NOT_ASKED_RIGHT, text)
        if level is None and arguments:
            raise OperationError(NOT_ASKED_RIGHT, "level: it is missing.")
        if level == USUAL:
            self._fall_back(name)
        elif level is not None:
            self._change(name, level, lasts)
        return {"levels": self._told()}

    def close(self) -> None:
        """Has all fall back, and ends all timers."""
        for name in list(self._changed):
            self._fall_back(name)

    def _change(self, name: str, level: str, lasts: float) -> None:
        if name not in self._changed and len(self._changed) >= _MOST:
            text = f"The levels of {_MOST} loggers are changed: let one of them fall back first."
            raise OperationError(NOT_ASKED_RIGHT, text)
        logger = logging.getLogger(name)
        before = self._changed.get(name)
        if before is not None:
            before.timer.cancel()
        usual = logger.level if before is None else before.usual
        timer = self._clock.call_later(lasts, lambda: self._fall_back(name))
        self._changed[name] = _Changed(usual, level, self._clock.time() + lasts, timer)
        logger.setLevel(level.upper())
        log.info("%s logs from %s on, for %g seconds", name, level, lasts)

    def _fall_back(self, name: str) -> None:
        changed = self._changed.pop(name, None)
        if changed is not None:
            changed.timer.cancel()
            logging.getLogger(name).setLevel(changed.usual)

    def _told(self) -> list[dict[str, Any]]:
        now = self._clock.time()
        return [
            {"logger": name, "level": each.level, "seconds": round(each.until - now, 3)}
            for name, each in sorted(self._changed.items())
        ]
