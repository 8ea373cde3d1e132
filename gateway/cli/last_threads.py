"""Runs a gateway, and ends its process though a thread of it never ends.

A thread that reads a file of a dead server waits for ever, and Python waits for its threads. What
the gateway had to do in order is done by then.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Coroutine
from threading import Timer
from typing import Final

import uvloop

log = logging.getLogger("gateway")

_PATIENCE: Final = 5.0  # seconds for threads to end by themselves


def run_to_its_end(
    work: Coroutine[None, None, None],
    *,
    patience: float = _PATIENCE,
    leave: Callable[[int], None] = os._exit,
) -> None:
    """Does work in a loop of its own.

    Args:
        work: When it ends, and raises nothing, all is done but for threads that read.
        patience: Seconds that they have to end.
        leave: Ends the process at once, with an exit code; called in another thread.
    """

    def give_up() -> None:
        log.error("a thread does not end: the process ends without it")
        sys.stdout.flush()
        sys.stderr.flush()
        leave(os.EX_OK)

    timer = Timer(patience, give_up)
    timer.daemon = True

    async def whole() -> None:
        await work
        timer.start()

    try:
        uvloop.run(whole())
    finally:
        timer.cancel()
        if timer.is_alive():
            timer.join()
