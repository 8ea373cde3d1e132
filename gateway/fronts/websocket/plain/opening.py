"""Answers an upgrade that has a route: from a request to a socket with a call on it.

What is wrong with the request is told once the socket is open, as the end of its call: of a refused
handshake a browser tells its page nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from gateway.call import Call, RpcError
from gateway.chain import as_error
from gateway.cookies import IdCookie
from gateway.errors import error
from gateway.fronts.error_details import AnyToJson
from gateway.fronts.given_cookies import greeted
from gateway.fronts.keepalive import Timer
from gateway.fronts.roster import Roster
from gateway.fronts.websocket.codes import BAD_FRAME
from gateway.fronts.websocket.identity import FRONT, Credentials
from gateway.fronts.websocket.plain.call import PlainCall, SocketOptions, Teller
from gateway.fronts.websocket.plain.ending import close_code, reason
from gateway.fronts.websocket.plain.finding import Found
from gateway.fronts.websocket.plain.forms import FORMS, JSON
from gateway.fronts.websocket.tokens import holds_token, subprotocol_of, token_of
from gateway.http import Exchange, Request
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.http.websocket import offered_subprotocols
from gateway.record import RequestRecord
from gateway.routing.caller import caller_of
from gateway.routing.metadata import HeaderRules


@dataclass(frozen=True, slots=True)
class Shared:
    """What all sockets of a front share.

    Attributes:
        rules: Which headers pass to backends.
        any_to_json: Renders the details of errors.
        clock: The event loop's, seconds.
        request_id_passes: Whether backends are told the request id, also one made here.
        lease: What must live as long as any call does; nobody looks at it.
        cookies: In which calls look for ids of clients: given with the handshake.
        roster: Where sockets are entered.
        greeting: Further headers of each handshake.
    """

    rules: HeaderRules
    any_to_json: AnyToJson
    clock: Callable[[], float]
    request_id_passes: bool = False
    lease: object = None
    cookies: tuple[IdCookie, ...] = ()
    roster: Roster = field(default_factory=Roster)
    greeting: tuple[tuple[str, str], ...] = ()


def open_socket(
    exchange: Exchange,
    found: Found | RpcError,
    shared: Shared,
    options: SocketOptions,
    timer: Timer | None = None,
) -> None:
    """Answers an upgrade request.

    Args:
        exchange: The request.
        found: Its route, or what is wrong with it.
        shared: What sockets share.
        options: What the client may do.
        timer: Calls later; None is the running loop's.
    """
    request, given = greeted(exchange.request, shared.cookies)
    offered = offered_subprotocols(request)
    chosen = subprotocol_of(offered, FORMS)
    named = request_id(request.headers.get(REQUEST_ID))
    if (record := exchange.record) is not None:
        record.front, record.request_id = FRONT, named
        if isinstance(found, Found):
            record.route = found.route.template
    too_large = error(
        "MESSAGE_TOO_LARGE", f"The message is larger than {options.message_size} bytes."
    ).status
    socket = exchange.websocket(
        subprotocol=chosen,
        headers=[(REQUEST_ID, named), *shared.greeting, *given],
        message_size=options.message_size,
        too_large=close_code(too_large),
        too_large_reason=reason(too_large),
        compressed=options.compressed,
    )
    if socket is None:
        return
    if chosen is None and not all(map(holds_token, offered)):
        socket.close(BAD_FRAME, f"of the subprotocols {', '.join(FORMS)} are served")
        return
    form = FORMS.get(chosen or JSON, FORMS[JSON])
    teller = Teller(socket, form, named, shared.any_to_json)
    if isinstance(found, RpcError):
        teller.tell(found)
        return
    route, captures, query = found
    try:
        bound = route.binder.prepare(captures, query)
        call = call_of(request, route.method.descriptor.name, named, shared, exchange.record)
    except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
        teller.tell(as_error(failure))
        return
    PlainCall(
        socket,
        form,
        route,
        bound,
        call,
        tell=teller.tell,
        options=options,
        clock=shared.clock,
        timer=timer or asyncio.get_running_loop().call_later,
        lease=shared.lease,
        enter=partial(shared.roster.enter, "plain", request),
    ).run()


def call_of(
    request: Request,
    method: str,
    named: str,
    shared: Shared,
    record: RequestRecord | None = None,
) -> Call:
    """Returns the call of an upgrade request, without its message.

    Args:
        request: The request.
        method: The method's full name.
        named: The request's id.
        shared: What sockets share.
        record: What is noted of the request; None for nothing.

    Raises:
        RpcError: A time-out header, a metadata header or the token is wrong.
    """
    caller = caller_of(
        Credentials.of(request, token_of(request)).head,
        shared.rules,
        shared.clock,
        front=FRONT,
        request_id=named,
        request_id_passes=shared.request_id_passes,
        record=record,
    )
    return caller.call(method, b"")
