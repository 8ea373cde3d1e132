"""Ctrl-C, for commands that go on until it comes.

A KeyboardInterrupt that is raised amid a finalizer is printed, and ignored (Python's data model,
`object.__del__`): the command would go on, and Ctrl-C have been lost. So it is noted as well.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


@contextmanager
def until_interrupted() -> Iterator[Callable[[], bool]]:
    """Ends what is done in it at Ctrl-C; yields what tells that it came.

    To be called in the main thread, as `signal.signal` asks for.
    """
    came = False

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        nonlocal came
        came = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with suppress(KeyboardInterrupt):
            yield lambda: came
    finally:
        signal.signal(signal.SIGINT, before)
