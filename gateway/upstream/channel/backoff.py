"""How long to wait before the next attempt to connect (grpc/grpc, doc/connection-backoff.md).

Pure. The shape is gRPC's; the figures are smaller, since a gateway is near its backends, they are
often restarted, and until one that is back has been noticed its calls are another's, or fail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

INITIAL: Final = 0.2  # seconds
MULTIPLIER: Final = 1.6
MOST: Final = 1.0  # seconds
JITTER: Final = 0.2


def delay(failures: int, random: Callable[[], float]) -> float:
    """Returns the seconds from the beginning of one attempt to the beginning of the next.

    Args:
        failures: Attempts in a row that have failed, at least 1.
        random: Returns a number in [0, 1), so that many gateways do not knock at once.
    """
    # A power that can't overflow: the bound is reached after four.
    grown = INITIAL * MULTIPLIER ** min(failures - 1, 32)
    return min(grown, MOST) * (1 + JITTER * (2 * random() - 1))
