"""What the end of an attempt says of the endpoint: whether it is to blame, and not the call.

Clients choose deadlines, so a deadline that passed blames an endpoint only where the attempt had
time enough. What a backend refuses (NOT_FOUND, PERMISSION_DENIED …) is an answer as good as any.
Pure; what becomes of it is the business of those who keep records (`outliers`).
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from gateway.call import Code, RpcError
from gateway.upstream.channel.faults import OF_THE_WAY

PATIENCE: Final = 0.25
"""Seconds that an attempt must have had for its deadline to say something of the endpoint, where
operators give attempts no less (`retries.per_try_timeout`)."""


class Blame(Enum):
    """What an attempt's end says of the endpoint."""

    ANSWERED = "answered"
    """It is well: it answered, if only to refuse."""

    FAILED = "failed"
    """It is not well: it says so, its answer is none, or it can't be reached."""

    BROKEN = "broken"
    """Its connection broke, and other calls with it."""

    LATE = "late"
    """It did not answer, though there was time."""

    NOBODY = "nobody"
    """Nothing: the call ended for a reason of its own."""


FAULTS: Final = frozenset({Blame.FAILED, Blame.BROKEN, Blame.LATE})
"""What speaks against an endpoint."""

# A backend's own statuses that say it is not well; all others say something of the call.
_BACKEND_FAILURES: Final = frozenset(
    {Code.UNKNOWN, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS}
)


def blame_of(
    failure: RpcError, seconds: float, patience: float, *, answered: bool = False
) -> Blame:
    """Returns what a failure says of the endpoint.

    Args:
        failure: How the attempt ended.
        seconds: How long it took.
        patience: How many of them it must have had for its deadline to say something.
        answered: Whether it was a stream's, and the endpoint had begun to answer: then its deadline
            says nothing, however long that was.
    """
    if failure.reason is None:
        return Blame.FAILED if failure.status.code in _BACKEND_FAILURES else Blame.ANSWERED
    if failure.reason == "DEADLINE_EXCEEDED":
        return Blame.NOBODY if answered or seconds < patience else Blame.LATE
    if failure.reason == "UPSTREAM_RESET":
        return Blame.BROKEN
    return Blame.FAILED if failure.reason in OF_THE_WAY else Blame.NOBODY
