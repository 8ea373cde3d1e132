"""Binds plain Python objects to a service's methods: one attribute a method, of its proto's name.

A service's methods know nothing of grpc. By kind they are

- unary: `def Get(self, request, call) -> reply`
- client streaming: `async def Import(self, requests, call) -> reply`
- server streaming: `async def Watch(self, request, call)`, yielding replies
- bidirectional: `async def Join(self, requests, call)`, yielding replies

and they raise `Failure`. An error before the first message leaves as trailers only, since a client
may retry only such a call (gRFC A6); so initial metadata waits for the first message.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, NoReturn

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from services_mock.contract import contract
from services_mock.failure import Failure

Metadata = list[tuple[str, str | bytes]]


class Call:
    """What a service's method may know and say of the call that it serves."""

    __slots__ = ("_context", "_opened", "headers", "replica", "trailers")

    def __init__(self, context: Any, replica: str) -> None:
        self._context = context
        self._opened = False
        self.replica = replica
        mark = ("x-replica", replica.rpartition(":")[2])
        self.headers: Metadata = [mark]
        self.trailers: Metadata = [mark]

    @property
    def metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """What the client sent, in order."""
        return tuple(self._context.invocation_metadata())

    @property
    def peer(self) -> str:
        """The client's address, as grpc writes it: `ipv4:127.0.0.1:40000`."""
        return str(self._context.peer())

    @property
    def time_remaining(self) -> float | None:
        """Seconds until the deadline; None where there is none."""
        seconds: float | None = self._context.time_remaining()
        return seconds

    async def open(self) -> None:
        """Sends the initial metadata, once; called before the first message if not by then."""
        if not self._opened:
            self._opened = True
            await self._context.send_initial_metadata(tuple(self.headers))

    def close(self) -> None:
        """Sets the trailing metadata of a call that ends well."""
        self._context.set_trailing_metadata(tuple(self.trailers))

    async def fail(self, failure: Failure) -> NoReturn:
        """Ends the call with a failure."""
        trailers = (*self.trailers, *failure.trailers())
        await self._context.abort(failure.code, failure.message, trailers)
        raise AssertionError("abort raises")


def _one(function: Callable[..., Any], replica: str) -> Callable[..., Awaitable[Any]]:
    """Serves a method with one reply: unary (a function) or client streaming (a coroutine)."""

    async def serve(received: Any, context: Any) -> Any:
        call = Call(context, replica)
        try:
            reply = function(received, call)
            if isinstance(reply, Awaitable):
                reply = await reply
        except Failure as failure:
            await call.fail(failure)
        await call.open()
        call.close()
        return reply

    return serve


def _many(function: Callable[..., Any], replica: str) -> Callable[..., AsyncIterator[Any]]:
    """Serves a method with a stream of replies; closes its generator however the call ends."""

    async def serve(received: Any, context: Any) -> AsyncIterator[Any]:
        call = Call(context, replica)
        try:
            async with aclosing(function(received, call)) as replies:
                async for reply in replies:
                    await call.open()
                    yield reply
        except Failure as failure:
            await call.fail(failure)
        await call.open()
        call.close()

    return serve


def _handler(method: MethodDescriptor, function: Callable[..., Any], replica: str) -> Any:
    form = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[method.client_streaming, method.server_streaming]
    serve = (_many if method.server_streaming else _one)(function, replica)
    return form(
        serve,
        request_deserializer=contract().request(method).FromString,
        response_serializer=contract().reply(method).SerializeToString,
    )


def bind(descriptor: ServiceDescriptor, service: object, replica: str) -> grpc.GenericRpcHandler:
    """Makes grpc handlers for every method of a service.

    Args:
        descriptor: the service as its proto says it.
        service: an object with a function for each method.
        replica: the address that the replies are marked with.

    Raises:
        AttributeError: the object lacks one of the methods.
    """
    handlers = {
        method.name: _handler(method, getattr(service, method.name), replica)
        for method in descriptor.methods
    }
    return grpc.method_handlers_generic_handler(descriptor.full_name, handlers)
