"""A session of the multiplexed protocol, the client's side: what frames mean, and which to send.

Sans-IO (docs/websocket.md). Frames of streams go in by `receive`, and what is to be sent is asked
for, frame by frame, with `next_frame`: so nothing is written before there is room for it, and what
waits is bounded by the credit of each stream, and by the pool of all. Control frames come first,
then opens, in the order of their ids, then streams in turns. A `cancel` must come before messages
that were sent after it, for the pool has the bytes back at once, and the gateway when it hears.

A session knows no socket. Which one carries it, and what becomes of it when that breaks, is the
connection's (`connection`): it asks `going_on` for what a hello says, and gives the welcome to
`resume`, or ends the session with `lose`.

Calls that wait for a session stand in a queue that outlives sessions; each takes from it what the
gateway's limit of streams leaves room for. A call that its user has left keeps its place until its
status comes, since the gateway counts it too.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeAlias

from gateway.call import Code
from gateway.client.errors import Status, ended
from gateway.client.exchange import Exchange, Phase
from gateway.client.frames import (
    Cancel,
    ClientFrame,
    Credit,
    End,
    Headers,
    Open,
    ProtocolError,
    Reply,
    Request,
    Resumed,
    StreamFrame,
    Welcome,
)
from gateway.client.pace import Pace
from gateway.client.pool import Pool
from gateway.client.window import SendWindow

LOST: Final = ended(
    Code.UNAVAILABLE, "The connection to the gateway broke; how far the call came can't be known."
)
CANCELLED: Final = ended(Code.CANCELLED, "The client cancelled the call.")

# A gateway keeps 4 MiB of what it sends in a session: it is told each time so many bytes have come.
_WORTH_SAYING: Final = 512 * 1024

Waiting: TypeAlias = "deque[Exchange]"
"""Calls that no session has begun, in order."""

_Answer: TypeAlias = "Callable[[Session, Exchange, Any], None]"  # to a frame of a stream


class Session:
    """One session.

    Args:
        welcome: What the gateway said at its beginning.
        waiting: Where calls wait.

    Attributes:
        id: Its name, by which to come back.
        limits: What the gateway allows.
        resume: The seconds by which it outlives its socket; 0 if it doesn't.
        leaving: Whether the gateway takes no new streams.
        held: Whether nothing may be sent, since it moves to another socket.
        wake: Called when there may be something to send.
        due: When there will be something to send, though nothing happens; None for never.
    """

    def __init__(self, welcome: Welcome, waiting: Waiting) -> None:
        self.id = welcome.session
        self.limits = welcome.limits
        self.resume = (welcome.resume_ms or 0) / 1000
        self.leaving = False
        self.held = False
        self.wake: Callable[[], None] = _nobody
        self.due: float | None = None
        self._pace = Pace(welcome.limits.opens)
        self._pool = Pool(welcome.limits.session_buffer)
        self._waiting = waiting
        self._streams: dict[int, Exchange] = {}  # by id, in order; those without a status of theirs
        self._last_id = 0
        self._unsaid = 0  # bytes that have come on all streams and were not acknowledged
        self._cancels: deque[int] = deque()
        self._credits: dict[int, Exchange] = {}  # those that are owed a credit frame
        self._reopening: deque[Exchange] = deque()
        self._turns: deque[Exchange] = deque()  # those with something in the outbox, each once

    @property
    def idle(self) -> bool:
        """Whether there are no streams, and nothing is left to say of one."""
        return not (self._streams or self._credits or self._cancels)

    @property
    def told(self) -> bool:
        """Whether the gateway was told of all streams that were cancelled."""
        return self.held or not self._cancels

    # What the user does with an exchange that is open.

    def send(self, exchange: Exchange, body: bytes | None, *, end: bool) -> None:
        """Sends a request message, or only says that there are no more.

        The exchange must be open and not closed, and its window must have allowed the body.
        """
        if body is not None:
            exchange.sending.take(len(body))
        if self.resume:
            exchange.seq += 1
        exchange.closed = end
        if not exchange.outbox and exchange not in self._reopening:
            self._turns.append(exchange)
        exchange.outbox.append(Request(exchange.id, body, end, exchange.seq))
        self.wake()

    def take(self, exchange: Exchange) -> Any:
        """Takes the next message from the inbox, which grants another when it is worth a frame."""
        message = exchange.inbox.popleft()
        exchange.receiving.took()
        if exchange.phase is Phase.OPEN and exchange.receiving.due:
            self._credits[exchange.id] = exchange
            self.wake()
        return message

    def cancel(self, exchange: Exchange, status: Status) -> None:
        """Ends an exchange that is open, at both sides."""
        exchange.end(status)
        exchange.inbox.clear()
        self._forget(exchange)
        if exchange in self._reopening:  # the gateway has never heard of it
            self._reopening.remove(exchange)
            del self._streams[exchange.id]
        else:
            self._cancels.append(exchange.id)
        self.wake()

    # What is to be sent.

    def next_frame(self, now: float) -> ClientFrame | None:
        """Takes the next frame to send; None is nothing for now.

        Args:
            now: The time, in seconds of the clock of deadlines.
        """
        self.due = None
        if self.held:
            return None
        if self._cancels:
            return Cancel(self._cancels.popleft())
        if self._credits:
            _, exchange = self._credits.popitem()
            self._unsaid -= exchange.unsaid
            exchange.unsaid = 0
            n = exchange.receiving.grant() if exchange.phase is Phase.OPEN else 0
            return Credit(exchange.id, n, exchange.seen)
        return self._next_open(now) or self._next_request()

    def _next_open(self, now: float) -> Open | None:
        if not (self._reopening or self._can_begin()):
            return None
        if wait := self._pace.spend(now):
            self.due = now + wait
            return None
        exchange = self._reopen() if self._reopening else self._begin()
        return None if exchange is None else self._open(exchange, now)

    def _can_begin(self) -> bool:
        return bool(self._waiting and not self.leaving and len(self._streams) < self.limits.streams)

    def _reopen(self) -> Exchange:
        exchange = self._reopening.popleft()
        if exchange.outbox:
            self._turns.append(exchange)
        return exchange

    def _begin(self) -> Exchange | None:
        while self._waiting:
            exchange = self._waiting.popleft()
            size = len(exchange.opening.body or b"")
            if size > self.limits.message_size:
                exchange.end(too_large(size, self.limits.message_size))
                continue
            self._last_id += 1
            self._streams[self._last_id] = exchange
            limits, changed = self.limits, exchange.changed
            window = SendWindow(limits.credit, limits.buffer, self._pool, changed)
            exchange.opened(self, self._last_id, window)
            return exchange
        return None

    def _open(self, exchange: Exchange, now: float) -> Open:
        opening = exchange.opening
        left = None if opening.deadline is None else (opening.deadline - now) * 1000
        return Open(
            exchange.id,
            opening.method,
            opening.metadata,
            None if left is None else max(1, math.ceil(left)),
            opening.credit,
            opening.body,
            opening.end,
        )

    def _next_request(self) -> Request | None:
        if not self._turns:
            return None
        exchange = self._turns.popleft()
        request = exchange.outbox.popleft()
        if exchange.outbox:
            self._turns.append(exchange)
        if self.resume:
            exchange.unacknowledged.append(request)
        return request

    # What the gateway sends.

    def receive(self, frame: StreamFrame, size: int = 0) -> None:
        """Takes a frame of a stream. Those of streams that are over are no error.

        Args:
            frame: The frame.
            size: Its bytes.

        Raises:
            ProtocolError: No stream has ever had that id, or frames are missing before this one.
        """
        exchange = self._streams.get(frame.id)
        if exchange is None:
            if not 0 < frame.id <= self._last_id:
                raise ProtocolError(f"a frame of stream {frame.id}, which was never opened")
            return
        if type(frame) is not Credit and self.resume:
            if frame.seq < 1:
                raise ProtocolError(f"a frame of stream {frame.id} without a seq")
            if frame.seq <= exchange.seen:
                return
            # A status may follow messages that were dropped: those of a call that was ended.
            if frame.seq != exchange.seen + 1 and type(frame) is not End:
                raise ProtocolError(f"stream {frame.id} goes on with {frame.seq}")
            exchange.seen = frame.seq
            self._count(exchange, size)
        self._answers[type(frame)](self, exchange, frame)

    def _count(self, exchange: Exchange, size: int) -> None:
        """Has the gateway told what has come, before that is more than it keeps."""
        exchange.unsaid += size
        self._unsaid += size
        if self._unsaid >= _WORTH_SAYING:
            self._credits.update((each.id, each) for each in self._streams.values() if each.unsaid)
            self.wake()

    def _headers(self, exchange: Exchange, frame: Headers) -> None:
        if exchange.headers is None:
            exchange.headers = frame.metadata
            exchange.changed()

    def _message(self, exchange: Exchange, frame: Reply) -> None:
        if exchange.phase is Phase.OVER:  # its user has left
            return
        if not exchange.receiving.came():
            raise ProtocolError(f"stream {frame.id} has more messages than were granted")
        if exchange.headers is None:
            exchange.headers = ()
        exchange.inbox.append(frame.body)
        exchange.changed()

    def _granted(self, exchange: Exchange, frame: Credit) -> None:
        exchange.acknowledged(frame.seq)
        exchange.sending.grant(frame.n)
        exchange.changed()

    def _ended(self, exchange: Exchange, frame: End) -> None:
        del self._streams[exchange.id]
        self._forget(exchange)
        exchange.end(Status(frame.code, frame.status, frame.message, frame.details, frame.trailers))
        if self.resume:
            self._credits[exchange.id] = exchange  # which says that the status has come
        self.wake()

    _answers: ClassVar[Mapping[type[StreamFrame], _Answer]] = {
        Headers: _headers,
        Reply: _message,
        Credit: _granted,
        End: _ended,
    }

    def _forget(self, exchange: Exchange) -> None:
        """Drops what was to be sent of an exchange that is over."""
        self._credits.pop(exchange.id, None)
        if exchange in self._turns:
            self._turns.remove(exchange)

    # What becomes of it when a socket breaks.

    def going_on(self) -> Mapping[int, Exchange]:
        """Returns the streams that their users still want, which a hello names."""
        return {id_: each for id_, each in self._streams.items() if each.phase is Phase.OPEN}

    def resume_with(self, welcome: Welcome, named: Mapping[int, Exchange]) -> None:
        """Goes on, on another socket.

        Args:
            welcome: The gateway's, with the id of this session.
            named: The streams that the hello named.
        """
        self.leaving = self.held = False
        self._cancels.clear()
        self._credits.clear()
        self._reopening.clear()
        self._turns.clear()
        self._unsaid = 0
        resumed = {each.id: each for each in welcome.resumed}
        for id_, exchange in list(self._streams.items()):
            exchange.unsaid = 0  # the hello has said so
            state = resumed.get(id_)
            arrived = id_ <= welcome.last_id
            left = exchange.phase is Phase.OVER  # by its user; the hello may have named it before
            if left and state is not None:
                self._cancels.append(id_)
            elif left or (arrived and state is None) or id_ not in named:
                del self._streams[id_]
                exchange.end(LOST)
            else:
                if not arrived:
                    self._reopening.append(exchange)
                self._go_on(exchange, state)
        for id_ in resumed.keys() - self._streams.keys():
            if id_ in named:  # its status has come after the hello, and the gateway doesn't know
                self._credits[id_] = named[id_]

    def _go_on(self, exchange: Exchange, state: Resumed | None) -> None:
        if state is not None:
            exchange.acknowledged(state.seq)
            exchange.sending.granted_in_all(state.granted)
        exchange.rewind()
        if exchange.outbox and state is not None:
            self._turns.append(exchange)
        if exchange.receiving.due:
            self._credits[exchange.id] = exchange
        exchange.changed()

    def cancel_all(self) -> None:
        """Ends all streams, at both sides."""
        for exchange in self.going_on().values():
            self.cancel(exchange, CANCELLED)

    def lose(self, status: Status = LOST) -> None:
        """Ends all streams: there is no socket, and won't be."""
        self.leaving = True
        streams, self._streams = self._streams, {}
        for waiting in (self._cancels, self._credits, self._reopening, self._turns):
            waiting.clear()
        for exchange in streams.values():
            exchange.end(status)


def too_large(size: int, most: int) -> Status:
    """Returns the status of a call whose first message is larger than the gateway takes."""
    return ended(Code.RESOURCE_EXHAUSTED, f"A message of {size} bytes; the gateway takes {most}.")


def _nobody() -> None:
    """Has nobody woken: no socket carries the session."""
