"""The REST front: routes a request, and answers what no route does.

It is one synchronous function of an exchange; the routes start calls and streams.
"""

from __future__ import annotations

from typing import Protocol

from gateway.call import RpcError
from gateway.chain import as_error
from gateway.errors import error
from gateway.fronts.rest.incoming import Incoming, Shared
from gateway.http import Exchange
from gateway.routing.router import Match, NotAllowed, NotFound, Router


class Route(Protocol):
    """What a path and an HTTP method lead to."""

    def handle(self, incoming: Incoming, captures: tuple[str, ...]) -> None:
        """Answers a request, given what the path's variables captured.

        Raises:
            RpcError: The request is refused at once.
        """


class RestFront:
    """Answers HTTP requests by calls. Immutable, made by `compile.compiling_front`."""

    __slots__ = ("_router", "_shared")

    def __init__(self, router: Router[Route], shared: Shared) -> None:
        self._router = router
        self._shared = shared

    def handle(self, exchange: Exchange) -> None:
        """Answers a request (`gateway.http.Handler`)."""
        incoming = self._incoming(exchange)
        try:
            self._route(incoming)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            incoming.refuse(as_error(failure))

    def _incoming(self, exchange: Exchange) -> Incoming:
        return Incoming(exchange, self._shared)

    def _find(self, incoming: Incoming) -> Match[Route] | NotAllowed | NotFound:
        """Finds the route of a request.

        Raises:
            RpcError: INVALID_PATH.
        """
        request = incoming.request
        return self._router.match(request.method, request.path)

    def _route(self, incoming: Incoming) -> None:
        request = incoming.request
        if request.method == "OPTIONS" and request.path == "*":
            # RFC 9110 section 9.3.7: about the server as a whole.
            incoming.respond(204, (), b"")
            return
        found = self._find(incoming)
        if isinstance(found, Match):
            found.target.handle(incoming, found.captures)
        elif isinstance(found, NotAllowed):
            allow = ("allow", ", ".join(found.methods))
            if request.method == "OPTIONS":
                incoming.respond(204, [allow], b"")
            else:
                raise _not_allowed(request.method, allow)
        else:
            raise error("ROUTE_NOT_FOUND", "No route matches the path.")


def _not_allowed(method: str, allow: tuple[str, str]) -> RpcError:
    return error(
        "METHOD_NOT_ALLOWED",
        f"The path does not answer {method[:32]}; it answers {allow[1]}.",
        headers=dict([allow]),
    )
