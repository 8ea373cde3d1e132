"""The deadline: the shortest of what the client, the policy and the upstream allow.

A gate that comes before everything that can refuse or wait, so that a call whose time is gone costs
nothing; the channel ends the call when the deadline passes and sends the backend the time that
remains. It does not end calls itself.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.call import Call, Deadline
from gateway.errors import error


class DeadlineGate:
    """Gives each call a deadline of at most `timeout` seconds, and refuses one whose time is over.

    Args:
        timeout: Seconds that a call may take; 0 sets none of its own.
        clock: The loop's clock, in seconds.
    """

    __slots__ = ("_clock", "_timeout")

    def __init__(self, timeout: float, clock: Callable[[], float]) -> None:
        self._timeout = timeout
        self._clock = clock

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        if not self._timeout:
            return "Sets no deadline of its own, and refuses a call whose deadline is past."
        limit = _written(self._timeout)
        return f"Gives each call a deadline of at most {limit}, and refuses one whose time is over."

    def admit(self, call: Call) -> None:
        """Shortens the call's deadline; raises DEADLINE_EXCEEDED when it has passed."""
        now = self._clock()
        asked, record = call.deadline, call.record
        # A loop's clock stands still while it works, a record's does not: `began` is now on that.
        if record is not None and asked is not None:
            record.asked = record.until = record.began + asked.at - now
        if self._timeout and (asked is None or asked.at > now + self._timeout):
            until = now + self._timeout
            call.deadline = Deadline(until)
            if record is not None:
                record.until = record.began + self._timeout
        elif asked is not None and asked.at <= now:
            raise error("DEADLINE_EXCEEDED", "The deadline had passed before the call was made.")


def _written(seconds: float) -> str:
    """Returns a time as the config has it: `1h`, `90s`, `250ms`."""
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms"
