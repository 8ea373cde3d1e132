"""The channel on grpcio's asyncio client: calls, their ends, and the connection's state.

It drives; what a status means is decided in `upstream.status` and `grpcio_faults`, how grpcio is
set up in `grpcio_options`. Streams are in `grpcio_stream`. One channel is one HTTP/2 connection.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Any

import grpc
import grpc.aio

from gateway.call import Call, Cancel, Code, Done, Metadata, Reply, RpcError, StreamCall
from gateway.errors import error
from gateway.upstream.channel import AnsweredError, Heard, NotSentError, State, unheard
from gateway.upstream.channel.faults import CLOSED, of_status
from gateway.upstream.channel.grpcio_faults import fault_of
from gateway.upstream.channel.grpcio_options import credentials, options, target
from gateway.upstream.channel.grpcio_stream import StreamRun
from gateway.upstream.channel.queue import Queue
from gateway.upstream.channel.request import (
    complete,
    known,
    late,
    nothing_to_cancel,
    refusal,
    too_large,
)
from gateway.upstream.channel.trouble import Trouble
from gateway.upstream.endpoints import AnyEndpoint
from gateway.upstream.spec import ChannelSpec
from gateway.upstream.status import sent_status

_STATES = {
    grpc.ChannelConnectivity.IDLE: State.IDLE,
    grpc.ChannelConnectivity.CONNECTING: State.CONNECTING,
    grpc.ChannelConnectivity.READY: State.READY,
    grpc.ChannelConnectivity.TRANSIENT_FAILURE: State.FAILING,
    grpc.ChannelConnectivity.SHUTDOWN: State.CLOSED,
}

# grpcio's clock is not the loop's: by so many seconds a deadline may seem not to have passed yet.
_TICK = 0.5

# Core counts a deadline in nanoseconds of 64 bits, so 292 years from now are in the past.
_LONGEST = 1e9  # seconds


class GrpcioChannel:
    """A channel (`gateway.upstream.channel.Channel`) on grpc.aio. Made inside a running loop.

    It connects at once, and again by itself after a failure; a connection that the backend closed
    is opened again by the next call.
    """

    __slots__ = (
        "_channel",
        "_closed",
        "_heard",
        "_idle",
        "_loop",
        "_message_size",
        "_methods",
        "_reached",
        "_runs",
        "_state",
        "_trouble",
        "_unreached",
        "_watching",
        "address",
    )

    def __init__(
        self,
        spec: ChannelSpec,
        endpoint: AnyEndpoint,
        heard: Heard = unheard,
        queue: Queue | None = None,  # noqa: ARG002  grpcio does not tell which calls wait
    ) -> None:
        self.address = str(endpoint)
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._message_size = spec.message_size
        where, settings = target(endpoint), options(spec, endpoint)
        if spec.tls is None:
            self._channel = grpc.aio.insecure_channel(where, settings)
        else:
            self._channel = grpc.aio.secure_channel(where, credentials(spec.tls), settings)
        self._methods: dict[tuple[str, bool], Any] = {}
        self._runs: set[_UnaryRun | StreamRun] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self._trouble = Trouble(self.address, self._loop.time)
        self._state = State.IDLE
        # What a call failed with last, for want of a connection: grpcio tells it of calls alone.
        self._unreached = ""
        # How often there was a connection, as far as was heard of.
        self._reached = 0
        self._watching = self._loop.create_task(self._watch())

    def __repr__(self) -> str:
        return f"GrpcioChannel({self.address}, {self.state.value}, {self.pending} pending)"

    @property
    def pending(self) -> int:
        """The calls in flight."""
        return len(self._runs)

    @property
    def state(self) -> State:
        """How the connection is doing."""
        return self._state

    @property
    def unreached(self) -> str:
        """See Channel: known once a call failed for it."""
        return self._unreached if self._state is State.FAILING else ""

    def start(self, call: Call, done: Done) -> Cancel:
        """Starts a unary call."""
        refused = self._refusal(call) or too_large(len(call.request), self._message_size)
        if refused is not None:
            complete(done, refused, call)
            return nothing_to_cancel
        run = _UnaryRun(self, self._loop, call, done)
        self.entered(run)
        return run.cancel

    async def stream(self, call: StreamCall) -> Metadata:
        """Runs a streaming call."""
        if refused := self._refusal(call):
            raise refused
        failure_of = partial(self.failure, began=self._beginning())
        rpc = self._method(call.method, streams=True)(
            timeout=self._timeout(call), metadata=tuple(call.metadata)
        )
        run = StreamRun(call, rpc, self._message_size, failure_of)
        self.entered(run)
        try:
            return await run.run()
        finally:
            self.left(run)

    async def close(self, grace: float) -> None:
        """Takes no more calls, waits `grace` seconds for those in flight, then ends them."""
        self._closed = True
        if grace > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), grace)
        for run in tuple(self._runs):
            run.end(CLOSED.error())
        self._watching.cancel()
        await self._channel.close(None)
        self._state = State.CLOSED
        self._heard(State.CLOSED)

    def entered(self, run: _UnaryRun | StreamRun) -> None:
        """Counts a call in."""
        self._runs.add(run)
        self._idle.clear()

    def left(self, run: _UnaryRun | StreamRun) -> None:
        """Counts a call out."""
        self._runs.discard(run)
        if not self._runs:
            self._idle.set()

    async def reply(self, call: Call) -> Reply:
        """Makes a unary call.

        Raises:
            RpcError: It ended with another status than OK.
        """
        began = self._beginning()
        rpc = self._method(call.method, streams=False)(
            call.request, timeout=self._timeout(call), metadata=tuple(call.metadata)
        )
        try:
            message = await rpc
        except grpc.aio.AioRpcError as failure:
            raise self.failure(failure, call, began=began) from None
        if message is None:
            # grpcio's way to say that there were trailers with OK, and no message before them.
            self._trouble.note("UPSTREAM_PROTOCOL_ERROR", "OK without a message")
            raise error("UPSTREAM_PROTOCOL_ERROR", "The backend answered OK without a message.")
        return Reply(
            message, Metadata(await rpc.initial_metadata()), Metadata(await rpc.trailing_metadata())
        )

    def failure(self, failure: grpc.aio.AioRpcError, call: Call, *, began: int | None) -> RpcError:
        """Returns what a call failed with: the backend's status, or what the transport met.

        Args:
            failure: As grpcio has it.
            call: The call.
            began: What `_beginning` was when it was started.
        """
        code, text = Code[failure.code().name], failure.details() or ""
        bare = not failure.trailing_metadata()
        fault = of_status(code, text, bare=bare, late=late(call, self._loop.time())) or fault_of(
            code, text, connected=self._connected(), late=self._late(call)
        )
        if fault is not None:
            cause = failure.debug_error_string() or text
            self._trouble.note(fault.reason, cause)
            known = fault.error(cause)
            never_sent = fault.never_sent and began == self._reached
            if never_sent:
                self._unreached = cause
            return NotSentError.of(known) if never_sent else known
        status, trailers = sent_status(code, text, Metadata(failure.trailing_metadata() or ()))
        initial = Metadata(failure.initial_metadata() or ())
        # A head without metadata can't be told from none.
        kind = AnsweredError if initial else RpcError
        return kind(status, metadata=initial + trailers)

    def _beginning(self) -> int | None:
        """Returns what a call is started with; None if there is a connection.

        A call that had one may have been sent. A backend may pass on the words of its own failed
        connection and close in the same moment, so that there is none any more when they are read.
        """
        if _STATES[self._channel.get_state()] is State.READY:
            return None
        return self._reached

    def _connected(self) -> bool:
        """Tells whether a call that has just failed may have been sent.

        One that had no connection fails on a channel that fails: the watcher has heard of that
        before the call's end came; or, where the watcher is behind, the channel is asked now.
        """
        return self._state is State.READY and _STATES[self._channel.get_state()] is State.READY

    def _late(self, call: Call) -> bool:
        timeout = self._timeout(call)
        return timeout is not None and timeout < _TICK

    def _method(self, name: str, *, streams: bool) -> Any:
        """Returns grpcio's callable of a method; made once, bytes in and out."""
        known = self._methods.get((name, streams))
        if known is None:
            make = self._channel.stream_stream if streams else self._channel.unary_unary
            known = self._methods[name, streams] = make("/" + name)
        return known

    def _timeout(self, call: Call) -> float | None:
        if call.deadline is None:
            return None
        return min(call.deadline.remaining(self._loop.time()), _LONGEST)

    def _refusal(self, call: Call) -> RpcError | None:
        return CLOSED.error() if self._closed else refusal(call, self._loop.time())

    async def _watch(self) -> None:
        """Follows the connection's state; woken by grpcio, never by a clock."""
        state = self._channel.get_state(try_to_connect=True)
        while True:
            if _STATES[state] is not self._state:
                before, self._state = self._state, _STATES[state]
                # From connecting to idle it was ready, which has gone by unseen.
                unseen = before is State.CONNECTING and self._state is State.IDLE
                if unseen or self._state is State.READY:
                    self._reached += 1
                    self._unreached = ""
                self._heard(self._state)
            self._trouble.heard(self._state)
            await self._channel.wait_for_state_change(state)
            state = self._channel.get_state()


class _UnaryRun:
    """One unary call: it completes once, or is cancelled."""

    __slots__ = ("_call", "_channel", "_done", "_open", "_task")

    def __init__(
        self, channel: GrpcioChannel, loop: asyncio.AbstractEventLoop, call: Call, done: Done
    ) -> None:
        self._channel = channel
        self._call = call
        self._done = done
        self._open = True
        self._task: asyncio.Task[None] | None = loop.create_task(self._run())

    def cancel(self) -> None:
        """Ends the call without an answer."""
        if self._open:
            self._open = False
            self._channel.left(self)
            self._cancel()

    def end(self, failure: RpcError) -> None:
        """Ends the call with `failure`."""
        self._finish(failure)
        self._cancel()

    def _cancel(self) -> None:
        # Cancelled, it has this in its traceback: neither is to wait for a garbage collector.
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    async def _run(self) -> None:
        try:
            self._finish(await self._channel.reply(self._call))
        except Exception as failure:  # noqa: BLE001  what is no RpcError is logged as a bug
            self._finish(known(failure, self._call))

    def _finish(self, result: Reply | RpcError) -> None:
        if self._open:
            self._open = False
            self._channel.left(self)
            complete(self._done, result, self._call)
