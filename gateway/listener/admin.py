"""A listener for operators: fixed pages at fixed paths, GET and HEAD only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from gateway.http import Exchange, Handler
from gateway.http.fault import json_error
from gateway.listener.faults import JSON
from gateway.listener.limits import Limits
from gateway.listener.server import Listener, serve


class Page(NamedTuple):
    """What an admin route answers with."""

    status: int
    content_type: str
    body: bytes


def jwks_page(keys: str | None) -> Page:
    """Returns the page of the public keys with which backends check the gateway's tokens.

    Args:
        keys: A JWK set (RFC 7517 section 5) as JSON; None where no tokens are signed.
    """
    if keys is None:
        text = "No tokens are signed: auth.forward.token is not set."
        return Page(404, JSON, json_error(404, "NOT_FOUND", "ROUTE_NOT_FOUND", text))
    return Page(200, "application/jwk-set+json", keys.encode())


Routes: TypeAlias = "Mapping[str, Callable[[], Page | tuple[int, str, bytes]]]"

_LIMITS: Final = Limits(connections=256, connections_per_address=256)


async def admin(address: str, routes: Routes) -> Listener:
    """Opens the admin listener.

    Args:
        address: Where: `127.0.0.1:9090`.
        routes: What answers at each path, such as `/healthz`. Called per request, must not wait;
            the query is not looked at.

    Raises:
        ListenError: The address can't be listened on.
    """
    handler = _handler(routes)
    return await serve(lambda: handler, addresses=[address], limits=_LIMITS)


def _handler(routes: Routes) -> Handler:
    def answer(exchange: Exchange) -> None:
        request = exchange.request
        page = routes.get(request.path)
        if page is None:
            text = f"There is no page here; there are: {', '.join(sorted(routes))}."
            body = json_error(404, "NOT_FOUND", "ROUTE_NOT_FOUND", text)
            exchange.respond(404, [("Content-Type", JSON)], body)
        elif request.method not in {"GET", "HEAD"}:
            text = "This page can only be read: use GET or HEAD."
            body = json_error(405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED", text)
            exchange.respond(405, [("Content-Type", JSON), ("Allow", "GET, HEAD")], body)
        else:
            status, content_type, body = page()
            headers = [("Content-Type", content_type), ("Cache-Control", "no-store")]
            exchange.respond(status, headers, body)

    return answer
