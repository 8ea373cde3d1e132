"""Whether a call may be made once more: what its upstream has left for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.record import CallRecord
    from gateway.upstream.upstream import Upstream


def reserve(upstream: Upstream, now: float, record: CallRecord | None = None) -> bool:
    """Takes a further attempt out of an upstream's budget, and a place in its breaker.

    Whoever has reserved one gives the place back (`breaker.retries`) when the attempt has ended, or
    is not made.

    Args:
        upstream: Whose attempt it would be.
        now: On its clock.
        record: What is noted of the call; None for nothing.
    """
    if upstream.breaker.retries_full:
        upstream.counts.held += 1
        if record is not None:
            record.note("not made again", _told, "breaker", upstream.name)
        return False
    if not upstream.budget.take(now):
        upstream.counts.exhausted += 1
        if record is not None:
            record.note("not made again", _told, "budget", upstream.name)
        return False
    upstream.breaker.retries += 1
    return True


def _told(bound: str, upstream: str) -> Mapping[str, str]:
    """Returns what kept a call from being made again."""
    return {"bound": bound, "upstream": upstream}
