"""A listener for operators: pages read by GET, or changing something by POST.

Who may ask is `admin_access`'s. Pages that are everybody's (`/healthz`) answer at once, or look
first; what asks for more says so. What a page tells is the caller's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from gateway.http import Exchange, Handler
from gateway.http.fault import json_error
from gateway.listener.admin_access import Access
from gateway.listener.admin_paths import Paths
from gateway.listener.faults import JSON, Fault, Refused
from gateway.listener.limits import Limits
from gateway.listener.server import Listener, serve


class Page(NamedTuple):
    """What an admin route answers with.

    Attributes:
        status: The HTTP status.
        content_type: The media type.
        body: All of it; or what yields it part by part, each written as soon as it is there, until
            it ends or the client goes: the generator is closed then.
    """

    status: int
    content_type: str
    body: bytes | AsyncGenerator[bytes, None]


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
    """A page that takes parameters and may wait.

    Attributes:
        answer: Makes it of the parameters, those of the query and of the path. Raises Refused.
        changes: Whether it changes something: it is asked by POST then.
        is_open: Whether everybody may ask, without the token: a probe.
        implied: Returns the parameters that an `Accept` stands for (RFC 9110, section 12.5.1),
            where the query does not have them; None where the page has but one form.
    """

    answer: Callable[[Mapping[str, str]], Awaitable[Page]]
    changes: bool = False
    is_open: bool = False
    implied: Callable[[str], Mapping[str, str]] | None = None


Fixed: TypeAlias = "Callable[[], Page]"
"""A page that is there at once, and is everybody's; the query is not looked at."""

Routes: TypeAlias = "Mapping[str, Fixed | Asked]"
"""What answers at each path: `/healthz`, or `/why/{id}`, whose `{id}` is a parameter."""

_LIMITS: Final = Limits(connections=256, connections_per_address=256)
_PARAMETERS: Final = 64  # of a query
_READS: Final = ("GET", "HEAD")
_CHANGES: Final = ("POST",)

_INTERNAL: Final = Fault(500, "INTERNAL", "The gateway failed to answer this request.")
_TWICE: Final = Fault(400, "BAD_REQUEST", "The query has a parameter twice.")


async def admin(address: str, routes: Routes, token: str | None = None) -> Listener:
    """Opens the admin listener.

    Args:
        address: Where: `127.0.0.1:9090`.
        routes: What answers at each path. Called per request.
        token: What must be shown for all that is not everybody's; None for nothing.

    Raises:
        ListenError: The address can't be listened on.
    """
    handler = _handler(Paths(routes), Access(address, token))
    return await serve(lambda: handler, addresses=[address], limits=_LIMITS)


def _handler(paths: Paths[Fixed | Asked], access: Access) -> Handler:
    """Returns what answers."""

    def answer(exchange: Exchange) -> None:
        request = exchange.request
        found = paths.find(request.path)
        route = None if found is None else found.target
        asked = route if isinstance(route, Asked) else None
        changes = asked is not None and asked.changes
        is_open = route is not None and (asked is None or asked.is_open)
        allowed = _CHANGES if changes else _READS
        if not is_open and (refusal := access.unknown(request)) is not None:
            _refuse(exchange, *refusal)
        elif found is None or route is None:
            text = f"There is no page here; there are: {', '.join(paths.known)}."
            _refuse(exchange, Fault(404, "ROUTE_NOT_FOUND", text))
        elif request.method not in allowed:
            text = "This is done by POST." if changes else "This page can only be read."
            fault = Fault(405, "METHOD_NOT_ALLOWED", f"{text} Use {' or '.join(allowed)}.")
            _refuse(exchange, fault, [("Allow", ", ".join(allowed))])
        elif not is_open and (refusal := access.forbidden(request, changes=changes)) is not None:
            _refuse(exchange, *refusal)
        elif isinstance(route, Asked):
            exchange.spawn(_ask(exchange, route, found.parameters))
        else:
            _respond(exchange, route())

    return answer


async def _ask(exchange: Exchange, asked: Asked, named: Mapping[str, str]) -> None:
    try:
        parameters = _parameters(exchange.request.query or "", named)
        if asked.implied is not None:
            accept = ",".join(exchange.request.headers.all("accept"))
            parameters = {**asked.implied(accept), **parameters}
        page = await asked.answer(parameters)
    except Refused as refused:
        _refuse(exchange, refused.fault)
    except Exception:
        _refuse(exchange, _INTERNAL)
        raise
    else:
        if isinstance(page.body, bytes):
            _respond(exchange, page)
        else:
            await _stream(exchange, page, page.body)


async def _stream(exchange: Exchange, page: Page, parts: AsyncGenerator[bytes, None]) -> None:
    async with aclosing(parts):
        exchange.start(page.status, _headers(page))
        try:
            async for part in parts:
                if exchange.request.method == "HEAD":
                    break  # it may be endless, and nobody wants it
                await exchange.write(part)
        except Exception:
            exchange.abort()  # what was written must not pass for all of it
            raise
        await exchange.finish()


def _parameters(query: str, named: Mapping[str, str]) -> Mapping[str, str]:
    """Returns the parameters of a query, and those of the path, by name.

    Raises:
        Refused: The query is none, or names one twice.
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
    found = {**dict(pairs), **named}
    if len(found) != len(pairs) + len(named):
        raise Refused(_TWICE)
    return found


def _headers(page: Page) -> list[tuple[str, str]]:
    return [("Content-Type", page.content_type), ("Cache-Control", "no-store")]


def _respond(exchange: Exchange, page: Page) -> None:
    assert isinstance(page.body, bytes), "what is streamed is asked for"
    exchange.respond(page.status, _headers(page), page.body)


def _refuse(exchange: Exchange, fault: Fault, headers: Sequence[tuple[str, str]] = ()) -> None:
    exchange.respond(fault.status, [("Content-Type", JSON), *headers], fault.body(""))
