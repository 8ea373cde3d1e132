"""What aiohttp does for the listener: it parses what was let through, and writes replies.

One engine a connection, made by aiohttp's low-level server. All of its timers and limits are off:
`Connection` has its own. It knows neither the listener's sockets nor its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiohttp import web, web_protocol
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError

from gateway.http import Headers
from gateway.listener.connection import Connection
from gateway.listener.exchange import AiohttpExchange
from gateway.listener.faults import INTERNAL, MALFORMED, SERVER, UNKNOWN_METHOD
from gateway.listener.limits import READ_AHEAD
from gateway.listener.relay import Relay
from gateway.listener.service import Service, log

_NEVER: Final = 365 * 86_400.0  # seconds
_NO_LIMIT: Final = 1 << 30  # bytes


class _Engine(web_protocol.RequestHandler):
    """aiohttp's protocol, with our own words for what its parser refuses."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  aiohttp's signature
        status: int = 500,  # noqa: ARG002
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Returns the reply to a head that passed our checks but not the parser's, or to a bug.

        A client that leaves while its reply's head is written is neither: nobody reads the reply.
        """
        fault = MALFORMED
        if isinstance(exc, BadHttpMethod):
            fault = UNKNOWN_METHOD
        elif not isinstance(exc, HttpProcessingError | ConnectionError):
            log.error("a request failed", exc_info=exc)
            fault = INTERNAL
        relay = self.transport
        owner = relay.owner if isinstance(relay, Relay) else None
        given = owner.head.headers if isinstance(owner, Connection) else Headers()
        code, own, body = fault.parts(given)
        response = web.Response(status=code, body=body, headers={**dict(own), "Server": SERVER})
        response.force_close()
        return response


class _Server(web.Server):
    """aiohttp's low-level server, making engines of ours."""

    def __call__(self) -> web_protocol.RequestHandler:
        return _Engine(self, loop=self._loop, **self._kwargs)


def engines(service: Service) -> Callable[[], web_protocol.RequestHandler]:
    """Returns what makes the engines of a listener's connections. Needs a running loop."""

    async def answer(raw: web.BaseRequest) -> web.StreamResponse:
        relay = raw.transport
        if not isinstance(relay, Relay) or not isinstance(relay.owner, Connection):
            raise ConnectionResetError("the client has gone")
        connection = relay.owner
        exchange = AiohttpExchange(connection, raw, service)
        connection.exchange = exchange
        try:
            return await exchange.run()
        finally:
            connection.answered()

    return _Server(
        answer,
        handler_cancellation=True,
        auto_decompress=False,  # a small body may unpack to a huge one
        access_log=None,
        logger=log,
        keepalive_timeout=_NEVER,
        lingering_time=0,
        max_line_size=_NO_LIMIT,
        max_field_size=_NO_LIMIT,
        max_headers=_NO_LIMIT,
        read_bufsize=READ_AHEAD // 2,
    )
