"""What sockets of the multiplexed form share, and what holds of every one. Data only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.fronts.websocket.identity import Authenticate, anonymous
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.serving import Serving
from gateway.fronts.websocket.sessions import Sessions
from gateway.fronts.websocket.terms import Rates, Times
from gateway.http import Request


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """What holds of every socket.

    Attributes:
        limits: Of a session.
        rates: What a client may do a second.
        times: Of a socket.
        resume: Seconds for which a session outlives its socket; 0 for none.
        authenticate: Finds out who a client is.
        drain_timeout: Returns the seconds that streams have when the gateway shuts down, by the
            config of that time.
    """

    limits: Limits = field(default_factory=Limits)
    rates: Rates = field(default_factory=Rates)
    times: Times = field(default_factory=Times)
    resume: float = 0.0
    authenticate: Authenticate = anonymous
    drain_timeout: Callable[[], float] = lambda: Times().drain


@dataclass(frozen=True, slots=True)
class Sockets:
    """What sockets share.

    Attributes:
        serving: What calls are made with over a socket of a handshake, asked for each.
        sessions: Those that can be resumed.
        options: What holds of every socket.
    """

    serving: Callable[[Request], Serving]
    sessions: Sessions
    options: SocketOptions
