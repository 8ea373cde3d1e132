"""Opens the socket, and says in the client's own words why that failed."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_socket
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from gateway.client.closing import BAD_FRAME
from gateway.client.errors import RefusedError
from gateway.client.framing import Framing

_CLOSE_SECONDS = 2.0  # for the other side to answer a close


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the gateway is, and how to talk to it.

    Attributes:
        url: `ws://` or `wss://`.
        ssl: For `wss://`; None is the default context.
        headers: Of the handshake.
        open_timeout: Seconds for the handshake, and again for the welcome.
        message_size: Bytes of the largest WebSocket message that is taken.

    Raises:
        ValueError: The URL is none of a WebSocket.
    """

    url: str
    ssl: ssl.SSLContext | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    open_timeout: float = 10.0
    message_size: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        try:
            parse_uri(self.url)
        except InvalidURI as wrong:
            raise ValueError(f"{self.url!r} is no URL of a WebSocket (ws:// or wss://)") from wrong

    async def dial(self, framing: Framing) -> ClientConnection:
        """Opens a socket.

        Raises:
            RefusedError: The gateway answered, but not with a WebSocket of this framing.
            OSError: There is no way to it, for now; a TimeoutError is one.
        """
        # The gateway's own pings and the client's `ping` frames do for both sides.
        options: dict[str, Any] = {} if self.ssl is None else {"ssl": self.ssl}
        try:
            socket = await connect_socket(
                self.url,
                subprotocols=[Subprotocol(framing.subprotocol)],
                additional_headers=self.headers,
                open_timeout=self.open_timeout,
                ping_interval=None,
                close_timeout=_CLOSE_SECONDS,
                max_size=self.message_size,
                **options,
            )
        except InvalidStatus as refused:
            response = refused.response
            raise RefusedError(response.status_code, response.reason_phrase) from refused
        except InvalidHandshake as failure:
            raise ConnectionError(f"the handshake failed: {failure}") from failure
        if socket.subprotocol != framing.subprotocol and not (
            framing.implied and socket.subprotocol is None
        ):
            await socket.close()
            raise RefusedError(BAD_FRAME, f"{framing.subprotocol} is not spoken there")
        return socket
