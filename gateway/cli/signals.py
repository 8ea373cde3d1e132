"""What a gateway that runs is told by signals: to end, to reload, to open its logs anew."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable

_INTERRUPTED = 128 + signal.SIGINT


class Signals:
    """What the process has been told. Made inside a running loop; replaces its handlers.

    Attributes:
        end: Set at the first SIGTERM or SIGINT.
        reload: Set at each SIGHUP; whoever reloads clears it.
        reopen: Called at each SIGUSR1: log files were moved away.
        at_once: Called before a second SIGINT ends the process.
    """

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.reload = asyncio.Event()
        self.at_once: Callable[[], None] = _nothing
        self.reopen: Callable[[], None] = _nothing
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.end.set)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)
        loop.add_signal_handler(signal.SIGUSR1, lambda: self.reopen())  # noqa: PLW0108  it is set

    def _interrupt(self) -> None:
        if self.end.is_set():
            self.at_once()
            sys.stderr.flush()
            os._exit(_INTERRUPTED)
        self.end.set()


def _nothing() -> None:
    """Has nothing to do."""
