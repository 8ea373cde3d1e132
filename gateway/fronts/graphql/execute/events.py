"""A subscription: a server stream, each message of which is an event that the plan is run for.

Events may also come from an async iterator that a resolver in Python has made.

What an event needs besides is asked for anew, so nothing is stale. The next message is taken from
the backend when the response to the one before has been taken by the client: a slow client slows
its stream, and nothing else. Each event tells the headers of its own calls; those of the stream
itself are told with the first event after they were said, or with its refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

from google.protobuf.message import DecodeError
from graphql import GraphQLError
from graphql.execution.values import VariableValues

from gateway.call import Call, RpcError
from gateway.fronts.graphql.errors import RequestError, refused_by
from gateway.fronts.graphql.execute.answer import input_error, response
from gateway.fronts.graphql.execute.asking import AskedStream
from gateway.fronts.graphql.execute.headers import NO_HEADERS, Headers, merged
from gateway.fronts.graphql.execute.loading import not_a_message
from gateway.fronts.graphql.execute.run import Run, Soon
from gateway.fronts.graphql.execute.trouble import Note
from gateway.fronts.graphql.plan.denials import Denied
from gateway.fronts.graphql.plan.plan import Fetch, Plan, Resolver
from gateway.fronts.graphql.plan.python import PythonEdge
from gateway.fronts.graphql.plan.values import told
from gateway.fronts.graphql.plan.writing import InputError
from gateway.routing.caller import Caller

Emit = Callable[[bytes], Awaitable[None]]


class Events:
    """One subscription.

    Args:
        plan: Of a subscription.
        variables: Coerced.
        caller: Who subscribes.
        soon: As of a run.
        context: Makes what resolvers in Python are told, for each event anew.
    """

    def __init__(
        self,
        plan: Plan,
        variables: VariableValues,
        caller: Caller,
        soon: Soon,
        context: Callable[[Caller, list[Headers]], object],
    ) -> None:
        self._plan = plan
        self._variables = variables
        self._caller = caller
        self._soon = soon
        self._context = context

    async def run(self, emit: Emit) -> None:
        """Emits the response to each event until the stream ends.

        Raises:
            RequestError: An argument is wrong, or the stream failed.
        """
        if not self._plan.fetches:
            denied = next(each for each in self._plan.edges if isinstance(each, Denied))
            raise refused_by(denied.failure())
        fetch = self._plan.fetches[0]
        if isinstance(fetch, Resolver):
            await self._python(fetch.edge, emit)
        else:
            await self._stream(fetch, emit)

    async def _python(self, edge: PythonEdge, emit: Emit) -> None:
        """Takes the next event of a resolver when the client has taken the one before."""
        label = edge.told.label
        heard: list[Headers] = []
        try:
            events = edge.events(self._context(self._caller, heard), self._variables)
            if isawaitable(events):
                events = await events
        except Exception as failure:
            raise _refused(failure, label) from failure
        try:
            while True:
                try:
                    event = await anext(events)
                except StopAsyncIteration:
                    return
                except Exception as failure:
                    raise _refused(failure, label) from failure
                own = merged(heard, len(heard) + 1)
                heard.clear()
                await emit(await self._response(event, own))
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    async def _stream(self, fetch: Fetch, emit: Emit) -> None:
        try:
            request = fetch.request(self._variables)
        except InputError as wrong:
            raise RequestError([input_error(wrong)]) from wrong

        async def event(data: bytes) -> None:
            try:
                message = fetch.reply.FromString(data)
            except DecodeError as failure:
                raise not_a_message(fetch.method.descriptor.name) from failure
            await emit(await self._response(message, untold.take()))

        call = self._caller.call(fetch.method.descriptor.name, request)
        if call.record is not None:
            call.record.path = fetch.name
        stream = AskedStream.of(call, event)
        untold = _Untold(stream)
        try:
            await fetch.method.stream(stream)
        except RpcError as failure:
            raise refused_by(failure, untold.take()) from failure

    async def _response(self, message: object, own: Headers = NO_HEADERS) -> bytes:
        """Returns the response to one event.

        Args:
            message: What came.
            own: The headers that the stream itself has to tell.
        """
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def done(data: str, notes: list[Note], headers: Headers) -> None:
            if not waiting.done():
                # An event is kept by nobody: it never has as many calls as would allow that.
                told = merged([own, headers], calls=3) if own else headers
                waiting.set_result(response(data, notes, told))

        heard: list[Headers] = []
        run = Run(
            self._plan,
            self._variables,
            self._caller,
            self._soon,
            done,
            context=self._context(self._caller, heard),
            heard=heard,
        )
        cancel = run.follow(message)
        try:
            return await waiting
        except asyncio.CancelledError:
            cancel()
            raise


class _Untold:
    """The headers of a stream, each told once as long as it says the same.

    Args:
        call: The stream's; its gates say headers, and may say others while it runs.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._told: Headers = NO_HEADERS

    def take(self) -> Headers:
        """Returns those that were not told."""
        said = self._call.reply_headers
        if not said or said == self._told:
            return NO_HEADERS
        new = {name: value for name, value in said.items() if self._told.get(name) != value}
        self._told = dict(said)
        return new


def _refused(failure: Exception, label: str) -> RequestError:
    """Returns why a subscription that Python makes can't go on."""
    shown = told(failure, label)
    if isinstance(shown, InputError):
        return RequestError([input_error(shown)])
    if isinstance(shown, RpcError):
        return refused_by(shown)
    return RequestError([GraphQLError(str(shown), extensions=getattr(shown, "extensions", None))])
