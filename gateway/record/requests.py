"""What is noted of what a client asked at once: a request, a socket, or something on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gateway.head import Fields, Head
from gateway.record.calls import MOST_CALLS, CallRecord
from gateway.record.keeping import Source
from gateway.record.outside import Detail, Failure, Principal
from gateway.record.trace import Trace

GONE: Final = 499
"""The HTTP status of a request whose client left before its answer (as nginx tells it)."""


class RequestRecord:
    """What a client asked at once: a request, a socket, or a stream or an operation on one.

    Attributes:
        clock: The monotonic clock, in seconds.
        source: Who has it kept, and its calls.
        kind: `request`; or `socket`, `stream`, `operation` on one that was upgraded.
        head: The request's head; of what comes over a socket, its handshake's.
        parent: The socket's, of what comes over one; else None.
        carrier: The fields in which the caller says what trace it belongs to; None for the head's.
        began: When its head was there.
        replied: When the first of its answer left; 0 while there is none.
        ended: When it was over.
        front: Who answers it: `rest`, `graphql`, `websocket`; `listener` for what that refuses
            itself; empty for nobody.
        request_id: What names it.
        route: The template of its path, `/v1/products/{id}`; empty for none.
        operation: The name of a GraphQL operation; empty for none.
        operation_type: `query`, `mutation` or `subscription`; empty for none.
        document: The hash of a GraphQL document, SHA-256 in hexadecimal digits; empty for none.
        cost: What the operation costs, as limits count it; 0 for none.
        calls: The calls that it made, the first MOST_CALLS of them.
        made: How many it made.
        status: The HTTP status that it was answered with; GONE where the client left before; 0 of
            what is no request.
        received: Bytes of its body.
        sent: Bytes of the answer's body.
        code: What it was refused with; None where it was not.
        reason: The gateway's own reason of that (`errors.REASONS`); None where it has none.
        message: What was said of it; empty for nothing.
        details: What else was said of it.
        gone: Whether the client left before the end.
        close: How the socket closed, a WebSocket close code; 0 where it is none.
        closed_here: Whether the gateway closed it so, and not its client.
        trace: Its trace; None where there is none.
        client: Who its front found to ask, where no call says so; None where it did not look.
    """

    __slots__ = (
        "began", "calls", "carrier", "client", "clock", "close", "closed_here", "code", "cost",
        "details", "document", "ended", "front", "gone", "head", "kind", "made", "message",
        "operation", "operation_type", "parent", "reason", "received", "replied", "request_id",
        "route", "sent", "source", "status", "trace",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917  made for each request: names cost time
        self,
        head: Head,
        clock: Callable[[], float],
        source: Source,
        kind: str = "request",
        parent: RequestRecord | None = None,
        carrier: Fields | None = None,
    ) -> None:
        """Begins a record.

        Args:
            head: The request's head.
            clock: The monotonic clock, in seconds.
            source: Who has it kept, and its calls.
            kind: See RequestRecord.
            parent: Likewise.
            carrier: Likewise.
        """
        self.clock = clock
        self.source = source
        self.kind = kind
        self.head = head
        self.carrier = carrier
        self.parent = parent
        self.began = clock()
        self.replied = self.ended = 0.0
        self.front = self.request_id = self.route = ""
        self.operation = self.operation_type = self.document = ""
        self.calls: tuple[CallRecord, ...] = ()
        self.trace: Trace | None = None
        self.client: Principal | None = None
        self.made = self.status = self.received = self.sent = self.close = self.cost = 0
        self.code: int | None = None
        self.reason: str | None = None
        self.message = ""
        self.details: tuple[Detail, ...] = ()
        self.gone = self.closed_here = False

    def call(self, method: str) -> CallRecord:
        """Begins the record of a call that it makes."""
        made = CallRecord(method, self)
        if self.trace is not None and self.trace.sampled:
            made.span = self.trace.new()
        self.made = count = self.made + 1
        if count <= MOST_CALLS:
            self.calls += (made,)
        return made

    def on_socket(self, kind: str, carrier: Fields | None = None) -> RequestRecord:
        """Begins the record of something that came over this socket.

        Args:
            kind: See RequestRecord.
            carrier: Likewise; None for the header fields of the socket's request.
        """
        record = RequestRecord(self.head, self.clock, self.source, kind, self, carrier)
        self.source.began(record)
        return record

    def upgraded(self) -> None:
        """Takes down that the request becomes a socket."""
        self.source.became(self, "socket")
        self.kind = "socket"
        self.replies(101)

    @property
    def principal(self) -> Principal | None:
        """Who made it, as its front or its calls know; None where none of them does."""
        if self.client is not None:
            return self.client
        return next((each.principal for each in self.calls if each.principal is not None), None)

    def failed(self, failure: Failure) -> None:
        """Takes down what it is refused with; not the error itself, as of a call."""
        if self.gone:  # nobody was told
            return
        status = failure.status
        self.code = status.code
        self.reason = failure.reason
        self.message = status.message
        self.details = status.details

    def refused(self, code: int, reason: str | None, message: str) -> None:
        """Takes down what it is refused with, by its parts."""
        if self.gone:  # as above
            return
        self.code, self.reason, self.message = code, reason, message

    def answered(self, status: int, size: int) -> None:
        """Takes down that a whole answer left, and ends."""
        self.status = status
        self.sent = size
        self.replied = self.clock()
        self._end(self.replied)

    def replies(self, status: int) -> None:
        """Takes down that the head of an answer leaves, whose body follows."""
        self.status = status
        self.replied = self.clock()

    def leaves(self) -> None:
        """Takes down that the client has gone; what is under way for it ends before `left`."""
        if not self.ended:
            self.gone = True
            self.status = self.status or GONE

    def left(self) -> None:
        """Takes down that the client has gone, and ends."""
        self.leaves()
        self._end(self.clock())

    def end(self) -> None:
        """Ends: all of the answer has left."""
        self._end(self.clock())

    def _end(self, now: float) -> None:
        if self.ended:
            return
        self.ended = now
        for call in self.calls:
            if not call.ended and call.began:  # it is given up
                call.ends(now)
        self.source.asked(self)
