"""What a call is refused with that is one too many: the error that clients see, a line in the log.

An error names the limit and its numbers, never whose share it was. Lines are written once a second
for each limit and told by their count, for whoever asks too often asks very often.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from google.rpc import error_details_pb2

from gateway.call import Call, RpcError, Status
from gateway.errors import error, pack
from gateway.policies.limits.ask import Share
from gateway.policies.told import Flood, line

log = logging.getLogger("gateway.limits")


class Named(Protocol):
    """A limit that a refusal tells of."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def rate(self) -> str:
        """As it is written, `100/s`."""

    @property
    def said(self) -> str:
        """What it allows, in words."""

    @property
    def is_quota(self) -> bool:
        """Whether it is a plan's quota."""


def refusal(violated: Sequence[tuple[Named, Share]]) -> RpcError:
    """Returns the error for a call.

    Args:
        violated: The limits that refused it, at least one, and what they said.

    Returns:
        RATE_LIMITED, or QUOTA_EXCEEDED where a quota is the one that lasts the longest.
    """
    longest, share = max(violated, key=lambda each: each[1].retry_after)
    said = longest.said
    failure = error(
        "QUOTA_EXCEEDED" if longest.is_quota else "RATE_LIMITED",
        f"{said[0].upper()}{said[1:]} is used up.",
        retry_after=share.retry_after,
        metadata={
            "quota" if longest.is_quota else "limit": longest.name,
            "rate": longest.rate,
        },
    )
    quotas = error_details_pb2.QuotaFailure()
    for limit, _ in violated:
        quotas.violations.add(subject=limit.name, description=f"{limit.rate} is used up")
    status = failure.status
    return RpcError(
        Status(status.code, status.message, (*status.details, pack(quotas))), reason=failure.reason
    )


class Notes:
    """Writes what limits refuse into the log, and what dark ones would.

    Args:
        clock: Seconds that only grow.
    """

    __slots__ = ("_flood",)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._flood = Flood(clock)

    def refused(self, call: Call, violated: Sequence[Named]) -> None:
        """Writes that a call is refused."""
        for limit in violated:
            self._write("refused", call, limit)

    def ended(self, call: Call, violated: Sequence[Named]) -> None:
        """Writes that a stream ends, of which one message was too many."""
        for limit in violated:
            self._write("ended the stream of", call, limit)

    def dark(self, call: Call, limit: Named) -> None:
        """Writes that a call would be refused, if the limit did not only count."""
        self._write("would refuse", call, limit)

    def _write(self, what: str, call: Call, limit: Named) -> None:
        left_out = self._flood.left_out((what, limit.name))  # of which a config has few
        if left_out is None or not log.isEnabledFor(logging.INFO):
            return
        log.info("%s %s", what, line(call, [f"{limit.said} is used up"], call.principal, left_out))
