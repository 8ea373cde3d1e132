"""One call on the client's side: what is to be sent, what has come, and how it ended.

Sans-IO. A session (`session`) carries exchanges over sockets; the user's side (`stream`) fills and
empties them. An exchange is `WAITING` until its `open` is written: until then it belongs to no
session, has no id, and can go with any connection. It is `OVER` for its user once it has a status:
what has come before that is still there to be taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol

from gateway.client.errors import Status
from gateway.client.frames import Limits, Metadata, Request
from gateway.client.pool import Pool
from gateway.client.window import ReceiveWindow, SendWindow


@dataclass(frozen=True, slots=True)
class Opening:
    """What a call begins with.

    Attributes:
        method: The full name, `shop.chat.v1.ChatService/Join`.
        metadata: Entries in order.
        deadline: When the call is over, in seconds of the session's clock, or None.
        credit: Messages that may wait here.
        body: The first request message, serialized, or None.
        end: Whether there are no requests beyond `body`.
    """

    method: str
    metadata: Metadata = field(default=(), repr=False)
    deadline: float | None = None
    credit: int = 64
    body: bytes | None = None
    end: bool = False


class Phase(Enum):
    """How far an exchange has come."""

    WAITING = "the open is not written"
    OPEN = "open"
    OVER = "there is a status"


class Carrier(Protocol):
    """What carries an exchange that is open: its session."""

    @property
    def limits(self) -> Limits:
        """What the gateway allows."""

    def send(self, exchange: Exchange, body: bytes | None, *, end: bool) -> None:
        """Sends a request message, or only says that there are no more."""

    def take(self, exchange: Exchange) -> Any:
        """Takes the next message from the inbox."""

    def cancel(self, exchange: Exchange, status: Status) -> None:
        """Ends the exchange, at both sides."""


class Exchange:
    """The state of one call.

    Args:
        opening: What it begins with.
        changed: Called whenever a user who waits may go on.

    Attributes:
        carrier: What carries it; None while it waits.
        id: The stream's id; 0 while it waits.
        phase: How far it has come.
        inbox: Messages that have come and were not taken.
        headers: The initial metadata; () where a message or the status came without.
        status: How it ended, or None.
        closed: Whether the user has said that there are no more requests.
        outbox: Requests that are to be written.
        unacknowledged: Requests that were written, kept in case the socket has swallowed them.
        seen: The highest `seq` that has come.
        seq: The highest `seq` that was given to a request.
        unsaid: Bytes that have come and were not acknowledged.
        sending: Credit of requests; of an exchange that waits, none.
        receiving: Credit of messages.
    """

    __slots__ = (
        "carrier",
        "changed",
        "closed",
        "headers",
        "id",
        "inbox",
        "opening",
        "outbox",
        "phase",
        "receiving",
        "seen",
        "sending",
        "seq",
        "status",
        "unacknowledged",
        "unsaid",
    )

    def __init__(self, opening: Opening, changed: Callable[[], None]) -> None:
        self.opening = opening
        self.changed = changed
        self.carrier: Carrier | None = None
        self.id = 0
        self.phase = Phase.WAITING
        self.inbox: deque[Any] = deque()
        self.headers: Metadata | None = None
        self.status: Status | None = None
        self.closed = opening.end
        self.outbox: deque[Request] = deque()
        self.unacknowledged: deque[Request] = deque()
        self.seen = 0
        self.seq = 0
        self.unsaid = 0
        self.sending: SendWindow = _NONE
        self.receiving = ReceiveWindow(opening.credit)

    def opened(self, carrier: Carrier, id_: int, sending: SendWindow) -> None:
        """Takes note that the open is written."""
        self.carrier = carrier
        self.id = id_
        self.sending = sending
        self.phase = Phase.OPEN
        self.changed()

    def end(self, status: Status) -> None:
        """Ends the exchange for its user, unless it has ended."""
        if self.phase is Phase.OVER:
            return
        self.phase = Phase.OVER
        self.status = status
        if self.headers is None:
            self.headers = ()
        self.outbox.clear()
        self.unacknowledged.clear()
        self.sending.close()
        self.changed()

    def acknowledged(self, seq: int) -> None:
        """Forgets the requests up to `seq`."""
        while self.unacknowledged and self.unacknowledged[0].seq <= seq:
            self.unacknowledged.popleft()

    def rewind(self) -> None:
        """Has all be written again that was not acknowledged."""
        self.outbox.extendleft(reversed(self.unacknowledged))
        self.unacknowledged.clear()


_NONE: Final = SendWindow(0, 0, Pool(0), lambda: None)
