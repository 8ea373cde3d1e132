"""What is noted of one call of a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from gateway.record.attempts import AttemptRecord
from gateway.record.outside import Caller, Detail, Failure, Principal

if TYPE_CHECKING:
    from gateway.record.requests import RequestRecord

MOST_CALLS: Final = 256
"""Calls of one request that are noted in it; a subscription may make calls for days."""

MOST_NOTES: Final = 32
"""What is said of one call at most; of more the first and the last are kept."""


class CallRecord:
    """One call of a method, from the moment that it enters its chain.

    Attributes:
        method: Its full name.
        request: What made it.
        began: When; 0 for one that was not begun.
        ended: When it was over; 0 while it is not.
        code: How it ended; None for one that was given up, since nobody waited for it any more.
        reason: The gateway's own reason of a failure (`errors.REASONS`); None where it has none.
        message: What was said of a failure; empty where there is none.
        details: What else was said of it.
        asked: The deadline that its client asked for; 0 for none.
        until: The deadline that it has, likewise.
        clock: The clock that its times are of.
        caller: Tells who makes it while it runs: the call itself; None before and after.
        principal: Who made it, as known at its end.
        upstream: The upstream that it came to; empty for none.
        begun: How many attempts have begun.
        given: When the first of them did; 0 for none.
        endpoint: The endpoint that was given the last of them; empty for none.
        attempts: Those that have ended, in the order of their ends.
        waits: What held it up on its way: what it was, from when, until when.
        notes: What is said of it on its way: `(what, tell, *arguments)`, where `tell(*arguments)`
            returns what JSON can say. It is asked where the call is kept, at its end.
        cached: What the cache did for it: `hit`, `stale`, `miss`, `coalesced`; empty for nothing.
        received: Messages of the client's, where it is a stream.
        sent: Messages to the client, likewise.
        received_bytes: Their bytes, and of a unary call its request's.
        sent_bytes: Likewise, the other way.
        stalls: Messages to the client that waited for it.
        first: When the first message to the client was there; 0 for none.
        path: Where in a GraphQL answer it belongs; empty for nowhere.
        span: Its id in the trace, 16 hexadecimal digits; None where it has none.
    """

    __slots__ = (
        "asked", "attempts", "began", "begun", "cached", "caller", "clock", "code", "details",
        "ended", "endpoint", "first", "given", "message", "method", "notes", "path", "principal",
        "reason", "received", "received_bytes", "request", "sent", "sent_bytes", "span", "stalls",
        "until", "upstream", "waits",
    )  # fmt: skip

    def __init__(self, method: str, request: RequestRecord) -> None:
        self.method = method
        self.request = request
        self.clock = request.clock
        self.began = self.ended = self.first = self.asked = self.until = self.given = 0.0
        self.code: int | None = None
        self.reason: str | None = None
        self.message = ""
        self.details: tuple[Detail, ...] = ()
        self.caller: Caller | None = None
        self.principal: Principal | None = None
        self.upstream = self.cached = self.path = self.endpoint = ""
        self.begun = 0
        self.attempts: tuple[AttemptRecord, ...] = ()
        self.waits: list[tuple[str, float, float]] | None = None
        self.notes: list[tuple[Any, ...]] | None = None
        self.received = self.sent = self.received_bytes = self.sent_bytes = self.stalls = 0
        self.span: str | None = None

    def tries(self, endpoint: str, at: float) -> None:
        """Takes down that an attempt begins, at an endpoint, at a time."""
        if not self.begun:
            self.given = at
        self.begun += 1
        self.endpoint = endpoint

    def tried(self, attempt: AttemptRecord) -> None:
        """Takes down an attempt that has ended: of a call that was given up, after its own end."""
        if self.ended:
            self.request.source.tried(self, attempt)
        else:
            self.attempts += (attempt,)

    def failed(self, failure: Failure) -> None:
        """Takes down what it failed with; not the error itself, whose traceback holds the call."""
        status = failure.status
        self.code = status.code
        self.reason = failure.reason
        self.message = status.message
        self.details = status.details

    def where(self) -> str:
        """Returns the endpoint that ended it; of one that was given up, who had it last.

        What ended it is the last attempt that was not given up: of hedges one answers, and others
        are given up for it.
        """
        if self.begun != 1 and self.code is not None:
            for attempt in reversed(self.attempts):
                if attempt.code is not None:
                    return attempt.endpoint
        return self.endpoint

    def ends(self, now: float = 0.0) -> None:
        """Takes down that it is over and who made it, and has it kept.

        Args:
            now: When it was over; 0 for now.
        """
        if not self.ended:
            self.ended = now or self.clock()
            caller = self.caller
            if caller is not None:
                self.principal = caller.principal
                self.caller = None  # which knows of this: neither waits for a garbage collector
            self.request.source.called(self)

    def note(self, what: str, tell: Callable[..., object], *arguments: object) -> None:
        """Takes down what is said of it on its way; see `notes`."""
        if self.notes is None:
            self.notes = []
        elif len(self.notes) >= MOST_NOTES:  # of a stream whose messages are limited
            del self.notes[MOST_NOTES // 2]
        self.notes.append((what, tell, *arguments))

    def waited(self, what: str, began: float) -> None:
        """Takes down what held it up until now."""
        if self.waits is None:
            self.waits = []
        self.waits.append((what, began, self.clock()))

    def took(self, size: int) -> None:
        """Counts a message of the client's."""
        self.received += 1
        self.received_bytes += size

    def gave(self, size: int) -> None:
        """Counts a message to the client."""
        if not self.sent:
            self.first = self.clock()
        self.sent += 1
        self.sent_bytes += size
