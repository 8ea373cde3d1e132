"""One streaming call on grpcio: requests pumped one way, replies the other, one end.

Every kind of streaming method is run as a bidirectional one: on the wire they are the same
(PROTOCOL-HTTP2.md of gRPC). What a failure means is decided by whoever starts a run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import grpc.aio

from gateway.call import Call, Metadata, RpcError, StreamCall
from gateway.upstream.channel.request import too_large

# How long the backend's initial metadata is held, in seconds, until it is known not to be the head
# of a refusal: a status without messages comes in the same frame or right after, and a front must
# not have answered 200 by then.
_HOLD = 0.05


class StreamRun:
    """A streaming call under way. The task that awaits `run` owns it: cancelled, it cancels."""

    __slots__ = (
        "_call",
        "_failed",
        "_failure_of",
        "_message_size",
        "_over",
        "_rpc",
        "_scope",
    )

    def __init__(
        self,
        call: StreamCall,
        rpc: Any,
        message_size: int,
        failure_of: Callable[[grpc.aio.AioRpcError, Call], RpcError],
    ) -> None:
        self._call = call
        self._rpc = rpc
        self._message_size = message_size
        self._failure_of = failure_of
        self._failed: Exception | None = None
        self._over = False
        self._scope = asyncio.timeout(None)

    async def run(self) -> Metadata:
        """Runs the call to its end and returns the trailers.

        Raises:
            RpcError: It ended with another status than OK, or `end` ended it.
        """
        try:
            async with self._scope:
                return await self._exchange()
        except TimeoutError:
            if self._failed is None:
                raise
            try:
                raise self._failed from None
            finally:  # its traceback has this: it is not to wait for a garbage collector
                self._failed = None
        finally:
            self._rpc.cancel()
            del self._scope  # it has the task, which keeps what it was cancelled by, and so this

    def end(self, failure: Exception) -> None:
        """Ends the call with `failure`, whatever it waits for."""
        if self._failed is None:
            self._failed = failure
            self._scope.reschedule(asyncio.get_running_loop().time())

    async def _exchange(self) -> Metadata:
        try:
            # Not one message is taken from the client before there is a connection for it.
            await self._rpc.wait_for_connection()
        except grpc.aio.AioRpcError as failure:
            raise self._failure_of(failure, self._call) from None
        pump = asyncio.create_task(self._pump())
        try:
            return await self._replies()
        finally:
            self._over = True
            pump.cancel()
            await asyncio.wait({pump})

    async def _pump(self) -> None:
        """Carries request messages, as fast as the backend takes them."""
        try:
            while (message := await self._call.receive()) is not None:
                if refused := too_large(len(message), self._message_size):
                    self.end(refused)
                    return
                # Not `write`: if the call has ended it puts a status of its own in the real one's
                # place. The call beneath says that the message did not go out, and no more.
                await self._rpc._cython_call.send_serialized_message(message)  # noqa: SLF001
            await self._rpc.done_writing()
        except grpc.aio.InternalError:
            return  # The call has ended; whoever reads the replies learns how.
        except Exception as failure:  # noqa: BLE001 - handed to the task that owns the call
            if not self._over:
                self.end(failure)

    async def _replies(self) -> Metadata:
        """Carries replies, as fast as the client takes them; returns the trailers."""
        initial = Metadata(await self._rpc.initial_metadata())
        # Not `read`, which asks for the status first and gives up messages that are there.
        replies: AsyncGenerator[bytes, None] = aiter(self._rpc)
        first = asyncio.ensure_future(self._next(replies))
        try:
            await asyncio.wait({first}, timeout=_HOLD)
            if first.done():
                first.result()
            await self._call.start(initial)
            message = await first
            while message is not None:
                await self._call.send(message)
                message = await self._next(replies)
        finally:
            first.cancel()
            await asyncio.wait({first})
            if not first.cancelled():
                first.exception()  # marks it as seen; who awaited it has raised it
            del first  # what it raised has this frame: neither waits for a garbage collector
            await replies.aclose()
        return Metadata(await self._rpc.trailing_metadata())

    async def _next(self, replies: AsyncGenerator[bytes, None]) -> bytes | None:
        """Returns the next reply, or None after the last one of a call that ended well."""
        try:
            return await anext(replies, None)
        except grpc.aio.AioRpcError as failure:
            raise self._failure_of(failure, self._call) from None
