"""The front of the plain form: which upgrade requests are its own."""

from __future__ import annotations

from gateway.call import RpcError
from gateway.fronts.keepalive import Timer
from gateway.fronts.websocket.plain.call import SocketOptions
from gateway.fronts.websocket.plain.finding import Found, find
from gateway.fronts.websocket.plain.opening import Shared, open_socket
from gateway.fronts.websocket.plain.routes import PlainRoute
from gateway.http import Exchange
from gateway.routing.router import Router


class PlainFront:
    """Answers upgrades by calls. Immutable, made by `compile.compiling_plain`.

    Args:
        router: The routes.
        shared: What sockets share.
        options: What a client may do over one.
        timer: Calls later; None is the running loop's.
    """

    __slots__ = ("_options", "_router", "_shared", "_timer")

    def __init__(
        self,
        router: Router[PlainRoute],
        shared: Shared,
        options: SocketOptions,
        timer: Timer | None = None,
    ) -> None:
        self._router = router
        self._shared = shared
        self._options = options
        self._timer = timer

    def handle(self, exchange: Exchange) -> bool:
        """Answers an upgrade request whose page may open sockets; returns whether it did.

        What has no route here is not answered: REST has the word for it.
        """
        found: Found | RpcError | None
        try:
            found = find(self._router, exchange.request)
        except RpcError as failure:
            if failure.reason == "INVALID_PATH":
                return False
            found = failure
        if found is None:
            return False
        open_socket(exchange, found, self._shared, self._options, self._timer)
        return True
