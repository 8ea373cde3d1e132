"""The opening handshake of a WebSocket: an upgrade request in, a reply's parts out (RFC 6455 4.2).

Sans-IO. `websockets` checks the request; the words of a refusal are ours.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from websockets.datastructures import Headers as WebSocketHeaders
from websockets.exceptions import ProtocolError
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.http11 import Request as WebSocketRequest
from websockets.protocol import OPEN
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


_quiet: Final = logging.getLogger("gateway.listener.websocket")
_quiet.setLevel(logging.WARNING)  # the protocol tells of every close

REASONS: Final = {
    1002: "the frames break RFC 6455",
    1007: "a text message is not UTF-8",
    1011: "the gateway failed",
}


class _Protocol(ServerProtocol):
    """The protocol, with our own words for what it refuses.

    Attributes:
        too_large: How it closes on a message that is larger than is allowed.
    """

    too_large: Close

    def fail(self, code: CloseCode | int, reason: str = "") -> None:  # noqa: ARG002  a parser's
        if code == CloseCode.MESSAGE_TOO_BIG:
            super().fail(self.too_large.code, self.too_large.reason)
        else:
            super().fail(code, REASONS.get(int(code), ""))


def protocol(
    message_size: int, too_large: int, too_large_reason: str, *, compressed: bool
) -> ServerProtocol:
    """Returns the protocol of one WebSocket, before its handshake.

    Args:
        message_size: Bytes that a message may have, unpacked.
        too_large: The close code for one that has more.
        too_large_reason: The reason that goes with it.
        compressed: Whether to take the client's offer of permessage-deflate (RFC 7692).

    Raises:
        ValueError: No close frame can say `too_large` and its reason.
    """
    ending = Close(too_large, too_large_reason)
    try:
        Frame(Opcode.CLOSE, ending.serialize()).check()
    except ProtocolError as error:
        raise ValueError(f"a close frame can't say {too_large} {too_large_reason!r}") from error
    packing = ServerPerMessageDeflateFactory(
        server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
    )
    made = _Protocol(
        state=OPEN,  # it is to read frames; the handshake is ours to read
        max_size=message_size,
        extensions=[packing] if compressed else None,
        logger=_quiet,
    )
    made.too_large = ending
    return made


@dataclass(frozen=True, slots=True)
class Accepted:
    """A handshake that is right.

    Attributes:
        lines: Header lines of the 101.
    """

    lines: str


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
    protocol: ServerProtocol, request: Request, *, http10: bool, has_body: bool
) -> Accepted | Rejected:
    """Checks a handshake, and tells the protocol of the extensions that were agreed on.

    Args:
        protocol: What is to read the frames that follow.
        request: The upgrade request.
        http10: Whether it is of HTTP/1.0, which knows no upgrade.
        has_body: Whether it says that a body follows.
    """
    if http10:
        return Rejected(VERSION, "")
    if has_body:
        return Rejected(_BODY, "")
    asked = WebSocketRequest(request.path, WebSocketHeaders(request.headers), request.method)
    response = protocol.accept(asked)
    if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        lines = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        for name in ("Sec-WebSocket-Accept", "Sec-WebSocket-Extensions"):
            if (value := response.headers.get(name)) is not None:
                lines += f"{name}: {value}\r\n"
        return Accepted(lines)
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return Rejected(_METHOD, "Allow: GET\r\n")
    if response.status_code == HTTPStatus.UPGRADE_REQUIRED:
        return Rejected(_NO_UPGRADE, _OFFER)
    if request.headers.get("sec-websocket-version") not in {None, "13"}:
        return Rejected(_OTHER_VERSION, _OFFER)
    return Rejected(_BAD, "Sec-WebSocket-Version: 13\r\n")
