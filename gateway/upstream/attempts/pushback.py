"""When a backend wants to be asked again, in its own words (gRFC A6, "Pushback"). Pure."""

from __future__ import annotations

import re
from typing import Final

from gateway.call import Metadata

KEY: Final = "grpc-retry-pushback-ms"

NEVER: Final = float("inf")
"""Seconds after which it wants to be asked again: not at all."""

LONGEST: Final = 60.0
"""Seconds that a call is held at most; a backend that asks for more asks not to be asked."""

# "An ASCII encoded signed 32-bit integer with no unnecessary leading zeros": what is not one, or is
# negative, says never.
_WAIT = re.compile(r"0|[1-9][0-9]{0,9}")


def pushback_of(metadata: Metadata) -> float | None:
    """Returns the seconds that a backend asked for, NEVER, or None where it said nothing.

    Args:
        metadata: What came with a failure.
    """
    said = [value for _, value in metadata.only((KEY,))]
    if not said:
        return None
    (*others, last) = said
    if others or not isinstance(last, str) or not _WAIT.fullmatch(last):
        return NEVER
    seconds = int(last) / 1000
    return seconds if seconds <= LONGEST else NEVER
