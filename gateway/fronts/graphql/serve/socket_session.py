"""A session of `graphql-transport-ws`: what each message means in each state, and what follows.

Sans-IO (graphql-ws, PROTOCOL.md): messages and what happens to operations go in, effects come out,
in order, to be carried out by whoever owns the socket. What a message means in which state is the
table `Session._answers`. A session runs no operation, and knows neither socket nor clock.

An operation has an id while its client wants it, and holds a place until its work has ended: who
subscribes and completes in a loop can't have more at work than the limit allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Final, TypeAlias

from gateway.fronts.graphql.errors import errors_json, formatted, limit_exceeded
from gateway.fronts.graphql.serve import socket_messages as messages
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.fronts.graphql.serve.socket_messages import (
    BadMessage,
    Complete,
    Init,
    Ping,
    Pong,
    Received,
    Subscribe,
)
from gateway.http.websocket import GOING_AWAY, Message
from gateway.record import RequestRecord

BAD_REQUEST: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
SUBPROTOCOL_NOT_ACCEPTABLE: Final = 4406
INIT_TIMEOUT: Final = 4408
SUBSCRIBER_EXISTS: Final = 4409
TOO_MANY_INITS: Final = 4429
"""Close codes of the protocol (PROTOCOL.md; 4403 and 4406 are graphql-ws's)."""


class State(Enum):
    """How far a session has come."""

    OPENED = "opened"  # waiting for connection_init
    ASKED = "asked"  # connection_init has come; whether its sender is let in is being found out
    READY = "ready"
    LEAVING = "leaving"  # the gateway shuts down; results on their way are waited for
    CLOSED = "closed"


class Operation:
    """One `subscribe` and what it leads to.

    Attributes:
        id: Its name between client and session.
        streams: Whether it has many results: then nobody waits for it at the end.
        ended: Whether its work is over.
        record: What is noted of it; None for nothing.
    """

    __slots__ = ("ended", "id", "record", "streams")

    def __init__(self, id_: str) -> None:
        self.id = id_
        self.streams = False
        self.ended = False
        self.record: RequestRecord | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Send a text message, UTF-8."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Start:
    """Begin the work of an operation, and say `ended` when that is over."""

    operation: Operation
    request: GraphqlRequest


@dataclass(frozen=True, slots=True)
class Stop:
    """Cancel the work of an operation; `ended` is still to be said."""

    operation: Operation


@dataclass(frozen=True, slots=True)
class Close:
    """Close the WebSocket, which ends all work."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Admit:
    """Find out whether who sent `connection_init` is let in: say `admitted`, or `refused`.

    Attributes:
        authorization: The value of an `Authorization` header that came with it, or None.
    """

    authorization: str | None = field(repr=False)


Effect: TypeAlias = "Send | Start | Stop | Close | Admit"
Effects: TypeAlias = "tuple[Effect, ...]"

NOTHING: Final[Effects] = ()

_Answer: TypeAlias = "Callable[[Session, Any], Effects]"  # to a message of the type it stands under


class Session:
    """The state of one session.

    Args:
        most: Operations that may be at work at once; a further one is refused with an `error`.
    """

    __slots__ = ("_most", "_wanted", "_working", "state")

    def __init__(self, most: int) -> None:
        self.state = State.OPENED
        self._most = most
        self._wanted: dict[str, Operation] = {}
        self._working: set[Operation] = set()

    # What the client does.

    def receive(self, message: Message) -> Effects:
        """Takes a message in."""
        if self.state is State.CLOSED:
            return NOTHING
        try:
            received = messages.read(message)
        except BadMessage as wrong:
            return self._close(BAD_REQUEST, f"Invalid message: {wrong}")
        return self._answers[self.state][type(received)](self, received)

    def closed(self) -> None:
        """Takes note that the WebSocket is closed."""
        self.state = State.CLOSED
        self._wanted.clear()

    # What the clock and the gateway do.

    def init_is_late(self) -> Effects:
        """Takes note that the time for `connection_init` is over."""
        if self.state is State.OPENED:
            return self._close(INIT_TIMEOUT, "Connection initialisation timeout")
        return NOTHING

    def admitted(self) -> Effects:
        """Takes note that the client is let in."""
        if self.state is not State.ASKED:
            return NOTHING
        self.state = State.READY
        return (Send(messages.ACK),)

    def refused(self, code: int, reason: str) -> Effects:
        """Takes note that the client is not let in, and why."""
        return self._close(code, reason) if self.state is State.ASKED else NOTHING

    def leave(self) -> Effects:
        """Ends the session as soon as no single result is on its way; streams are not waited for.

        The client is told 1001, after which it connects again and subscribes anew.
        """
        if self.state is not State.CLOSED:
            self.state = State.LEAVING
        return self._close_if_left()

    # What happens to operations.

    def result(self, operation: Operation, response: bytes) -> Effects:
        """Takes a response to an operation in; more may follow."""
        if not self.wants(operation):
            return NOTHING
        return (Send(messages.next_result(operation.id, response)),)

    def finished(self, operation: Operation) -> Effects:
        """Takes note that an operation has no further result."""
        if not self._forget(operation):
            return NOTHING
        return (Send(messages.complete(operation.id)),)

    def failed(self, operation: Operation, errors: bytes) -> Effects:
        """Takes note that an operation is refused or can't go on: a JSON list of errors."""
        if not self._forget(operation):
            return NOTHING
        return (Send(messages.error(operation.id, errors)),)

    def ended(self, operation: Operation) -> Effects:
        """Takes note that the work of an operation is over: its place is free."""
        operation.ended = True
        self._working.discard(operation)
        return self._close_if_left()

    def wants(self, operation: Operation) -> bool:
        """Whether the client waits for results of an operation."""
        return self._wanted.get(operation.id) is operation

    # What messages mean.

    def _ask(self, init: Init) -> Effects:
        self.state = State.ASKED
        return (Admit(init.authorization),)

    def _second_init(self, _: Init) -> Effects:
        return self._close(TOO_MANY_INITS, "Too many initialisation requests")

    def _answer_ping(self, ping: Ping) -> Effects:
        return (Send(messages.pong(ping.payload)),)

    def _ignore(self, _: Received) -> Effects:
        return NOTHING

    def _unauthorized(self, _: Subscribe) -> Effects:
        return self._close(UNAUTHORIZED, "Unauthorized")

    def _begin(self, subscribe: Subscribe) -> Effects:
        id_ = subscribe.id
        if id_ in self._wanted:
            return self._close(SUBSCRIBER_EXISTS, f"Subscriber for {id_} already exists")
        if len(self._working) >= self._most:
            return (Send(messages.error(id_, self._too_many())),)
        operation = Operation(id_)
        self._wanted[id_] = operation
        self._working.add(operation)
        return (Start(operation, subscribe.request),)

    def _stop(self, complete: Complete) -> Effects:
        operation = self._wanted.pop(complete.id, None)
        return NOTHING if operation is None else (Stop(operation),)

    def _forget(self, operation: Operation) -> bool:
        """Takes an operation's id back; returns whether the client still waited for it."""
        wanted = self.wants(operation)
        if wanted:
            del self._wanted[operation.id]
        return wanted

    def _too_many(self) -> bytes:
        message = f"The socket has {self._most} operations at work, which is the most it may have."
        refused = limit_exceeded("operations", len(self._working) + 1, self._most, message)
        return errors_json([formatted(each) for each in refused.errors])

    def _close_if_left(self) -> Effects:
        if self.state is State.LEAVING and all(each.streams for each in self._working):
            return self._close(GOING_AWAY, "The gateway shuts down")
        return NOTHING

    def _close(self, code: int, reason: str) -> Effects:
        self.closed()
        return (Close(code, reason),)

    # A gateway that leaves begins nothing: by the close, the client asks again elsewhere.
    _answers: ClassVar[Mapping[State, Mapping[type[Received], _Answer]]] = {
        State.OPENED: {
            Init: _ask,
            Ping: _answer_ping,
            Pong: _ignore,
            Subscribe: _unauthorized,
            Complete: _ignore,
        },
        State.ASKED: {
            Init: _second_init,
            Ping: _answer_ping,
            Pong: _ignore,
            Subscribe: _unauthorized,
            Complete: _ignore,
        },
        State.READY: {
            Init: _second_init,
            Ping: _answer_ping,
            Pong: _ignore,
            Subscribe: _begin,
            Complete: _stop,
        },
        State.LEAVING: {
            Init: _second_init,
            Ping: _answer_ping,
            Pong: _ignore,
            Subscribe: _ignore,
            Complete: _stop,
        },
    }
