"""What is told of a call's limits to who runs the gateway: each with its numbers.

Whose share it was is told by its kind alone (`principal`, `header:x-tenant`): a key may be secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.policies.limits.ask import Verdict


class Numbered(Protocol):
    """A limit or a quota, as far as it is told of."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def rate(self) -> str:
        """As it is written, `100/s`."""

    @property
    def by(self) -> Sequence[str]:
        """Of what its keys are made, as the config has it."""

    @property
    def is_quota(self) -> bool:
        """Whether it is a plan's quota."""

    @property
    def dark(self) -> bool:
        """Whether it only counts."""


def numbers(limits: Sequence[Numbered], verdict: Verdict) -> list[Mapping[str, object]]:
    """Returns what each limit said of a call.

    Args:
        limits: Those that were asked.
        verdict: What became of it.

    Returns:
        Of each its `limit` (the name), `kind`, `rate`, `by`, and, where it could be decided,
        whether it `allowed` the call, how much is `remaining`, in how many seconds it `resets`,
        how long it was to be waited for, and when there is enough again (`retry_after`).
    """
    told: list[Mapping[str, object]] = []
    for limit, share in zip(limits, verdict.shares, strict=True):
        known: dict[str, object] = {
            "limit": limit.name,
            "kind": "quota" if limit.is_quota else "rate limit",
            "rate": limit.rate,
            "by": list(limit.by),
        }
        if limit.dark:
            known["dark"] = True
        if share is not None:
            known |= {
                "allowed": share.allowed,
                "remaining": share.remaining,
                "resets": round(share.resets, 3),
                "wait": round(share.wait, 3),
                "retry_after": round(share.retry_after, 3),
            }
        told.append(known)
    return told
