"""The GraphQL front: what comes to its path, by HTTP method and headers.

GET and HEAD run queries, POST runs everything; a WebSocket upgrade, and a page for people with its
files, are handed on to those who serve them. It is one synchronous function of an exchange.
"""

from __future__ import annotations

from typing import Final, Generic, Protocol

from gateway.call import Gate, RpcError
from gateway.errors import error
from gateway.fronts.graphql.serve import batch, cross_site, operation, parameters
from gateway.fronts.graphql.serve.engine import Engine, P
from gateway.fronts.graphql.serve.incoming import Incoming, Shared
from gateway.fronts.http_errors import refuse_body
from gateway.http import Exchange, Handler
from gateway.http.request_id import REQUEST_ID
from gateway.http.websocket import asks_for_websocket

ALLOW: Final = ("allow", "GET, HEAD, POST, OPTIONS")


class Pages(Protocol):
    """A page for people, and its files."""

    @property
    def prefix(self) -> str:
        """What the paths of its files begin with."""

    @property
    def files(self) -> str:
        """The template of those paths."""

    @property
    def gate(self) -> Gate | None:
        """What must be passed to see the page; None lets everybody pass."""

    def page(self, exchange: Exchange) -> None:
        """Answers with the page."""

    def asset(self, exchange: Exchange) -> None:
        """Answers with the file that the path names.

        Raises:
            RpcError: There is none, or it can't be had so.
        """


class GraphqlFront(Generic[P]):
    """Answers GraphQL requests over HTTP.

    Args:
        engine: Runs them.
        shared: What requests share.
        path: Where it is.
        pages: What a browser sees there that asks for a page; None where there is nothing.
        socket: Answers a WebSocket upgrade, or raises what it is refused with; None where there is
            none.
    """

    __slots__ = ("_engine", "_pages", "_path", "_shared", "_socket")

    def __init__(
        self,
        engine: Engine[P],
        shared: Shared,
        *,
        path: str = "/graphql",
        pages: Pages | None = None,
        socket: Handler | None = None,
    ) -> None:
        self._engine = engine
        self._shared = shared
        self._path = path
        self._pages = pages
        self._socket = socket

    def answers(self, path: str) -> bool:
        """Whether requests to a raw path are this front's."""
        return path == self._path or (
            self._pages is not None and path.startswith(self._pages.prefix)
        )

    def handle(self, exchange: Exchange) -> None:
        """Answers a request that `answers` is true for (`gateway.http.Handler`)."""
        incoming = Incoming(exchange, self._shared)
        if exchange.record is not None:
            exchange.record.route = self._route(exchange.request.path)
        try:
            if self._socket is not None and asks_for_websocket(incoming.request):
                self._socket(exchange)
            else:
                self._answer(incoming)
        except Exception as failure:  # noqa: BLE001 - `refuse` logs what is a bug
            incoming.refuse(failure)

    def refuse(self, exchange: Exchange, failure: RpcError) -> None:
        """Answers a request that `answers` is true for with an error."""
        Incoming(exchange, self._shared).refuse(failure)

    def _route(self, path: str) -> str:
        return self._path if self._pages is None or path == self._path else self._pages.files

    def _answer(self, incoming: Incoming) -> None:
        request, exchange, pages = incoming.request, incoming.exchange, self._pages
        if pages is not None and request.path != self._path:
            pages.asset(exchange)
            return
        match request.method:
            case "POST":
                cross_site.check_post(request.headers)

                def posted(body: bytes) -> None:
                    self._posted(incoming, body)

                size = self._shared.body_size
                exchange.collect(size, incoming.guarded(posted), incoming.guarded(refuse_body))
            case "GET" | "HEAD":
                if pages is not None and incoming.wanted.page:
                    incoming.admit(pages.gate, lambda _: pages.page(exchange))
                    return
                if not request.is_let_in:
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
