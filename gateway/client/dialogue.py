"""What is said on one socket, beside the streams: hello and welcome, pings, tokens, goaway.

Sans-IO. Payloads of WebSocket messages go in and come out; what the driver must do, it is told as
a `Listener`. Streams are the session's, which the listener names when the welcome has come: a
session can move to another socket, and what then still comes on this one is no longer for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from gateway.client.frames import (
    Auth,
    AuthExpiring,
    AuthOk,
    ClientFrame,
    Credit,
    End,
    Goaway,
    Headers,
    Hello,
    Ping,
    Pong,
    ProtocolError,
    Reply,
    ServerFrame,
    Welcome,
)
from gateway.client.framing import Framing
from gateway.client.liveness import Liveness, Verdict
from gateway.client.session import Session

_PONGS: Final = 16  # that may wait; who pings faster than it reads gets no more

_OF_STREAMS: Final = (Headers, Reply, Credit, End)

_Answer: TypeAlias = "Callable[[Dialogue, Any], None]"


class Listener(Protocol):
    """The driver of a socket."""

    def welcomed(self, welcome: Welcome) -> Session:
        """Returns the session that the socket carries from now on."""

    def going_away(self, seconds: float) -> None:
        """Hears that the gateway takes no new streams here; connect again in so many seconds."""

    def token_expiring(self) -> None:
        """Hears that a new token is needed."""

    def token_taken(self) -> None:
        """Hears that the new token is good."""


class Dialogue:
    """What is said on one socket.

    Args:
        framing: How frames are written.
        hello: The first frame.
        listener: Who is told.

    Attributes:
        session: What the socket carries, or None: before the welcome, and after `release`.
        liveness: Its silence; None before the welcome.
    """

    def __init__(self, framing: Framing, hello: Hello, listener: Listener) -> None:
        self.session: Session | None = None
        self.liveness: Liveness | None = None
        self._framing = framing
        self._listener = listener
        self._welcomed = False
        self._control: deque[ClientFrame] = deque([hello])
        self._pongs: deque[Pong] = deque()

    # What is to be sent.

    @property
    def silent(self) -> bool:
        """Whether no control frame waits, nor the word that streams were cancelled."""
        return not self._control and (self.session is None or self.session.told)

    @property
    def due(self) -> float | None:
        """When there will be something to send, though nothing happens; None for never."""
        return None if self.session is None else self.session.due

    def next_payload(self, now: float) -> bytes | None:
        """Takes the next payload to send; None is nothing for now."""
        frame = self._next_frame(now)
        return None if frame is None else self._framing.encode(frame)

    def _next_frame(self, now: float) -> ClientFrame | None:
        for waiting in (self._control, self._pongs):
            if waiting:
                return waiting.popleft()
        return None if self.session is None else self.session.next_frame(now)

    def auth(self, token: str) -> None:
        """Sends a new token."""
        self._control.append(Auth(token))

    def look(self, now: float) -> Verdict:
        """Looks whether the socket is alive, and asks if need be. Only after the welcome."""
        assert self.liveness is not None
        verdict = self.liveness.look(now)
        if verdict is Verdict.ASK:
            self._control.append(Ping())
        return verdict

    # What is received.

    def receive(self, data: str | bytes, now: float) -> None:
        """Takes the payload of a WebSocket message.

        Raises:
            ProtocolError: It is no frame, or not allowed here: close with 4400.
        """
        if self.liveness is not None:
            self.liveness.heard(now)
        frame = self._framing.decode(data)
        if frame is None:  # of a kind that a later version has
            return
        if isinstance(frame, Welcome):
            self._welcome(frame, now)
            return
        if not self._welcomed:
            raise ProtocolError("a frame before the welcome")
        if isinstance(frame, _OF_STREAMS):
            if self.session is not None:
                self.session.receive(frame, len(data))
            return
        self._answers[type(frame)](self, frame)

    def _welcome(self, frame: Welcome, now: float) -> None:
        if self._welcomed:
            raise ProtocolError("a second welcome")
        if not frame.ping_ms:
            raise ProtocolError("a welcome without ping_ms")
        self._welcomed = True
        self.liveness = Liveness(frame.ping_ms / 1000, now)
        self.session = self._listener.welcomed(frame)

    def _ping(self, frame: Ping) -> None:
        if len(self._pongs) < _PONGS:
            self._pongs.append(Pong(frame.data))

    def _pong(self, _: Pong) -> None:
        """It was heard, which is all that matters."""

    def _goaway(self, frame: Goaway) -> None:
        if self.session is not None:
            self.session.leaving = True
        self._listener.going_away(frame.reconnect_ms / 1000)

    def _auth_expiring(self, _: AuthExpiring) -> None:
        self._listener.token_expiring()

    def _auth_ok(self, _: AuthOk) -> None:
        self._listener.token_taken()

    _answers: ClassVar[Mapping[type[ServerFrame], _Answer]] = {
        Ping: _ping,
        Pong: _pong,
        Goaway: _goaway,
        AuthExpiring: _auth_expiring,
        AuthOk: _auth_ok,
    }

    def release(self) -> None:
        """Lets the session go: another socket carries it."""
        self.session = None
