"""The fronts that clients of a host name meet: which of them answers a request.

All of it is made by `front_builder`. Which host has which fronts is `hosts`'s to say; without hosts
there is one set of them for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.app.openapi import Described
from gateway.app.websocket import WebsocketParts
from gateway.call import RpcError
from gateway.chain import Method
from gateway.errors import error
from gateway.fronts.rest.compile import Listed, ListedView
from gateway.fronts.rest.front import RestFront
from gateway.fronts.rest.incoming import Incoming, Shared
from gateway.http import Exchange

if TYPE_CHECKING:
    from gateway.app.graphql import GraphqlParts
    from gateway.fronts.rest.openapi.site import Site


@dataclass(frozen=True, slots=True, eq=False)
class Fronts:
    """What clients meet.

    Attributes:
        methods: By full name; what can be called.
        shared: What requests of REST share.
        rest: The REST front; None where it is off.
        routes: Every REST route of an RPC.
        views: Every REST view.
        graphql: The graph and what serves it; None where it is off.
        websocket: What answers WebSocket upgrades beside GraphQL's; None where it is off.
        described: What can be told of REST; None where it is off.
    """

    methods: Mapping[str, Method]
    shared: Shared
    rest: RestFront | None
    routes: tuple[Listed, ...]
    views: tuple[ListedView, ...]
    graphql: GraphqlParts | None
    websocket: WebsocketParts | None
    described: Described | None = None

    def handle(self, exchange: Exchange) -> None:
        """Answers a request (`gateway.http.Handler`)."""
        request, graphql, websocket = exchange.request, self.graphql, self.websocket
        if graphql is not None and graphql.front.answers(request.path):
            graphql.front.handle(exchange)
        elif (
            websocket is not None
            and websocket.front.answers(request)
            and websocket.front.handle(exchange)
        ):
            pass
        elif self.rest is None:
            refuse(exchange, self.shared, error("ROUTE_NOT_FOUND", "No route matches the path."))
        elif (site := self._site) is not None and site.answers(request.path):
            site.handle(exchange)
        else:
            self.rest.handle(exchange)

    @property
    def _site(self) -> Site | None:
        return None if self.described is None else self.described.site

    def refuse(self, exchange: Exchange, failure: RpcError) -> None:
        """Answers a request with an error, in the form of the front whose path it has."""
        graphql = self.graphql
        if graphql is not None and graphql.front.answers(exchange.request.path):
            graphql.front.refuse(exchange, failure)
        else:
            refuse(exchange, self.shared, failure)


def refuse(exchange: Exchange, shared: Shared, failure: RpcError) -> None:
    """Answers a request that no front has with an error, as REST does."""
    Incoming(exchange, shared).refuse(failure)
