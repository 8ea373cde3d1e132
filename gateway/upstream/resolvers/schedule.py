"""When to look endpoints up again. Pure; all times are seconds.

An answer is believed for as long as it says (its TTL), within two bounds: less than a second would
be a burden for name servers, and more than `refresh` is more than the operator wants to wait. After
a failure the next look comes soon, and later each time. Everything may be up to a tenth later, so
that many gateways do not ask at once; never sooner, when the answer would be the old one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

LEAST: Final = 1.0
"""Between two looks, whatever the TTL, unless `refresh` is shorter."""

_FIRST: Final = 0.5  # after a failure
_JITTER: Final = 0.1


def after_answer(ttl: float | None, refresh: float, random: Callable[[], float]) -> float:
    """Returns for how long an answer holds.

    Args:
        ttl: What it says itself; None where it says nothing.
        refresh: The most.
        random: Returns a number in [0, 1).
    """
    return _later(refresh if ttl is None else min(max(ttl, LEAST), refresh), random)


def after_failure(failures: int, refresh: float, random: Callable[[], float]) -> float:
    """Returns how long to wait after a failure.

    Args:
        failures: In a row, at least 1.
        refresh: The most.
        random: Returns a number in [0, 1).
    """
    # A power that can't overflow.
    return _later(min(_FIRST * 2.0 ** min(failures - 1, 32), refresh), random)


def _later(seconds: float, random: Callable[[], float]) -> float:
    return seconds * (1 + _JITTER * random())
