"""Which failures a call may be made again for. Pure; when, how often and where is not asked here.

A call is committed once the backend has begun to answer (gRFC A6, "When Retries are Valid"): what
fails then has failed. But of a unary call nobody was given anything yet: where it changes nothing,
an answer that breaks off with its connection is as none. Of the gateway's own errors only those of
the way to a backend may end another way the next time; what it refuses itself, it would refuse
again.
"""

from __future__ import annotations

from typing import Final

from gateway.call import Code, RpcError
from gateway.upstream.channel import AnsweredError
from gateway.upstream.channel.faults import OF_THE_WAY
from gateway.upstream.spec import RetrySpec

NO_RETRIES: Final = RetrySpec(attempts=1)
"""What holds where none are configured."""

MOST_UNSEEN: Final = 8
"""How many nodes are asked in a row, none of which saw the call: with hundreds that are down, an
outage must not become the work of asking all of them for each call."""

_BROKEN: Final = "UPSTREAM_RESET"


def is_retryable(
    failure: RpcError, on: frozenset[Code], *, timed_out: bool, uncommitted: bool = False
) -> bool:
    """Whether a call may be made again for a failure.

    Args:
        failure: What an attempt ended with.
        on: Statuses for which it may.
        timed_out: Whether the attempt had less time than the call, and that is over.
        uncommitted: Whether the beginning of an answer commits to nothing, if its connection broke.
    """
    if isinstance(failure, AnsweredError) and not (uncommitted and failure.reason == _BROKEN):
        return False
    if failure.reason == "DEADLINE_EXCEEDED":
        return timed_out
    if failure.reason is not None and failure.reason not in OF_THE_WAY:
        return False
    return failure.status.code in on
