"""What is to happen later: timers of the loop, so that tests have the time in their hands.

Who has many at a time shares one (`attempts.alarms`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeAlias


class Timer(Protocol):
    """What is to happen later."""

    def cancel(self) -> None:
        """Has it not happen."""


CallAt: TypeAlias = "Callable[[float, Callable[[], None]], Timer]"
"""Calls a function at a time of the clock, in seconds."""


def call_at(when: float, function: Callable[[], None]) -> Timer:
    """Calls a function at a time of the running loop's clock."""
    return asyncio.get_running_loop().call_at(when, function)


Later: TypeAlias = "Callable[[float, Callable[[], None]], Timer]"
"""Calls a function after so many seconds."""


def later(seconds: float, function: Callable[[], None]) -> Timer:
    """Calls a function after so many seconds of the running loop."""
    return asyncio.get_running_loop().call_later(seconds, function)
