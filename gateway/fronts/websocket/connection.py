"""One socket of the multiplexed form, from its `hello` to its close. Sans-IO.

What a frame means in which state is the table `_REACTIONS`; when something is due is in a table of
times, by a clock that is passed in. What streams are and how they get on is the `Session`'s, which
may outlive the socket. What must be done is asked of the `Host`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, ClassVar, Final, TypeAlias

from gateway.errors import error
from gateway.fronts.websocket import codes, frames
from gateway.fronts.websocket.frames import FrameError, Framing
from gateway.fronts.websocket.rates import Pace
from gateway.fronts.websocket.session import Session
from gateway.fronts.websocket.terms import Host, Rates, Times
from gateway.http.websocket import Message

NEVER: Final = float("inf")

# A client that goes on opening faster than it may is closed: so many seconds' worth are refused.
_SECONDS_OF_REFUSALS: Final = 10.0
# Seconds before the end of a token at which the client is told; of one that lasts less than twice
# as long, half of what it lasts, for its next one lasts no longer. Of the last second nobody is.
_WARNING: Final = 30.0
_TOO_LATE: Final = 1.0
# The part of a socket's age that is taken off, at random, so that not all come back at once.
_JITTER: Final = 0.1
# Clients connect again within so many seconds.
_SPREAD: Final = 5.0
# The listener cuts what is left at the end of a drain: streams get their status before.
_MARGIN: Final = 0.9


class State(Enum):
    """How far a socket has come."""

    NEW = "new"  # waiting for hello
    CHECKING = "checking"  # finding out who it is; nothing is read meanwhile
    OPEN = "open"
    LEAVING = "leaving"  # goaway was said: no new streams
    CLOSED = "closed"


class Timer(Enum):
    """What can be due."""

    HELLO = "no hello has come"
    PING = "the client is to be pinged"
    AGE = "the socket is too old"
    LEAVE = "streams have had their time to end"
    WARN = "the token expires soon"
    EXPIRE = "the token has expired"
    IDLE = "there may have been no stream for long"


_Reaction: TypeAlias = "Callable[[Connection, Any, float], None]"
_Expiry: TypeAlias = "Callable[[Connection, float], None]"

_UNEXPECTED: Final[Mapping[State, str]] = {
    State.NEW: "came before hello",
    State.CHECKING: "came before welcome",
    State.OPEN: "came twice",
    State.LEAVING: "came twice",
    State.CLOSED: "came after the close",
}


class Connection:
    """One socket.

    Args:
        framing: How frames are read and written.
        times: Its times.
        rates: Its rates.
        host: Who owns it.
        now: The time, seconds on the clock of all later times.
        chance: A random number from 0 to 1, for jitter.

    Attributes:
        state: How far it has come.
        session: Its streams; None before `welcome`.
        alone: Whether the last ping has no answer yet.
    """

    __slots__ = (
        "_chance",
        "_due",
        "_framing",
        "_host",
        "_is_last",
        "_messages",
        "_opens",
        "_quiet",
        "_refusals",
        "_times",
        "alone",
        "session",
        "state",
    )

    def __init__(
        self,
        framing: Framing,
        times: Times,
        rates: Rates,
        host: Host,
        *,
        now: float,
        chance: float,
    ) -> None:
        self.state = State.NEW
        self.session: Session | None = None
        self.alone = False
        self._framing = framing
        self._times = times
        self._host = host
        self._chance = chance
        self._opens = Pace(rates.opens)
        self._refusals = Pace(rates.opens, seconds=_SECONDS_OF_REFUSALS)
        self._messages = Pace(rates.messages)
        self._quiet = False
        self._is_last = False
        self._due = {Timer.HELLO: now + times.hello}

    # What the client says.

    def receive(self, message: Message, now: float) -> float:
        """Takes a message in; returns the seconds for which the client is to be read no further."""
        wait = self._messages.spend(now)
        try:
            frame = self._framing.read(message)
            reaction = self._REACTIONS[self.state].get(type(frame), Connection._unexpected)
            reaction(self, frame, now)
        except FrameError as wrong:
            self.close(wrong.code, wrong.reason)
        return wait

    def _unexpected(self, frame: frames.ClientFrame, _now: float) -> None:
        raise FrameError(f"{type(frame).__name__.lower()} {_UNEXPECTED[self.state]}")

    def _hello(self, frame: frames.Hello, _now: float) -> None:
        self.state = State.CHECKING
        del self._due[Timer.HELLO]
        self._host.greet(frame)

    def _open(self, frame: frames.Open, now: float) -> None:
        refused = None
        if self.state is State.LEAVING:
            refused = error("DRAINING", "This socket takes no new streams.", retry_after=1)
        elif wait := self._opens.try_spend(now):
            if self._refusals.try_spend(now):
                raise FrameError("too many opens", codes.TOO_MANY)
            refused = error(
                "TOO_MANY_OPENS", "Streams are opened too fast on this socket.", retry_after=wait
            )
        self._quiet = False
        self._streams.open(frame, refused)

    def _message(self, frame: frames.Message, _now: float) -> None:
        self._streams.message(frame)

    def _credit(self, frame: frames.Credit, _now: float) -> None:
        self._streams.credit(frame)

    def _cancel(self, frame: frames.Cancel, _now: float) -> None:
        self._streams.cancel(frame)

    def _auth(self, frame: frames.Auth, _now: float) -> None:
        self._host.renew(frame.token)

    def _ping(self, frame: frames.Ping, _now: float) -> None:
        self._streams.say(self._framing.pong(frame.data))

    def _pong(self, _frame: frames.Pong, _now: float) -> None:
        """Is an answer to nothing: the server's own pings are WebSocket's."""

    # What the host says.

    def welcome(self, session: Session, welcome: frames.Welcome, now: float) -> None:
        """Begins: the client is who it says.

        Args:
            session: Its streams.
            welcome: What it is told.
            now: The time.
        """
        if self.state is not State.CHECKING:
            return
        self.state = State.OPEN
        self.session = session
        session.say(self._framing.welcome(welcome))
        times = self._times
        age = times.max_age * (1 - _JITTER * self._chance)
        self._due = {
            Timer.PING: now + times.ping,
            Timer.AGE: now + age,
            Timer.IDLE: now + times.idle,
        }
        self._token_lasts(welcome.token, now)

    def renewed(self, lasts: float | None, now: float) -> None:
        """Takes note of a new token that is good, for so many seconds."""
        if self.session is not None and self.state is not State.CLOSED:
            self.session.say(self._framing.auth_ok(lasts))
            self._token_lasts(lasts, now)

    def leave(
        self, reason: str, now: float, seconds: float | None = None, *, for_good: bool = False
    ) -> None:
        """Says `goaway`: streams go on for a while, and no new ones begin.

        Args:
            reason: What the client is told.
            now: The time.
            seconds: What streams have to end; None is the usual time.
            for_good: Whether no later socket can go on with the session: the gateway shuts down.
        """
        self._is_last = self._is_last or for_good
        if self.state is State.CLOSED:
            return
        end = now + (self._times.drain if seconds is None else seconds) * _MARGIN
        if self.state is State.LEAVING:
            self._due[Timer.LEAVE] = min(self._due.get(Timer.LEAVE, end), end)
            return
        if self.session is None:
            self.close(codes.AWAY, reason)
            return
        self.state = State.LEAVING
        self.session.say(self._framing.goaway(reason, self._chance * _SPREAD))
        self._due.pop(Timer.AGE, None)
        self._due[Timer.LEAVE] = end
        self.settle()

    def settle(self) -> None:
        """Closes a socket that is to be left and on which nothing is left to be done."""
        if self.state is State.LEAVING and self.session is not None and self.session.idle:
            self.close(codes.AWAY, "going away")

    def too_slow(self) -> None:
        """Takes note that the client has taken nothing for long."""
        self.close(codes.TOO_SLOW, "what was sent was not taken in time")

    def ponged(self) -> None:
        """Takes note that the last ping was answered."""
        self.alone = False

    def close(self, code: int, reason: str) -> None:
        """Closes the socket, once."""
        if self.state is not State.CLOSED:
            self.closed()
            self._host.close(code, reason)

    def closed(self) -> None:
        """Takes note that the socket is closed."""
        self.state = State.CLOSED
        self._due.clear()

    # Time.

    def due(self) -> float:
        """Returns when `tick` is to be called next, or NEVER."""
        return min(self._due.values(), default=NEVER)

    def tick(self, now: float) -> None:
        """Does what is due."""
        for timer in [timer for timer, at in self._due.items() if at <= now]:
            if self.state is State.CLOSED:
                return
            self._due.pop(timer, None)
            self._EXPIRIES[timer](self, now)

    def _no_hello(self, _now: float) -> None:
        self.close(codes.NO_HELLO, "no hello came in time")

    def _ping_is_due(self, now: float) -> None:
        if self._host.hears:
            if self.alone:
                self.close(codes.NO_PONG, "a ping was not answered")
                return
            self._host.ping()
        self._due[Timer.PING] = now + self._times.ping

    def _too_old(self, now: float) -> None:
        self.leave("max_age", now)

    def _left_long_enough(self, _now: float) -> None:
        if self._is_last or not self._streams.resumable:
            self._host.abandon()
        self.close(codes.AWAY, "going away")

    def _expires_soon(self, now: float) -> None:
        left = self._due.get(Timer.EXPIRE, now) - now
        self._streams.say(self._framing.auth_expiring(max(0.0, left)))

    def _expired(self, _now: float) -> None:
        self._host.expire()
        self.close(codes.TOKEN_EXPIRED, "the token has expired")

    def _look_for_streams(self, now: float) -> None:
        if self._streams.idle and self._quiet:
            self.close(codes.AWAY, "idle")
            return
        self._quiet = self._streams.idle
        self._due[Timer.IDLE] = now + self._times.idle

    # Within.

    @property
    def _streams(self) -> Session:
        assert self.session is not None, "an open socket has a session"
        return self.session

    def _token_lasts(self, lasts: float | None, now: float) -> None:
        self._due.pop(Timer.WARN, None)
        self._due.pop(Timer.EXPIRE, None)
        if lasts is None:
            return
        self._due[Timer.EXPIRE] = now + lasts
        if lasts > _TOO_LATE:
            self._due[Timer.WARN] = now + lasts - min(_WARNING, lasts / 2)

    # The tables.

    _STREAMING: ClassVar[Mapping[type, _Reaction]] = {
        frames.Open: _open,
        frames.Message: _message,
        frames.Credit: _credit,
        frames.Cancel: _cancel,
        frames.Auth: _auth,
        frames.Ping: _ping,
        frames.Pong: _pong,
    }
    _REACTIONS: ClassVar[Mapping[State, Mapping[type, _Reaction]]] = {
        State.NEW: {frames.Hello: _hello},
        State.CHECKING: {},
        State.OPEN: _STREAMING,
        State.LEAVING: _STREAMING,
        State.CLOSED: {},
    }
    _EXPIRIES: ClassVar[Mapping[Timer, _Expiry]] = {
        Timer.HELLO: _no_hello,
        Timer.PING: _ping_is_due,
        Timer.AGE: _too_old,
        Timer.LEAVE: _left_long_enough,
        Timer.WARN: _expires_soon,
        Timer.EXPIRE: _expired,
        Timer.IDLE: _look_for_streams,
    }
