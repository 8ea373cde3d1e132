"""The opening handshake of a WebSocket: an upgrade request in, a reply's parts out (RFC 6455 4.2).

Sans-IO. `websockets` checks the request; the words of a refusal are ours.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from websockets.datastructures import Headers as WebSocketHeaders
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request as WebSocketRequest
from websockets.server import ServerProtocol

from gateway.http import Request
from gateway.listener.faults import VERSION, Fault

_NO_UPGRADE: Final = Fault(
    426, "BAD_REQUEST", "This is a WebSocket: the request must ask to be upgraded to one."
)
_OTHER_VERSION: Final = Fault(
    426, "BAD_REQUEST", "The version of the WebSocket protocol is not supported: use 13."
)
_METHOD: Final = Fault(405, "METHOD_NOT_ALLOWED", "A WebSocket is opened with GET.")
_BAD: Final = Fault(400, "BAD_REQUEST", "The WebSocket handshake is not valid.")
_BODY: Final = Fault(400, "BAD_REQUEST", "A WebSocket handshake has no body.")

_OFFER: Final = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"


# A window of 4 KiB: 32 KiB each way are much for an idle socket.
_PACKING: Final = ServerPerMessageDeflateFactory(
    server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
)

_quiet: Final = logging.getLogger("gateway.listener.handshake")
_quiet.setLevel(logging.WARNING)  # it would tell of every one


@dataclass(frozen=True, slots=True)
class Accepted:
    """A handshake that is right.

    Attributes:
        lines: Header lines of the 101.
        packing: What compresses, if that was agreed on (RFC 7692).
    """

    lines: str
    packing: Extension | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A handshake that is wrong.

    Attributes:
        fault: What the client is told.
        lines: Header lines that go with it.
    """

    fault: Fault
    lines: str


def shake_hands(
    request: Request, *, compressed: bool, http10: bool, has_body: bool
) -> Accepted | Rejected:
    """Checks a handshake.

    Args:
        request: The upgrade request.
        compressed: Whether to take the client's offer of permessage-deflate.
        http10: Whether it is of HTTP/1.0, which knows no upgrade.
        has_body: Whether it says that a body follows.
    """
    if http10:
        return Rejected(VERSION, "")
    if has_body:
        return Rejected(_BODY, "")
    protocol = ServerProtocol(extensions=[_PACKING] if compressed else None, logger=_quiet)
    asked = WebSocketRequest(request.path, WebSocketHeaders(request.headers), request.method)
    response = protocol.accept(asked)
    if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        lines = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        for name in ("Sec-WebSocket-Accept", "Sec-WebSocket-Extensions"):
            if (value := response.headers.get(name)) is not None:
                lines += f"{name}: {value}\r\n"
        return Accepted(lines, protocol.extensions[0] if protocol.extensions else None)
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return Rejected(_METHOD, "Allow: GET\r\n")
    if response.status_code == HTTPStatus.UPGRADE_REQUIRED:
        return Rejected(_NO_UPGRADE, _OFFER)
    if request.headers.get("sec-websocket-version") not in {None, "13"}:
        return Rejected(_OTHER_VERSION, _OFFER)
    return Rejected(_BAD, "Sec-WebSocket-Version: 13\r\n")
