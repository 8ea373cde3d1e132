"""What is kept of a reply, or of NOT_FOUND, and for how long. Times are on the store's clock."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from gateway.call import Code, Metadata, Reply, RpcError, Status
from gateway.kept import Forms
from gateway.policies.cache.freshness import Lifetime

_OVERHEAD: Final = 400
"""Bytes of a Kept and its Lifetime beside what they hold."""

_ITEM: Final = 64
"""Bytes of an entry of metadata beside its value: a tuple and its place."""

NOT_TOLD: Final = ("x-cache-tags", "cache-control", "age")
"""Initial metadata that speaks to the gateway: it tells clients itself."""


class Kept:
    """A reply, or NOT_FOUND.

    Attributes:
        message: The serialized reply; empty for NOT_FOUND.
        initial: The backend's initial metadata that concerns clients; with NOT_FOUND, all of it.
        trailers: Its trailers.
        status: NOT_FOUND's; None for a reply.
        made: When its backend made it.
        lifetime: How long it holds.
    """

    __slots__ = ("initial", "lifetime", "made", "message", "status", "trailers")

    def __init__(
        self,
        message: bytes,
        initial: Metadata,
        trailers: Metadata,
        status: Status | None,
        *,
        made: float,
        lifetime: Lifetime,
    ) -> None:
        self.message = message
        self.initial = initial
        self.trailers = trailers
        self.status = status
        self.made = made
        self.lifetime = lifetime

    @property
    def until(self) -> float:
        """When it is of no use any more."""
        return self.made + self.lifetime.all

    def age(self, now: float, *, is_new: bool) -> float | None:
        """Returns how old it is, in seconds; None for what its backend made for this call.

        Args:
            now: The time.
            is_new: Whether it was fetched for this call; also then it may have been old already.
        """
        if is_new and not self.lifetime.age:
            return None
        return max(0.0, now - self.made)

    def is_fresh(self, now: float) -> bool:
        """Whether it holds."""
        return now - self.made < self.lifetime.fresh

    def may_stand_in(self, now: float) -> bool:
        """Whether it may be used while a new one is fetched."""
        return now - self.made < self.lifetime.fresh + self.lifetime.revalidate

    def may_replace_failure(self, now: float) -> bool:
        """Whether it may be used where the backend fails."""
        return now - self.made < self.lifetime.fresh + self.lifetime.on_error

    def size(self) -> int:
        """Returns the bytes that it holds."""
        size = _OVERHEAD + sys.getsizeof(self.message) + len(self.lifetime.told)
        for metadata in (self.initial, self.trailers):
            for name, value in metadata:
                size += _ITEM + sys.getsizeof(name) + sys.getsizeof(value)
        if self.status is not None:
            size += sys.getsizeof(self.status.message)
            for detail in self.status.details:
                size += _ITEM + sys.getsizeof(detail.type_url) + sys.getsizeof(detail.value)
        return size

    def answer(self, headers: Mapping[str, str], forms: Forms | None) -> Reply | RpcError:
        """Returns what a call completes with.

        Args:
            headers: What its client is told.
            forms: Where forms of the message are kept, if it is.
        """
        if self.status is not None:
            return RpcError(self.status, headers=headers, metadata=self.initial)
        return Reply(self.message, self.initial, self.trailers, headers, forms)


_FAILURES: Final = frozenset(
    {Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS}
)
"""What is a failure to RFC 5861 section 4: the statuses that are 500, 503 or 504 in HTTP."""


def is_failure(result: object) -> bool:
    """Whether a call ended so that a stale reply may be used in place of its end."""
    return isinstance(result, RpcError) and result.status.code in _FAILURES


def again(error: RpcError) -> RpcError:
    """Returns an error like another: what is raised in several places grows with each."""
    return RpcError(
        error.status,
        headers=error.headers,
        http_status=error.http_status,
        metadata=error.metadata,
        reason=error.reason,
    )
