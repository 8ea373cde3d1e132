"""The server that clients connect to: connections, TLS, limits, drain. Hands requests to a handler.

What is behind it sees `gateway.http` only; that aiohttp does the parsing stays in here.

The way through the modules: `server` accepts a connection, `connection` lets one checked `head` and
exactly its `body` through, `engine` has aiohttp parse them, `exchange` is what the handler sees.
"""

from gateway.listener.addresses import ListenError
from gateway.listener.admin import Page, admin
from gateway.listener.limits import Limits
from gateway.listener.server import Listener, serve
from gateway.listener.tls import Tls, TlsError

__all__ = ["Limits", "ListenError", "Listener", "Page", "Tls", "TlsError", "admin", "serve"]
