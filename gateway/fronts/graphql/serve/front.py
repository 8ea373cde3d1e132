"""The GraphQL front: what comes to its one path, by HTTP method and headers.

GET and HEAD run queries, POST runs everything, a WebSocket upgrade and a page for people are handed
on to those who serve them. It is one synchronous function of an exchange.
"""

from __future__ import annotations

from typing import Final, Generic

from gateway.errors import error
from gateway.fronts.graphql.serve import batch, cross_site, operation, parameters
from gateway.fronts.graphql.serve.engine import Engine, P
from gateway.fronts.graphql.serve.incoming import Incoming, Shared
from gateway.fronts.http_errors import refuse_body
from gateway.http import Exchange, Handler
from gateway.http.request_id import REQUEST_ID

ALLOW: Final = ("allow", "GET, HEAD, POST, OPTIONS")


class GraphqlFront(Generic[P]):
    """Answers GraphQL requests over HTTP.

    Args:
        engine: Runs them.
        shared: What requests share.
        page: Answers a browser that asks for a page (GraphiQL); None where there is none.
        socket: Answers a WebSocket upgrade; None where there is none.
    """

    __slots__ = ("_engine", "_page", "_shared", "_socket")

    def __init__(
        self,
        engine: Engine[P],
        shared: Shared,
        *,
        page: Handler | None = None,
        socket: Handler | None = None,
    ) -> None:
        self._engine = engine
        self._shared = shared
        self._page = page
        self._socket = socket

    def handle(self, exchange: Exchange) -> None:
        """Answers a request (`gateway.http.Handler`)."""
        if self._socket is not None and _upgrades(exchange):
            self._socket(exchange)
            return
        incoming = Incoming(exchange, self._shared)
        try:
            self._answer(incoming)
        except Exception as failure:  # noqa: BLE001 - `refuse` logs what is a bug
            incoming.refuse(failure)

    def _answer(self, incoming: Incoming) -> None:
        request, exchange = incoming.request, incoming.exchange
        match request.method:
            case "POST":
                cross_site.check_post(request.headers)

                def posted(body: bytes) -> None:
                    self._posted(incoming, body)

                size = self._shared.body_size
                exchange.collect(size, incoming.guarded(posted), incoming.guarded(refuse_body))
            case "GET" | "HEAD":
                if self._page is not None and incoming.wanted.page:
                    self._page(exchange)
                    return
                cross_site.check_get(request.headers)
                asked = parameters.of_query(request.query)
                operation.answer(incoming, self._engine, asked, safe=True)
            case "OPTIONS":
                exchange.respond(204, [(REQUEST_ID, incoming.request_id), ALLOW], b"")
            case _:
                raise error("METHOD_NOT_ALLOWED", f"Use one of {ALLOW[1]}.", headers=dict([ALLOW]))

    def _posted(self, incoming: Incoming, body: bytes) -> None:
        given = parameters.of_body(body)
        if isinstance(given, list):
            batch.answer(incoming, self._engine, given)
        else:
            asked = parameters.request_of(given)
            operation.answer(incoming, self._engine, asked, safe=False)


def _upgrades(exchange: Exchange) -> bool:
    upgrade = exchange.request.headers.get("upgrade")
    return upgrade is not None and upgrade.strip().lower() == "websocket"
