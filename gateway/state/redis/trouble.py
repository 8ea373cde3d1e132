"""What the log says of a state that is away: one line when that begins, and one when it is over.

It is over when something succeeded and nothing has failed for a while: a server that takes some
commands and refuses others is in trouble all the time, and says so once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

log = logging.getLogger("gateway.state")

_QUIET: Final = 1.0  # seconds


class Trouble:
    """One server's.

    Attributes:
        lasts: Whether it is in trouble.

    Args:
        name: What the log calls the server.
        clock: Seconds, on a clock that never goes back.
    """

    __slots__ = ("_began", "_clock", "_latest", "_name", "lasts")

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._began = 0.0
        self._latest = 0.0
        self.lasts = False

    def failed(self, why: str) -> None:
        """Takes note of a failure."""
        self._latest = self._clock()
        if not self.lasts:
            self.lasts = True
            self._began = self._latest
            log.warning("the state %s is away: %s", self._name, why)

    def succeeded(self) -> None:
        """Takes note that something was done. To be called while it lasts."""
        now = self._clock()
        if now - self._latest >= _QUIET:
            self.lasts = False
            log.warning("the state %s is back, after %.1f s", self._name, now - self._began)
