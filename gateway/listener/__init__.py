"""The server that clients connect to: connections, TLS, limits, drain. Hands requests to a handler.

What is behind it sees `gateway.http` only.

The way through the modules: `server` accepts a `connection`, which stands on `closing` (reading no
further than it must, and an end that loses nothing) and `link` (merged writes, one timer). `cut`
takes one head from what was received, `head` checks it, `exchange` is what the handler sees and
answers by `reply`; it reads `body`, and `streaming` is the rest of it for streams.
"""

from gateway.listener.addresses import ListenError
from gateway.listener.admin import Page, admin, jwks_page
from gateway.listener.limits import Limits
from gateway.listener.server import Listener, serve
from gateway.listener.tls import Tls, TlsError

__all__ = [
    "Limits",
    "ListenError",
    "Listener",
    "Page",
    "Tls",
    "TlsError",
    "admin",
    "jwks_page",
    "serve",
]
