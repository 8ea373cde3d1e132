"""Neutral HTTP: what fronts are written against, whatever listener carries it.

`Request` is a request's head as received, `Exchange` the request with its body and the means to
answer it, `WebSocket` what it may become. Nothing here knows a parser, a socket, or a front.
"""

from gateway.http.exchange import BodyError, BodyFault, Exchange, Handler
from gateway.http.request import Headers, Request
from gateway.http.websocket import SocketClosed, WebSocket

__all__ = [
    "BodyError",
    "BodyFault",
    "Exchange",
    "Handler",
    "Headers",
    "Request",
    "SocketClosed",
    "WebSocket",
]
