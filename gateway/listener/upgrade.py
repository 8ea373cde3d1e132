"""Answers an upgrade request: the connection becomes a WebSocket, or the client is told why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from websockets.server import ServerProtocol

from gateway.http.exchange import HeaderList
from gateway.http.websocket import WebSocket, offered_subprotocols
from gateway.listener.fields import lines
from gateway.listener.handshake import Accepted, shake_hands
from gateway.listener.reply import head
from gateway.listener.websocket import Socket

if TYPE_CHECKING:
    from gateway.listener.connection import Connection
    from gateway.listener.exchange import HttpExchange


def upgrade(
    exchange: HttpExchange,
    connection: Connection,
    subprotocol: str | None,
    headers: HeaderList,
    protocol: ServerProtocol,
) -> WebSocket | None:
    """Answers an exchange that nobody has answered; see Exchange.websocket."""
    extra = lines(headers)
    if subprotocol is not None:
        if subprotocol not in offered_subprotocols(exchange.request):
            raise ValueError(f"the client did not offer the subprotocol {subprotocol!r}")
        extra += lines([("Sec-WebSocket-Protocol", subprotocol)])
    fields = exchange.fields
    hands = shake_hands(
        protocol, exchange.request, http10=fields.http10, has_body=bool(fields.length)
    )
    if not isinstance(hands, Accepted):
        exchange.refuse(hands.fault, hands.lines)
        return None
    exchange.end()
    connection.send(head(101, extra, hands.lines))
    socket = Socket(connection, protocol, subprotocol)
    connection.upgraded(socket)
    return socket
