"""Calls of services by resolvers: as the caller of the request, through each method's own chain.

A call has the metadata, the principal and the deadline of the request, and passes the gates of its
method, like any call of the graph. Only bytes cross between a user's stubs and the gateway's types.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.call import Call, Reply, RpcError
from gateway.chain import Method
from gateway.fronts.graphql.execute.asking import AskedStream
from gateway.fronts.graphql.execute.headers import Headers, heard
from gateway.fronts.graphql.execute.loading import not_a_message
from gateway.fronts.graphql.plan.foreign import to_message
from gateway.routing.caller import Caller
from gateway.schema.method import Kind
from gateway.schema.registry import Registry

Request: TypeAlias = "Message | Mapping[str, Any] | None"
"""A request: a message of any pool, a dict in the form of ProtoJSON, None for an empty one."""


class Services:
    """The services of a generation, as resolvers call them.

    Args:
        methods: What can be called, by full name.
        registry: Their descriptors.
    """

    def __init__(self, methods: Mapping[str, Method], registry: Registry) -> None:
        self._methods = methods
        self._registry = registry

    def find(self, name: str, kind: Kind) -> Method:
        """Returns a method.

        Raises:
            ValueError: There is none, or it is of another kind.
        """
        method = self._methods.get(name.removeprefix("/"))
        if method is None:
            near = difflib.get_close_matches(name, self._methods, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"there is no method {name}{hint}")
        if method.descriptor.kind is not kind:
            found = method.descriptor.kind.value
            raise ValueError(f"{name} is {found}, and this calls what is {kind.value}")
        return method

    def request(self, method: Method, given: Request) -> bytes:
        """Returns the bytes of a request. Raises TypeError where it is another message."""
        read = to_message(self._registry.message(method.descriptor.input))
        return read({} if given is None else given).SerializePartialToString()

    def reply(self, method: Method, data: bytes) -> Any:
        """Returns a reply, a message of the gateway's own types. Raises RpcError."""
        cls = GetMessageClass(self._registry.message(method.descriptor.output))
        try:
            return cls.FromString(data)
        except DecodeError as failure:
            raise not_a_message(method.descriptor.name) from failure


class Gateway:
    """Calls services for one request: `info.context.gateway`.

    Args:
        services: What can be called.
        caller: Who asks.
        heard: Takes the headers of each call that has any: the answer tells them.

    Attributes:
        caller: Who asks: metadata, deadline, principal.
    """

    __slots__ = ("_heard", "_services", "caller")

    def __init__(self, services: Services, caller: Caller, heard: list[Headers]) -> None:
        self._services = services
        self._heard = heard
        self.caller = caller

    async def call(self, method: str, request: Request = None) -> Any:
        """Makes a unary call and returns the reply, a protobuf message.

        Args:
            method: Its full name, `shop.catalog.v1.CatalogService/GetProduct`.
            request: The request; of a dict, names are the proto's or those of its JSON.

        Raises:
            RpcError: The call ended with another status than OK. A field that lets it pass fails
                with its code.
            ValueError: There is no such unary method.
            TypeError: The request is of another type.
        """
        found = self._services.find(method, Kind.UNARY)
        data = self._services.request(found, request)
        call = self.caller.call(found.descriptor.name, data)
        try:
            reply = await found.call(call)
        except RpcError as failure:
            self._hear(call, failure)
            raise
        self._hear(call, reply)
        return self._services.reply(found, reply.message)

    def _hear(self, call: Call, result: Reply | RpcError) -> None:
        if headers := heard(call, result):
            self._heard.append(headers)

    async def stream(self, method: str, request: Request = None) -> AsyncIterator[Any]:
        """Yields the messages of a server stream; the next one is taken when it is asked for.

        Raises:
            RpcError: The stream ended with another status than OK.
            ValueError: There is no such server-streaming method.
            TypeError: The request is of another type.
        """
        found = self._services.find(method, Kind.SERVER_STREAMING)
        call = self.caller.call(found.descriptor.name, self._services.request(found, request))
        handed: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(1)

        stream = AskedStream.of(call, handed.put)

        async def run() -> None:
            end = None
            try:
                await found.stream(stream)
            except Exception as failure:  # noqa: BLE001 - it is raised where the stream is read
                end = failure
            await handed.put(end)

        task = asyncio.ensure_future(run())
        told = False
        try:
            while (data := await handed.get()) is not None:
                if isinstance(data, RpcError):
                    self._hear(stream, data)
                elif not told and stream.reply_headers:
                    self._heard.append(dict(stream.reply_headers))
                told = True
                if isinstance(data, Exception):
                    raise data
                yield self._services.reply(found, data)
        finally:
            task.cancel()
