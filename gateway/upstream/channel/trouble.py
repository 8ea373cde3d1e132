"""What operators are told of an endpoint: the real causes, said once and not for every call.

Clients get a sentence without addresses; the log `gateway.upstream` gets the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from gateway.upstream.channel import State

log = logging.getLogger("gateway.upstream")

# A failure is told again as a warning after this many seconds; until then at debug level.
_QUIET = 60.0

# Failures that say nothing of the endpoint, only of one call.
_ORDINARY = frozenset({"DEADLINE_EXCEEDED"})


class Trouble:
    """One endpoint's log: its address, and a clock in seconds."""

    __slots__ = ("_address", "_clock", "_failing", "_warned")

    def __init__(self, address: str, clock: Callable[[], float]) -> None:
        self._address = address
        self._clock = clock
        self._failing = False
        self._warned: dict[str, float] = {}

    def note(self, reason: str, cause: str) -> None:
        """Tells that a call failed for `reason`; `cause` may hold the backend's words."""
        now = self._clock()
        last = self._warned.get(reason)
        if reason in _ORDINARY or (last is not None and now - last < _QUIET):
            level = logging.DEBUG
        else:
            self._warned[reason] = now
            level = logging.WARNING
        # %r, for what comes from a backend must not write lines of its own.
        log.log(level, "backend %s: %s: %r", self._address, reason, cause)

    def bug(self, failure: BaseException) -> None:
        """Tells of a bug of ours."""
        log.error("backend %s: connecting failed on a bug", self._address, exc_info=failure)

    def heard(self, state: State) -> None:
        """Tells of a connection that fails, and of one that works again."""
        if state is State.FAILING and not self._failing:
            self._failing = True
            log.warning("backend %s: no connection; trying again", self._address)
        elif state is State.READY and self._failing:
            self._failing = False
            self._warned.clear()
            log.info("backend %s: connected again", self._address)
