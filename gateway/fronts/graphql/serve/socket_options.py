"""What a client may do over one WebSocket of GraphQL. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.cookies import IdCookie


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """What a client may do over one WebSocket.

    Attributes:
        operations: Operations at work at once.
        message_size: Bytes of one message; a larger one closes with 1009.
        init_timeout: Seconds until `connection_init` must have come.
        ping: Seconds between pings, which find clients that are gone.
        origins: Whose pages may open one beside the gateway's own, see `check_origin`.
        cookies: In which calls look for ids of clients: given with the handshake.
    """

    operations: int = 100
    message_size: int = 1024 * 1024
    init_timeout: float = 5.0
    ping: float = 25.0
    origins: tuple[str, ...] = ()
    cookies: tuple[IdCookie, ...] = ()
