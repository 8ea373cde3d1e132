"""Where records begin, and who keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.record.attempts import AttemptRecord
    from gateway.record.calls import CallRecord
    from gateway.record.requests import RequestRecord


class Keeper(Protocol):
    """Keeps what it likes of records that are complete.

    It must not keep the records themselves, which hold the request. Times are told by theirs: what
    is over may be some milliseconds old.
    """

    def called(self, call: CallRecord) -> None:
        """Takes note of a call that is over: once for each."""

    def asked(self, request: RequestRecord) -> None:
        """Takes note of a request that is over, once for each, after all its calls."""


class Source(Keeper, Protocol):
    """Where records begin, and who has them kept; nothing that it does may raise.

    Of a request that was kept it forgets the calls, which know of the request: neither waits for a
    garbage collector then.

    Attributes:
        streams: Streaming calls that are under way, of which something is noted.
    """

    streams: set[CallRecord]

    def began(self, record: RequestRecord) -> None:
        """Takes note that one has begun."""

    def tried(self, call: CallRecord, attempt: AttemptRecord) -> None:
        """Takes note of an attempt of a call that was over before it: nobody waited for it."""

    def became(self, record: RequestRecord, kind: str) -> None:
        """Takes note that it will be of another kind: a request that becomes a socket."""
