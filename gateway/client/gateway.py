"""The client's face: `connect`, and what can be done with a connected gateway."""

from __future__ import annotations

import asyncio
import re
import ssl as ssl_module
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Literal, Self

from gateway.client.backoff import Backoff
from gateway.client.connection import Connection
from gateway.client.dialing import Endpoint
from gateway.client.exchange import Opening
from gateway.client.framing import Framing
from gateway.client.json_framing import JsonFraming
from gateway.client.metadata import Given, checked
from gateway.client.proto_framing import ProtoFraming
from gateway.client.stream import Stream
from gateway.client.tokens import Given as Token
from gateway.client.tokens import Tokens
from gateway.client.window import MOST

_METHOD: Final = re.compile(r"[\w.]+/\w+", re.ASCII)
_FRAMINGS: Final[Mapping[str, Framing]] = {
    framing.subprotocol: framing for framing in (JsonFraming(), ProtoFraming())
}
_REPLIES: Final = 2  # a second one is an error, which is to be seen

Subprotocol = Literal["grpcws.v1.json", "grpcws.v1.proto"]


def connect(
    url: str,
    *,
    token: Token = None,
    resume: bool = False,
    subprotocol: Subprotocol = "grpcws.v1.json",
    ssl: ssl_module.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
    backoff: Backoff | None = None,
    open_timeout: float = 10.0,
    message_size: int = 16 * 1024 * 1024,
) -> Gateway:
    """Returns a gateway, which `async with` connects.

    Args:
        url: Where it is, `ws://127.0.0.1:8080/ws`.
        token: Who calls; or a function that says so, asked for each connection, and when the token
            is about to expire. It may be a coroutine function.
        resume: Whether calls are to survive a broken connection, if the gateway allows it.
        subprotocol: How messages are written: `grpcws.v1.json` or `grpcws.v1.proto`.
        ssl: For `wss://`; None is the default context.
        headers: Of the handshake; all calls bring them along, as the gateway's config allows.
        backoff: How long to wait between attempts to connect.
        open_timeout: Seconds for the handshake, and again for the gateway's welcome.
        message_size: Bytes of the largest WebSocket message that is taken.

    Raises:
        ValueError: An argument makes no sense.
    """
    framing = _FRAMINGS.get(subprotocol)
    if framing is None:
        raise ValueError(f"{subprotocol!r} is none of {', '.join(_FRAMINGS)}")
    endpoint = Endpoint(url, ssl, headers or {}, open_timeout, message_size)
    return Gateway(endpoint, framing, Tokens(token), backoff or Backoff(), resume=resume)


class Gateway:
    """A gateway to make calls to, in an `async with` block. Made by `connect`.

    Entering the block connects. A connection that breaks is made anew, and calls that begin
    meanwhile wait for it. Leaving the block cancels the calls that are left.

    Raises:
        RefusedError: On entering: the gateway does not want this client.
        OSError: On entering: there is no way to the gateway; a TimeoutError is one.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        framing: Framing,
        tokens: Tokens,
        backoff: Backoff,
        *,
        resume: bool,
    ) -> None:
        self._endpoint = endpoint
        self._framing = framing
        self._tokens = tokens
        self._backoff = backoff
        self._resume = resume
        self._connection: Connection | None = None

    async def __aenter__(self) -> Self:
        if self._connection is not None:
            raise RuntimeError("this gateway is connected already: connect() makes another")
        connection = Connection(
            self._endpoint, self._framing, self._tokens, self._backoff, resume=self._resume
        )
        await connection.start()
        self._connection = connection
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connection, self._connection = self._connection, None
        assert connection is not None
        await connection.close()

    async def call(
        self,
        method: str,
        request: Any,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - it is the call's own, sent along
        metadata: Given = (),
        reply: Any = None,
    ) -> Any:
        """Makes a unary call and returns the reply.

        Args:
            method: The full name, `shop.catalog.v1.CatalogService/GetProduct`.
            request: The request: in JSON a value as of `json`, else a protobuf message or bytes.
            timeout: Seconds that the call may take, waiting for a connection included.
            metadata: Pairs in order, or a mapping; values of keys that end with `-bin` are bytes.
            reply: The class of the reply, in the binary framing; None gives bytes.

        Raises:
            RpcError: The call ended with another status than OK.
            RefusedError: There is no connection, and will be none.
            TypeError: The request, or the metadata, is of a type that can't be sent.
            ValueError: An argument can't be sent, or the reply is not of its class.
            RuntimeError: The gateway is not connected: this is outside its block.
        """
        if request is None:
            raise TypeError("a unary call has a request message; None is none")
        async with self.stream(
            method,
            request,
            end=True,
            credit=_REPLIES,
            timeout=timeout,
            metadata=metadata,
            reply=reply,
        ) as stream:
            return await stream.only()

    def stream(
        self,
        method: str,
        request: Any = None,
        *,
        end: bool = False,
        credit: int = 64,
        timeout: float | None = None,
        metadata: Given = (),
        reply: Any = None,
    ) -> Stream:
        """Returns a call of any kind, which `async with` makes.

        Args:
            method: As for `call`.
            request: The first request message, if there is one yet.
            end: Whether it is the last, as for a server stream.
            credit: Messages that may wait here to be taken.
            timeout: As for `call`.
            metadata: As for `call`.
            reply: The class of messages, in the binary framing; None gives bytes.

        Raises:
            TypeError, ValueError, RuntimeError: As for `call`.
        """
        if self._connection is None:
            raise RuntimeError("the gateway is not connected: use it in `async with connect(…)`")
        if not _METHOD.fullmatch(method):
            raise ValueError(f"{method!r} is no method: package.Service/Method is expected")
        if not 1 <= credit <= MOST:
            raise ValueError(f"a credit is 1 to {MOST}, not {credit}")
        if timeout is not None and not 0 < timeout < _FOREVER:
            raise ValueError(f"a timeout is more than 0 seconds, not {timeout}")
        body = None if request is None else self._framing.body(request)
        deadline = None if timeout is None else asyncio.get_running_loop().time() + timeout
        opening = Opening(method, checked(metadata), deadline, credit, body, end)
        return Stream(self._connection, self._framing, opening, self._framing.reader(reply))

    async def auth(self, token: str) -> None:
        """Gives the gateway a new token, which calls carry that begin later.

        Raises:
            RefusedError: It was not taken.
            RuntimeError: The gateway is not connected.
            ValueError: It can't be a token.
        """
        if self._connection is None:
            raise RuntimeError("the gateway is not connected: use it in `async with connect(…)`")
        await self._connection.auth(token)


_FOREVER: Final = 10.0**9  # seconds; a number for which no timer goes wrong
