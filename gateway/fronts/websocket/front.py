"""The WebSocket front: which requests are its own, and who answers them.

At its path sockets of the multiplexed form are opened, and below it are the files of the JavaScript
client. Anywhere else an upgrade is the plain form's, if its path has a route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from gateway.call import Gate, RpcError
from gateway.chain import as_error
from gateway.cookies import IdCookie
from gateway.fronts.admission import admit
from gateway.fronts.files import File, answer
from gateway.fronts.given_cookies import greeted
from gateway.fronts.origins import check_origin
from gateway.fronts.websocket import codes
from gateway.fronts.websocket.driver import SocketDriver
from gateway.fronts.websocket.frames import Framing
from gateway.fronts.websocket.identity import FRONT
from gateway.fronts.websocket.json_frames import JsonFraming
from gateway.fronts.websocket.plain.front import PlainFront
from gateway.fronts.websocket.proto_frames import ProtoFraming
from gateway.fronts.websocket.relay_records import Arrival
from gateway.fronts.websocket.sockets import Sockets
from gateway.fronts.websocket.tokens import holds_token, subprotocol_of
from gateway.http import Exchange, Request, WebSocket
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.http.websocket import asks_for_websocket, offered_subprotocols

FRAMINGS: Final[Mapping[str, Framing]] = {
    each.subprotocol: each for each in (JsonFraming(), ProtoFraming())
}

NO_GATES: Final[Mapping[str, Gate]] = MappingProxyType({})

Errors: TypeAlias = "Callable[[Exchange, RpcError], None]"
"""Answers a request with an error."""

# A frame has members beside its body: metadata, above all.
_ENVELOPE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class FrontOptions:
    """What the config says of the front.

    Attributes:
        path: Where sockets of the multiplexed form are opened.
        subprotocols: Those that are served.
        origins: Of the pages that may open sockets, beside the gateway's own.
        compressed: Whether a client's offer of permessage-deflate is taken.
        cookies: In which calls look for ids of clients: given with the handshake.
        greeting: Further headers of each handshake.
    """

    path: str = "/ws"
    subprotocols: tuple[str, ...] = tuple(FRAMINGS)
    origins: tuple[str, ...] = ()
    compressed: bool = False
    cookies: tuple[IdCookie, ...] = ()
    greeting: tuple[tuple[str, str], ...] = ()


class WebsocketFront:
    """Answers upgrade requests, and requests for the client's files.

    Args:
        sockets: What sockets share.
        options: What the config says.
        files: By path.
        plain: The plain form.
        errors: Renders what a refused request is told.
        gates: Who may have a file, by path; the others are everybody's.
    """

    __slots__ = (
        "_errors",
        "_files",
        "_framings",
        "_gates",
        "_options",
        "_plain",
        "_size",
        "_sockets",
        "_usual",
    )

    def __init__(
        self,
        sockets: Sockets,
        options: FrontOptions,
        files: Mapping[str, File],
        plain: PlainFront,
        errors: Errors,
        *,
        gates: Mapping[str, Gate] = NO_GATES,
    ) -> None:
        self._sockets = sockets
        self._options = options
        self._files = files
        self._plain = plain
        self._errors = errors
        self._gates = gates
        self._framings = {name: FRAMINGS[name] for name in options.subprotocols}
        self._usual = next(iter(self._framings.values()))
        self._size = sockets.options.limits.message_size + _ENVELOPE

    def answers(self, request: Request) -> bool:
        """Whether a request is this front's."""
        path = request.path
        if path == self._options.path or path in self._files:
            return True
        return "upgrade" in request.headers and asks_for_websocket(request)

    def handle(self, exchange: Exchange) -> bool:
        """Answers a request that `answers` is true for; returns whether it did.

        An upgrade whose path has no route is not answered: that a path has none is told by those
        who serve others.
        """
        try:
            return self._answer(exchange)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            self._errors(exchange, as_error(failure))
            return True

    def adopt(self, socket: WebSocket, arrival: Arrival) -> bool:
        """Drives a socket that another worker has opened, if the session it names is here.

        Its framing is the one it was opened with: that worker's config may be newer, or older.
        """
        shared = self._sockets
        if shared.options.resume <= 0 or shared.sessions.find(arrival.session) is None:
            return False
        SocketDriver(socket, arrival.request, FRAMINGS[arrival.framing], shared)
        return True

    def _answer(self, exchange: Exchange) -> bool:
        request = exchange.request
        if (file := self._files.get(request.path)) is not None:
            if (record := exchange.record) is not None:
                record.front, record.route = FRONT, request.path
            admit(
                exchange,
                self._gates.get(request.path),
                lambda _: answer(exchange, file),
                lambda failure: self._errors(exchange, as_error(failure)),
                front=FRONT,
            )
            return True
        if asks_for_websocket(request):
            check_origin(request, self._options.origins)
        if request.path != self._options.path:
            return self._plain.handle(exchange)
        self._open(exchange)
        return True

    def _open(self, exchange: Exchange) -> None:
        """Opens a socket of the multiplexed form; what asks for none is told how to."""
        offered = offered_subprotocols(exchange.request)
        chosen = subprotocol_of(offered, self._framings)
        framing = self._framings.get(chosen or "")
        if framing is None and (chosen is not None or all(map(holds_token, offered))):
            framing = self._usual
        head, given = greeted(exchange.request, self._options.cookies)
        named = request_id(head.headers.get(REQUEST_ID))
        if (record := exchange.record) is not None:
            record.front, record.route = FRONT, self._options.path
            record.request_id = named
        socket = exchange.websocket(
            subprotocol=chosen,
            headers=[(REQUEST_ID, named), *self._options.greeting, *given],
            message_size=self._size,
            compressed=self._options.compressed,
            too_large=codes.TOO_LARGE,
            too_large_reason="the frame is larger than is allowed",
        )
        if socket is None:
            return
        if framing is None:
            names = ", ".join(self._framings)
            socket.close(codes.BAD_FRAME, f"none of the subprotocols is served: {names}")
            return
        SocketDriver(socket, head, framing, self._sockets)
