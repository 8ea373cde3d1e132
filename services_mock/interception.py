"""Makes faults happen and counts calls: one interceptor around all four kinds of method.

It stands outside everything else, so a call that a fault ends is counted too. It writes replies
itself rather than yielding them to grpc: a cancellation then always lands in its own frame, and
the method's generator is closed at once.
"""

import asyncio
import inspect
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NoReturn

import grpc

from services_mock import connection
from services_mock.calls import SERVICE, Calls
from services_mock.failure import invalid
from services_mock.faults import Action, Fault, Faults, from_metadata

CRASH_EXIT = 70  # EX_SOFTWARE: what a bug would have given

# Seconds before a connection is cut, for messages that grpc has taken and not yet sent: it does not
# tell when they are on the wire.
_FLUSH = 0.05

_FORMS = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def _crash() -> NoReturn:
    """Ends the process without a word to anybody, as a segmentation fault would."""
    os._exit(CRASH_EXIT)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault, decided for one call: it happens after `at` messages, or not at all (None)."""

    fault: Fault
    at: int | None
    replica: str

    async def reach(self, messages: int, context: Any) -> None:
        """Lets the fault happen if this is its message."""
        if messages != self.at:
            return
        mark = (("x-replica", self.replica.rpartition(":")[2]),)
        if messages and self.fault.action in (Action.CRASH, Action.REFUSE):
            await asyncio.sleep(_FLUSH)
        match self.fault.action:
            case Action.CRASH:
                _crash()
            case Action.REFUSE if connection.reset(context.peer()):
                await asyncio.Event().wait()  # the reset cancels the call
            case Action.HANG:
                await asyncio.Event().wait()  # until the client gives up
            case _:
                await context.abort(self.fault.code, "a fault that was asked for", mark)

    async def while_reading(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        """Passes requests on, and lets the fault happen among them."""
        messages = 0
        async for request in requests:
            yield request
            messages += 1
            await self.reach(messages, context)


class Interception(grpc.aio.ServerInterceptor):  # type: ignore[misc, name-defined, unused-ignore]  # grpc.aio's stubs lack generics
    """The interceptor of one replica."""

    def __init__(
        self,
        faults: Faults,
        calls: Calls,
        *,
        roll: Callable[[], float],
        log: bool = False,
    ) -> None:
        self._faults = faults
        self._calls = calls
        self.replica = ""  # set when the port is known, before the first call
        self._roll = roll
        self._log = log
        self._until_crash = faults.crash_after

    def _decide(self, details: Any) -> Strike:
        """Decides what befalls a call.

        Raises:
            ValueError: its metadata ask for a fault that there is not.
        """
        fault = from_metadata(details.invocation_metadata)
        meant = fnmatchcase(details.method.lstrip("/"), self._faults.methods)
        if meant and self._until_crash is not None:
            if self._until_crash == 0:
                _crash()
            self._until_crash -= 1
        if fault is None:
            fault = self._faults.fault if meant else Fault()
        befalls = fault.befalls(self._roll)
        return Strike(fault, fault.after if befalls else None, self.replica)

    @contextmanager
    def _counted(self, method: str) -> Iterator[None]:
        self._calls.count(method, "started")
        start = time.perf_counter()
        outcome = "failed"
        try:
            yield
            outcome = "completed"
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self._calls.count(method, outcome)
            if self._log:
                spent = (time.perf_counter() - start) * 1e3
                print(f"{self.replica} {method} {outcome} {spent:.1f} ms", file=sys.stderr)  # noqa: T201 - the log that --log asks for

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Wraps the handler of one call; grpc calls this for each."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(f"/{SERVICE}/"):
            return handler
        shape = (handler.request_streaming, handler.response_streaming)
        behavior = {
            (False, False): handler.unary_unary,
            (False, True): handler.unary_stream,
            (True, False): handler.stream_unary,
            (True, True): handler.stream_stream,
        }[shape]

        async def serve(received: Any, context: Any) -> Any:
            with self._counted(method):
                try:
                    strike = self._decide(handler_call_details)
                except ValueError as error:
                    failure = invalid("metadata", str(error))
                    await context.abort(failure.code, failure.message, tuple(failure.trailers()))
                    raise AssertionError("abort raises") from None
                await asyncio.sleep(strike.fault.delay)
                await strike.reach(0, context)
                if inspect.isasyncgenfunction(behavior):
                    return await _write(behavior(received, context), strike, context)
                if shape[0]:
                    received = strike.while_reading(received, context)
                reply = await behavior(received, context)
                if shape == (False, False):
                    await strike.reach(1, context)
                return reply

        return _FORMS[shape](
            serve,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


async def _write(replies: Any, strike: Strike, context: Any) -> None:
    """Writes a stream of replies, and lets the fault happen among them."""
    messages = 0
    async with aclosing(replies):
        async for reply in replies:
            await context.write(reply)
            messages += 1
            await strike.reach(messages, context)
