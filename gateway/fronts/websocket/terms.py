"""What a socket is held to, and who owns it: what a `Connection` is made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.fronts.websocket import frames


@dataclass(frozen=True, slots=True)
class Times:
    """Times of a socket, in seconds.

    Attributes:
        hello: Until `hello` must have come.
        ping: Between pings.
        max_age: Until `goaway`.
        idle: Without a stream, until it is closed.
        drain: That streams have to end after `goaway`.
        stall: In which a client takes nothing, until it is closed.
    """

    hello: float = 5.0
    ping: float = 25.0
    max_age: float = 7200.0
    idle: float = 600.0
    drain: float = 30.0
    stall: float = 30.0


@dataclass(frozen=True, slots=True)
class Rates:
    """What a client may do a second: streams that it opens, frames that it sends."""

    opens: float = 20.0
    messages: float = 200.0


class Host(Protocol):
    """Who owns the socket."""

    def greet(self, hello: frames.Hello) -> None:
        """Finds out who the client is; `Connection.welcome` or `close` follows."""

    def renew(self, token: str) -> None:
        """Looks at a new token; `Connection.renewed` or `close` follows."""

    def ping(self) -> None:
        """Sends a ping of WebSocket's, if the client takes what it is sent."""

    @property
    def hears(self) -> bool:
        """Whether the client is being read: else what it answers is not heard yet."""

    def expire(self) -> None:
        """Ends all streams: the token has expired."""

    def abandon(self) -> None:
        """Ends all streams: no later socket can go on with them, and the gateway does not wait."""

    def close(self, code: int, reason: str) -> None:
        """Writes what is to be written, and closes the socket."""
