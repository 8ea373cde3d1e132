"""The channel on our own HTTP/2: calls, and the connections that carry them.

Calls go to a connection with room. Where none has any, they wait, and a further connection is
opened. A channel begins to connect at once; while it fails to, it tries again by itself, later and
later, and calls fail fast meanwhile. A connection that the backend ends is replaced by the next
call. What is written and read is `native_connection`'s business, what a call makes of it that of
`native_unary` and `native_stream`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Final, TypeAlias

from gateway import __version__
from gateway.call import Call, Cancel, Done, Metadata, StreamCall
from gateway.upstream.channel import Heard, State, unheard
from gateway.upstream.channel.backoff import delay
from gateway.upstream.channel.deadlines import NEVER, Deadlines
from gateway.upstream.channel.faults import CLOSED, UNREACHABLE
from gateway.upstream.channel.keepalive import backed_off
from gateway.upstream.channel.native_connect import NotConnected, connect
from gateway.upstream.channel.native_connection import NativeConnection
from gateway.upstream.channel.native_stream import StreamRun
from gateway.upstream.channel.native_unary import UnaryRun
from gateway.upstream.channel.native_waiting import Waiting
from gateway.upstream.channel.queue import Queue
from gateway.upstream.channel.request import (
    check_size,
    complete,
    known,
    nothing_to_cancel,
    past_deadline,
)
from gateway.upstream.channel.request_block import RequestBlocks
from gateway.upstream.channel.trouble import Trouble
from gateway.upstream.endpoints import AnyEndpoint
from gateway.upstream.spec import ChannelSpec
from gateway.wire.frames import ErrorCode
from gateway.wire.hpack import Decoder
from gateway.wire.settings import Limits

_Run: TypeAlias = UnaryRun | StreamRun

MOST_CONNECTIONS: Final = 64
"""Connections to one endpoint, however few streams it allows on each."""

_IDLE_SECONDS: Final = 60.0  # until a connection that was opened for the crowd is closed again
_SHORT_LIFE: Final = 5.0  # seconds: a connection that ends sooner, unused, is like none
_LAST_WORDS: Final = 1.0  # seconds for sockets to close
_ABANDONED: Final = "it drains, and the backend has closed its connections"
_AGENT: Final = f"grpc-api-gateway {__version__}"
_LIMITS: Final = Limits()

# Field blocks are the same whoever sends them, so all channels share what was decoded.
_DECODER: Final = Decoder()


class NativeChannel:
    """A channel (`gateway.upstream.channel.Channel`) on our own HTTP/2. Made in a running loop.

    Attributes:
        address: The endpoint, for operators.
        loop: The loop that it lives in.
        message_size: The largest message either way, in bytes.
        runs: The calls under way.
        trouble: What operators are told.
    """

    __slots__ = (
        "_blocks",
        "_closed",
        "_connecting",
        "_connections",
        "_endpoint",
        "_failing",
        "_heard",
        "_idle",
        "_keepalive",
        "_spec",
        "_told",
        "_trimming",
        "_useless",
        "_waiting",
        "address",
        "loop",
        "message_size",
        "runs",
        "trouble",
    )

    def __init__(
        self,
        spec: ChannelSpec,
        endpoint: AnyEndpoint,
        heard: Heard = unheard,
        queue: Queue | None = None,
    ) -> None:
        self.address = str(endpoint)
        self._heard = heard
        self._told = State.IDLE
        self.loop = asyncio.get_running_loop()
        self.message_size = spec.message_size
        self.runs: Deadlines[_Run] = Deadlines(self.loop)
        self.trouble = Trouble(self.address, self.loop.time)
        self._spec = spec
        self._endpoint = endpoint
        self._keepalive = spec.keepalive
        name = spec.tls.server_name if spec.tls is not None else None
        self._blocks = RequestBlocks(
            secure=spec.tls is not None, authority=name or endpoint.authority, agent=_AGENT
        )
        self._connections: list[NativeConnection] = []
        self._connecting: asyncio.Task[None] | None = None
        self._trimming: asyncio.TimerHandle | None = None
        # Why there is no connection, while attempts to connect fail.
        self._failing: NotConnected | None = None
        self._waiting = Waiting(self.loop, queue or Queue())
        # Connections in a row that the backend ended, soon and without a call on them.
        self._useless = 0
        self._closed = False
        self._idle: asyncio.Event | None = None
        self._connect()

    def __repr__(self) -> str:
        return f"NativeChannel({self.address}, {self.state.value}, {self.pending} pending)"

    @property
    def pending(self) -> int:
        """The calls in flight."""
        return len(self.runs)

    @property
    def state(self) -> State:
        """How the connections are doing."""
        if any(not connection.http.gone for connection in self._connections):
            return State.READY
        if self._failing is not None:
            return State.FAILING
        if self._connecting is not None:
            return State.CONNECTING
        return State.CLOSED if self._closed else State.IDLE

    @property
    def unreached(self) -> str:
        """See Channel."""
        failing = self._failing
        return failing.cause if failing is not None and self.state is State.FAILING else ""

    def start(self, call: Call, done: Done) -> Cancel:
        """Starts a unary call."""
        try:
            self._check_open()
            block = self.block(call)
            check_size(call.request, self.message_size)
        except Exception as failure:  # noqa: BLE001  what is no RpcError is logged as a bug
            complete(done, known(failure, call), call)
            return nothing_to_cancel
        run = UnaryRun(self, call, done, block)
        self.runs.add(run, NEVER if call.deadline is None else call.deadline.at)
        self.place(run)
        return run.cancel

    async def stream(self, call: StreamCall) -> Metadata:
        """Runs a streaming call."""
        self._check_open()
        run = StreamRun(self, call, self.block(call))
        self.runs.add(run, NEVER if call.deadline is None else call.deadline.at)
        return await run.run()

    async def close(self, grace: float) -> None:
        """Takes no more calls, waits `grace` seconds for those in flight, then ends them."""
        self._closed = True
        self._idle = self._idle or asyncio.Event()  # one that closes already waits for the same
        await self._quiet(grace)
        for run in self.runs.runs():
            run.stop(CLOSED.error())
        await self._quiet(_LAST_WORDS)
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        if self._trimming is not None:
            self._trimming.cancel()
        self.runs.stop()
        self._failing = None
        self._tell()
        await asyncio.gather(*(each.close(_LAST_WORDS) for each in tuple(self._connections)))

    # What its calls ask for.

    def place(self, run: _Run) -> None:
        """Gives a call to a connection, now or when there is one with room, or ends it."""
        connection = self._pick()
        if connection is not None:
            run.begin(connection)
        elif self._failing is not None:
            run.never(self._failing.fault, self._failing.cause)
        elif self._abandoned():
            run.never(UNREACHABLE, _ABANDONED)
        elif self._waiting.add(run):
            self._connect()

    def left(self, run: _Run, connection: NativeConnection | None) -> None:
        """Counts a call out, which `connection` carried."""
        self.runs.remove(run)
        if connection is None:
            self._waiting.drop(run)
        elif connection.http.gone:
            self._tell()
            connection.close_when_idle()
        elif self._waiting:
            self._place_waiting()
        if self._idle is not None and not self.runs:
            self._idle.set()

    # What its connections tell (native_connection.Owner).

    def opened(self, connection: NativeConnection) -> None:
        """See Owner."""
        if self._waiting and connection in self._connections:
            self._place_waiting()

    def draining(self, code: ErrorCode, debug: bytes) -> None:
        """See Owner."""
        if code is ErrorCode.ENHANCE_YOUR_CALM and b"too_many_pings" in debug:
            self._keepalive = backed_off(self._keepalive)
        if code is not ErrorCode.NO_ERROR:
            self.trouble.note("GOAWAY", f"{code.name}: {debug[:200]!r}")
        self._tell()
        self._abandon()

    def lost(self, connection: NativeConnection) -> None:
        """See Owner."""
        if connection in self._connections:
            self._connections.remove(connection)
            lived = self.loop.time() - connection.began
            useless = lived < _SHORT_LIFE and not connection.http.used
            self._useless = self._useless + 1 if useless else 0
        if self._waiting or self._usable():
            self._connect()
        self._tell()
        self._abandon()

    # Its connections.

    def _tell(self) -> None:
        """Tells of the state, where it is another one than was told."""
        state = self.state
        if state is not self._told:
            self._told = state
            self._heard(state)

    def _pick(self) -> NativeConnection | None:
        """Returns the connection with the fewest calls that has room, or None."""
        connections = self._connections
        if len(connections) == 1:
            return connections[0] if connections[0].room > 0 else None
        best: NativeConnection | None = None
        for connection in connections:
            if connection.room > 0 and (
                best is None or len(connection.http.streams) < len(best.http.streams)
            ):
                best = connection
        return best

    def _place_waiting(self) -> None:
        while self._waiting:
            connection = self._pick()
            if connection is None:
                self._connect()
                return
            self._waiting.first().begin(connection)

    def _usable(self) -> int:
        return sum(not connection.http.gone for connection in self._connections)

    def _wanted(self) -> int:
        """Returns how many connections there are to be, at least."""
        # A backend that allows no streams now, or does not read, would not on a further connection.
        if self._waiting and not any(
            each.blocked or not each.http.most_streams for each in self._connections
        ):
            return MOST_CONNECTIONS
        return self._spec.connections

    def _connect(self) -> None:
        """Begins to connect, unless that is going on, or nothing asks for it."""
        if self._connecting is None and not self._closed and self._usable() < self._wanted():
            self._connecting = self.loop.create_task(self._connect_until_connected())
            self._connecting.add_done_callback(self._connect_ended)
            self._tell()

    async def _connect_until_connected(self) -> None:
        failures = self._useless
        if failures:
            await asyncio.sleep(delay(failures, random.random))
        while True:
            began = self.loop.time()
            try:
                connection = await connect(self._endpoint, self._spec.tls, self._make_connection)
            except NotConnected as failure:
                failures += 1
                self._not_connected(failure)
            else:
                self._failing = None
                self.trouble.heard(State.READY)
                self._connections.append(connection)
                self._tell()
                self._place_waiting()
                return
            await asyncio.sleep(began + delay(failures, random.random) - self.loop.time())
            if self._usable() and not self._waiting:
                return  # a further one, which nobody waits for any more

    def _make_connection(self) -> NativeConnection:
        return NativeConnection(self, self.loop, _DECODER, _LIMITS, self._keepalive)

    def _connect_ended(self, task: asyncio.Task[None]) -> None:
        self._connecting = None
        if task.cancelled():
            return
        if failure := task.exception():
            self.trouble.bug(failure)
        self._connect()
        self._tell()
        self._abandon()
        if self._usable() > self._spec.connections and self._trimming is None:
            self._trimming = self.loop.call_later(_IDLE_SECONDS, self._trim)

    def _not_connected(self, failure: NotConnected) -> None:
        if self._usable():
            self.trouble.note(failure.fault.reason, failure.cause)
            return
        if self._failing is None:
            self.trouble.heard(State.FAILING)
        self._failing = failure
        self._tell()
        self.trouble.note(failure.fault.reason, failure.cause)
        self._waiting.send_away(failure.fault, failure.cause)

    def _abandoned(self) -> bool:
        """Whether no call will be sent any more: it closes, and its connections have gone."""
        return self._closed and self._connecting is None and not self._usable()

    def _abandon(self) -> None:
        """Sends away who waits for a connection that will not come."""
        if self._waiting and self._abandoned():
            self._waiting.send_away(UNREACHABLE, _ABANDONED)

    def _trim(self) -> None:
        """Closes connections that were opened for a crowd that has gone."""
        self._trimming = None
        surplus = self._usable() - self._spec.connections
        for connection in tuple(self._connections):
            if surplus > 0 and not connection.http.streams and not connection.http.gone:
                surplus -= 1
                connection.http.gone = True
                connection.close_when_idle()
        if surplus > 0:
            self._trimming = self.loop.call_later(_IDLE_SECONDS, self._trim)

    # Calls.

    def _check_open(self) -> None:
        """Lets no call in once it closes; those that are in may still be sent, and sent anew."""
        if self._closed:
            raise CLOSED.error()

    def block(self, call: Call) -> bytes:
        """Returns a call's field block.

        Raises:
            RpcError: The call can't be sent.
        """
        remaining = None
        if call.deadline is not None:
            remaining = call.deadline.remaining(self.loop.time())
            if remaining <= 0:
                raise past_deadline()
        return self._blocks.block(call, remaining)

    async def _quiet(self, seconds: float) -> None:
        """Waits until no call is under way, `seconds` at most."""
        if self.runs and seconds > 0 and self._idle is not None:
            self._idle.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)
