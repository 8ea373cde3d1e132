"""How long to wait before a failed call is made again (gRFC A6, "Exponential Backoff"). Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.upstream.spec import RetrySpec

MULTIPLIER: Final = 2.0
JITTER: Final = 0.2


def backoff(spec: RetrySpec, number: int, random: Callable[[], float]) -> float:
    """Returns the seconds from a failure to the next attempt.

    Args:
        spec: The first wait, and the longest.
        number: Which wait it is, from 1; counted anew after a wait that the backend asked for.
        random: Returns a number in [0, 1), so that calls that failed together come apart.
    """
    # A power that can't overflow: whatever the bound is, it is reached long before.
    grown = spec.base * MULTIPLIER ** min(number - 1, 32)
    return min(grown, spec.most) * (1 + JITTER * (2 * random() - 1))
