"""Answers an upgrade request: the connection becomes a WebSocket, or the client is told why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.http.exchange import HeaderList
from gateway.http.websocket import WebSocket, offered_subprotocols
from gateway.listener.fields import lines
from gateway.listener.handshake import Accepted, shake_hands
from gateway.listener.reply import head
from gateway.listener.websocket import Socket
from gateway.wire.websocket import Incoming
from gateway.wire.websocket_frames import close_payload

if TYPE_CHECKING:
    from gateway.listener.connection import Connection
    from gateway.listener.exchange import HttpExchange


@dataclass(frozen=True, slots=True)
class Terms:
    """What a front allows the client; see Exchange.websocket."""

    message_size: int
    too_large: int
    too_large_reason: str
    compressed: bool


def upgrade(
    exchange: HttpExchange,
    connection: Connection,
    subprotocol: str | None,
    headers: HeaderList,
    terms: Terms,
) -> WebSocket | None:
    """Answers an exchange that nobody has answered; see Exchange.websocket."""
    close_payload(terms.too_large, terms.too_large_reason)  # it may be a bug, and shows here
    extra = lines(headers)
    if subprotocol is not None:
        if subprotocol not in offered_subprotocols(exchange.request):
            raise ValueError(f"the client did not offer the subprotocol {subprotocol!r}")
        extra += lines([("Sec-WebSocket-Protocol", subprotocol)])
    fields = exchange.fields
    hands = shake_hands(
        exchange.request,
        compressed=terms.compressed,
        http10=fields.http10,
        has_body=bool(fields.length),
    )
    if not isinstance(hands, Accepted):
        exchange.refuse(hands.fault, hands.lines)
        return None
    exchange.end()
    if (record := exchange.record) is not None:
        record.upgraded()
    connection.send(head(101, extra, hands.lines))
    incoming = Incoming(terms.message_size, hands.packing)
    too_large = terms.too_large, terms.too_large_reason
    socket = Socket(connection, incoming, hands.packing, too_large, subprotocol)
    socket.record = record
    connection.upgraded(socket)
    return socket
