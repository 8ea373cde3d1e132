"""An upstream: the endpoints of a backend service, and which of them takes a call.

It holds the nodes, follows their listings, and lets go of those that are not listed any more when
their calls have ended. Who takes a call is decided in `standing`, how often it is made in
`attempts`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from random import random as chance
from time import monotonic
from typing import Final, NamedTuple, Protocol

from gateway.call import Call, Cancel, Done, Metadata, RpcError, Stream, StreamCall, Unary
from gateway.errors import error
from gateway.upstream.attempts.alarms import Alarms
from gateway.upstream.attempts.breaker import Breaker
from gateway.upstream.attempts.budget import Budget
from gateway.upstream.attempts.counts import Counts
from gateway.upstream.attempts.stream import run_stream
from gateway.upstream.attempts.unary import UnaryAttempts
from gateway.upstream.balancers import Senses
from gateway.upstream.channel import MakeChannel
from gateway.upstream.channel.queue import Queue
from gateway.upstream.channel.request import nothing_to_cancel
from gateway.upstream.endpoints import AnyEndpoint, Listing
from gateway.upstream.health.checks import HealthChecks
from gateway.upstream.later import CallAt, call_at
from gateway.upstream.lobby import Lobby
from gateway.upstream.manner import Manner
from gateway.upstream.node import Cause, Node
from gateway.upstream.outliers.outliers import Outliers
from gateway.upstream.resolvers.following import Following
from gateway.upstream.spec import RetrySpec, UpstreamSpec
from gateway.upstream.standing import Standing
from gateway.upstream.transports import transport_of

DRAIN_SECONDS: Final = 300.0
"""How long the calls of an endpoint that is not listed any more may take."""


class Watcher(Protocol):
    """Follows the nodes of an open upstream: where they are, how they do."""

    def configure(self, spec: UpstreamSpec) -> None:
        """Takes over what it is to do: at first, and whenever that has changed."""

    def joined(self, node: Node) -> None:
        """Hears of a node that is listed now."""

    def gone(self, node: Node) -> None:
        """Hears of a node that is not listed any more."""

    def heard(self, node: Node) -> None:
        """Hears of a node whose connections have come to another state."""

    def checked(self, node: Node, *, well: bool) -> None:
        """Hears of each answer to a health check: that the node is well now, or that it was bad."""

    async def close(self) -> None:
        """Ends."""


WATCHERS: Final[Sequence[Callable[[Upstream], Watcher]]] = (Following, HealthChecks, Outliers)
"""What watches each upstream."""


class Taking(NamedTuple):
    """What takes the calls of a method."""

    start: Unary
    stream: Stream


class Upstream:
    """A set of nodes that takes calls as one. To be opened inside a running loop.

    Attributes:
        name: Its name in the config.
        spec: What it is made of now.
        nodes: Those that are listed, by address, in the order of their listings.
        leaving: Those that are not listed any more, and still have calls.
        standing: Which of the nodes takes a call.
        clock: The event loop's, in seconds.
        random: Returns a number in [0, 1).
        queue: The calls that wait for a connection.
        lobby: Where calls wait while it is not known where any endpoint is; else None.
        unresolved: Why its endpoints could not be looked up the last time; empty where they could.
        breaker: How much is asked of it at a time.
        budget: How much of that may be made again.
        counts: What became of its calls.
        alarms: What of its calls is to happen later.
        start: Makes a unary call (`gateway.call.Unary`), one of which nothing is known.
        stream: Runs a streaming call (`gateway.call.Stream`), likewise.
    """

    def __init__(
        self,
        spec: UpstreamSpec,
        make: MakeChannel,
        *,
        clock: Callable[[], float],
        random: Callable[[], float] = chance,
        call_at: CallAt = call_at,
    ) -> None:
        self.name = spec.name
        self.spec = spec
        self.nodes: dict[AnyEndpoint, Node] = {}
        self.leaving: dict[Node, asyncio.Task[None]] = {}
        self.clock = clock
        self.random = random
        self.queue = Queue(spec.breaker.pending, spec.name)
        self.breaker = Breaker(spec.name, spec.breaker)
        self.budget = Budget(spec.retries or RetrySpec(), clock())
        self.counts = Counts()
        self.alarms = Alarms(clock, call_at)
        self.standing = Standing(spec.balancing, Senses(clock, random))
        self.start, self.stream = self.taking(Manner())
        self._make = make
        self.lobby: Lobby | None = None
        self.unresolved = ""
        self._watchers: tuple[Watcher, ...] = ()
        self._closed = False
        self._stale = True

    def open(self) -> None:
        """Has its channels begin to connect, and its watchers to watch."""
        self._watchers = tuple(make(self) for make in WATCHERS)
        for watcher in self._watchers:
            watcher.configure(self.spec)
        if self.spec.endpoints:
            self.update(self.spec.endpoints)

    def __repr__(self) -> str:
        return f"Upstream({self.name}, {list(self.nodes.values())})"

    @property
    def pending(self) -> int:
        """The calls in flight, those that ask for health among them."""
        return sum(node.channel.pending for node in (*self.nodes.values(), *self.leaving))

    def taking(self, manner: Manner) -> Taking:
        """Returns what takes the calls of a method."""

        def start(call: Call, done: Done) -> Cancel:
            self.counts.calls += 1
            if call.record is not None:
                call.record.upstream = self.name
            if self.lobby is not None:
                return self.lobby.start(call, done, begin)
            return begin(call, done)

        def begin(call: Call, done: Done) -> Cancel:
            if self.breaker.full:
                self.counts.refused += 1
                done(self.breaker.refusal())
                return nothing_to_cancel
            attempts = UnaryAttempts(self, manner, call, done)
            attempts.begin()
            return attempts.cancel

        async def stream(call: StreamCall) -> Metadata:
            self.counts.calls += 1
            if call.record is not None:
                call.record.upstream = self.name
            if self.lobby is not None:
                await self.lobby.stream(call)
            return await run_stream(self, manner, call)

        return Taking(start, stream)

    def update(self, listings: Iterable[Listing]) -> None:
        """Takes over which endpoints there are. Those that were there keep all that they have."""
        if self._closed:
            return
        listed = {each.endpoint: each for each in listings}
        before, self.nodes = self.nodes, {}
        for endpoint, listing in listed.items():
            node = before.pop(endpoint, None)
            if node is None:
                node = self._joined(listing)
            else:
                node.listed(listing)
            self.nodes[endpoint] = node
        self.changed()
        for node in before.values():
            self._leave(node)
        lobby, self.lobby = self.lobby, None
        if lobby is not None:
            lobby.admit()

    def configure(self, spec: UpstreamSpec) -> None:
        """Takes over what has changed. Its channels can't."""
        before, self.spec = self.spec, spec
        if spec.balancing != before.balancing:
            self.standing = Standing(spec.balancing, Senses(self.clock, self.random))
            self.changed()
        self.queue.most = spec.breaker.pending
        self.breaker.configure(spec.breaker)
        self.budget.configure(spec.retries or RetrySpec())
        if spec == before:
            return
        for watcher in self._watchers:
            watcher.configure(spec)
        # Where there is a resolver now, the nodes stay until it has found its own.
        if spec.endpoints and spec.endpoints != before.endpoints:
            self.update(spec.endpoints)

    def changed(self) -> None:
        """Has it be decided again, with the next call, which nodes may take calls."""
        self._stale = True

    def checked(self, node: Node, *, well: bool) -> None:
        """Has all that watch hear of an answer to a health check (Watcher)."""
        for watcher in self._watchers:
            watcher.checked(node, well=well)

    def pick(self, key: bytes | None, avoid: Collection[Node]) -> Node | None:
        """Returns the node that takes the next call; None where all are to be avoided.

        Args:
            key: What calls that are to go to one node have in common; None for nothing.
            avoid: Nodes on which this call was tried before.
        """
        if self._stale:
            self._decide()
        return self.standing.pick(key, avoid)

    def pressed(self) -> Collection[Node]:
        """Returns the nodes that take calls though they are out, for too few others do: panic."""
        if self._stale:
            self._decide()
        return self.standing.pressed

    def _decide(self) -> None:
        self._stale = False
        self.standing.update(tuple(self.nodes.values()))

    def nobody(self) -> RpcError:
        """Returns what a call ends with for which there is no node."""
        return error("UPSTREAM_UNAVAILABLE", "The backend cannot be reached.")

    async def close(self, grace: float) -> None:
        """Takes no more calls, waits `grace` seconds for those in flight, then ends them."""
        self._closed = True
        await asyncio.gather(*(watcher.close() for watcher in self._watchers))
        leaving = tuple(self.leaving.values())
        for task in leaving:
            task.cancel()
        nodes = (*self.nodes.values(), *self.leaving)
        await asyncio.gather(*(node.channel.close(grace) for node in nodes))
        await asyncio.gather(*leaving, return_exceptions=True)
        self.alarms.end()

    def _joined(self, listing: Listing) -> Node:
        # The channel tells of its state, and so may while it is being made.
        node: Node | None = None

        def heard(state: object) -> None:  # noqa: ARG001  the channel is asked
            if node is not None:
                node.heard(node.channel.state)
                for watcher in self._watchers:
                    watcher.heard(node)

        channel = self._make(self.spec.channel, listing.endpoint, heard, self.queue)
        node = Node(listing, channel, self.clock, self.changed)
        for watcher in self._watchers:
            watcher.joined(node)
        return node

    def _leave(self, node: Node) -> None:
        """Closes a node when its calls have ended."""
        task = asyncio.get_running_loop().create_task(node.channel.close(DRAIN_SECONDS))
        self.leaving[node] = task
        task.add_done_callback(lambda _: self.leaving.pop(node, None))
        for watcher in self._watchers:
            watcher.gone(node)
        node.take_out(Cause.LEAVING, "it is not listed any more")


def build(spec: UpstreamSpec) -> Upstream:
    """Makes an upstream, whose channels begin to connect. To be called inside a running loop.

    Raises:
        ValueError: There is no such transport.
    """
    loop = asyncio.get_running_loop()
    # The same clock as the loop's, which uvloop tells in milliseconds: answers take less.
    clock = monotonic if sys.platform == "linux" else loop.time
    upstream = Upstream(spec, transport_of(spec.channel.transport), clock=clock)
    upstream.open()
    return upstream
