"""A listener for operators: pages at fixed paths, read by GET, or changing something by POST.

It has no page that a browser could ask from, so a POST that a browser made is some other site's:
it is refused, whatever it says of itself. What it tells of callers, no browser is to read for
another site either: where it listens for its own machine only, it must be asked for by an address,
or as `localhost`, not by a name that some site has bound to it. Who may connect is the network's to
decide.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from gateway.http import Exchange, Handler
from gateway.http.fault import json_error
from gateway.listener.faults import JSON, Fault, Refused
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A page that takes a query and may wait.

    Attributes:
        answer: Makes it of the query's parameters. Raises Refused.
        changes: Whether it changes something: it is asked by POST then.
    """

    answer: Callable[[Mapping[str, str]], Awaitable[Page]]
    changes: bool = False


Fixed: TypeAlias = "Callable[[], Page | tuple[int, str, bytes]]"
"""A page that is there at once; the query is not looked at."""

Routes: TypeAlias = "Mapping[str, Fixed | Asked]"

_LIMITS: Final = Limits(connections=256, connections_per_address=256)
_PARAMETERS: Final = 64  # of a query
_READS: Final = ("GET", "HEAD")
_CHANGES: Final = ("POST",)
_BROWSERS: Final = ("origin", "sec-fetch-site")  # Fetch sections 3.2, and Fetch Metadata section 2

_INTERNAL: Final = Fault(500, "INTERNAL", "The gateway failed to answer this request.")
_LOCAL: Final = "localhost"
_MISNAMED: Final = Fault(
    403, "CROSS_SITE_REQUEST", "Ask this by an address, or as localhost: http://127.0.0.1:9090."
)
_CROSS_SITE: Final = Fault(
    403, "CROSS_SITE_REQUEST", "No page of a browser may do this: use a command, or curl."
)


async def admin(address: str, routes: Routes) -> Listener:
    """Opens the admin listener.

    Args:
        address: Where: `127.0.0.1:9090`.
        routes: What answers at each path, such as `/healthz`. Called per request.

    Raises:
        ListenError: The address can't be listened on.
    """
    handler = _handler(routes, is_own=_is_own(address))
    return await serve(lambda: handler, addresses=[address], limits=_LIMITS)


def _is_own(authority: str) -> bool:
    """Whether a host, which a port may follow, is this machine's for itself."""
    host = _host(authority)
    address = _address(host)
    return host == _LOCAL if address is None else address.is_loopback


def _handler(routes: Routes, *, is_own: bool) -> Handler:
    """Returns what answers.

    Args:
        routes: The pages.
        is_own: Whether only this machine can connect.
    """

    def answer(exchange: Exchange) -> None:
        request = exchange.request
        route = routes.get(request.path)
        if route is None:
            text = f"There is no page here; there are: {', '.join(sorted(routes))}."
            _refuse(exchange, Fault(404, "ROUTE_NOT_FOUND", text))
            return
        changes = isinstance(route, Asked) and route.changes
        allowed = _CHANGES if changes else _READS
        if request.method not in allowed:
            text = "This is done by POST." if changes else "This page can only be read."
            fault = Fault(405, "METHOD_NOT_ALLOWED", f"{text} Use {' or '.join(allowed)}.")
            _refuse(exchange, fault, ("Allow", ", ".join(allowed)))
        elif changes and any(name in request.headers for name in _BROWSERS):
            _refuse(exchange, _CROSS_SITE)
        elif isinstance(route, Asked) and is_own and not _is_unbound(request.authority):
            _refuse(exchange, _MISNAMED)
        elif isinstance(route, Asked):
            exchange.spawn(_ask(exchange, route))
        else:
            _respond(exchange, Page(*route()))

    return answer


def _is_unbound(authority: str) -> bool:
    """Whether a `Host` is none that the DNS could lead here: an address, or `localhost`."""
    host = _host(authority)
    return host == _LOCAL or _address(host) is not None


def _host(authority: str) -> str:
    """Returns the host without its port and brackets, in lower case."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0].lower()


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


async def _ask(exchange: Exchange, asked: Asked) -> None:
    try:
        page = await asked.answer(_parameters(exchange.request.query or ""))
    except Refused as refused:
        _refuse(exchange, refused.fault)
    except Exception:
        _refuse(exchange, _INTERNAL)
        raise
    else:
        _respond(exchange, page)


def _parameters(query: str) -> Mapping[str, str]:
    """Returns the parameters of a query by name.

    Raises:
        Refused: It is none, or names one twice.
    """
    try:
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            strict_parsing=bool(query),
            errors="strict",
            max_num_fields=_PARAMETERS,
        )
    except ValueError:  # the parser's words are about its own arguments
        raise Refused(Fault(400, "BAD_REQUEST", "The query can't be read.")) from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(Fault(400, "BAD_REQUEST", "The query has a parameter twice."))
    return found


def _respond(exchange: Exchange, page: Page) -> None:
    headers = [("Content-Type", page.content_type), ("Cache-Control", "no-store")]
    exchange.respond(page.status, headers, page.body)


def _refuse(exchange: Exchange, fault: Fault, *headers: tuple[str, str]) -> None:
    exchange.respond(fault.status, [("Content-Type", JSON), *headers], fault.body(""))
