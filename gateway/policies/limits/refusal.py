"""What a call is refused with that is one too many: the error that clients see, a line in the log.

An error names the limit and its numbers, never whose share it was. Lines are written once a second
for each limit and told by their count, for whoever asks too often asks very often.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from google.rpc import error_details_pb2

from gateway.call import Call, RpcError, Status
from gateway.errors import error, pack
from gateway.policies.limits.ask import Share

log = logging.getLogger("gateway.limits")

_QUIET: Final = 1.0  # seconds between two lines of one limit
_SHOWN: Final = 200  # characters of a name that others chose


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


@dataclass(slots=True)
class _Count:
    """Lines of one limit.

    Attributes:
        quiet_until: When the next may be written.
        left_out: Those since the last one.
    """

    quiet_until: float
    left_out: int = 0


class Notes:
    """Writes what limits refuse into the log, and what dark ones would.

    Args:
        clock: Seconds that only grow.
    """

    __slots__ = ("_clock", "_counts")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, str], _Count] = {}  # by what, and limit: a config's few

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
        now, key = self._clock(), (what, limit.name)
        count = self._counts.get(key)
        if count is not None and now < count.quiet_until:
            count.left_out += 1
            return
        self._counts[key] = _Count(now + _QUIET)
        if not log.isEnabledFor(logging.INFO):
            return
        parts = [f"{limit.said} is used up"]
        if call.principal is not None:
            parts.append(f"caller {call.principal.provider} {_plain(call.principal.subject)}")
        if call.request_id:
            parts.append(f"request {_plain(call.request_id)}")
        if count is not None and count.left_out:
            parts.append(f"{count.left_out} more such lines left out before")
        told = "; ".join(parts)
        log.info("%s %s from %s: %s", what, call.method, call.peer or "a Unix socket", told)


def _plain(text: str) -> str:
    """Returns a name in quotes, as one line of bounded length."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
