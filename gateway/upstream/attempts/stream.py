"""A streaming call on its way through the nodes of an upstream.

It goes on to the next node, each once and a few in a row, where no node saw it; and is made again
after a wait where it failed before the backend began to answer, and making it twice does no harm.
It is never hedged or moved, and has no time of its own for an attempt: how long a stream is silent
says nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.call import Code, Metadata, RpcError, StreamCall
from gateway.record import AttemptRecord
from gateway.upstream.attempts.backoff import backoff
from gateway.upstream.attempts.further import counted
from gateway.upstream.attempts.heeded import Heeded
from gateway.upstream.attempts.pushback import NEVER, pushback_of
from gateway.upstream.attempts.replay import Replay
from gateway.upstream.attempts.reserve import reserve
from gateway.upstream.attempts.retryable import MOST_UNSEEN, NO_RETRIES, is_retryable
from gateway.upstream.attempts.traced import told
from gateway.upstream.channel import NotSentError, RefusedError
from gateway.upstream.manner import Manner, Repeats
from gateway.upstream.node import Node
from gateway.upstream.spec import RetrySpec

if TYPE_CHECKING:
    from gateway.upstream.upstream import Upstream


async def run_stream(upstream: Upstream, manner: Manner, call: StreamCall) -> Metadata:
    """Runs a call.

    Raises:
        RpcError: It ended with another status than OK.
    """
    breaker = upstream.breaker
    if breaker.full:
        upstream.counts.refused += 1
        raise breaker.refusal()
    breaker.requests += 1
    upstream.budget.called(upstream.clock())
    policy = upstream.spec.retries or NO_RETRIES
    replay: Replay | None = None
    if policy.attempts > 1 and manner.repeats >= Repeats.IDEMPOTENT:
        replay = Replay(call)
    attempts = _StreamAttempts(upstream, policy, call, replay)
    try:
        return await attempts.run(None if manner.key is None else manner.key(call))
    finally:
        breaker.requests -= 1
        if replay is not None:
            await replay.close()


class _StreamAttempts:
    """The attempts of one call.

    Args:
        upstream: Whose nodes make them.
        policy: How often.
        call: The call.
        replay: The same, where it may be made again though a backend has seen it; else None.
    """

    def __init__(
        self, upstream: Upstream, policy: RetrySpec, call: StreamCall, replay: Replay | None
    ) -> None:
        self._upstream = upstream
        self._policy = policy
        self._call = call
        self._replay = replay
        self._tried: tuple[Node, ...] = ()
        # As of the unary ones: attempts that a backend may have seen, and those that are bounded.
        self._made = 0
        self._tries = 1
        self._waits = 0
        # Whether a server refused it unread.
        self._refused = False

    async def run(self, key: bytes | None) -> Metadata:
        """Makes attempts until one has ended the call."""
        again = False
        while True:
            try:
                return await self._round(key, again=again)
            except RpcError as failure:
                wait = self._wait(failure)
                if wait is None:
                    if failure.reason == "CIRCUIT_OPEN":  # of those that wait for a connection
                        self._upstream.counts.refused += 1
                    raise
            await self._pause(wait)
            self._tries += 1
            self._upstream.counts.retries += 1
            again = True

    async def _round(self, key: bytes | None, *, again: bool) -> Metadata:
        """Makes one attempt, on the next node where one does not see it.

        Args:
            key: What keeps the call with others.
            again: Whether a place at the breaker is to be given back.
        """
        upstream = self._upstream
        failure: RpcError | None = None
        try:
            node = upstream.pick(key, self._tried)
            if node is None or (node.out and self._tried):
                self._tried = ()
                node = upstream.pick(key, ())
            unseen = 0
            while node is not None and unseen < MOST_UNSEEN:
                self._tried = (*self._tried, node)
                try:
                    return await self._attempt(node)
                except NotSentError as unsent:
                    upstream.counts.unsent += 1
                    unseen += 1
                    failure = unsent
                node = upstream.pick(key, self._tried)
                if isinstance(failure, RefusedError):
                    node = None if self._refused else node or upstream.pick(key, ())
                    self._refused = True
            raise failure or upstream.nobody()
        finally:
            failure = None  # it has this in its traceback: neither waits for a garbage collector
            if again:
                upstream.breaker.retries -= 1

    async def _attempt(self, node: Node) -> Metadata:
        self._upstream.counts.attempts += 1
        call: StreamCall = self._call
        metadata, span = call.metadata, None
        if call.record is not None and call.record.span is not None:
            metadata, span = told(metadata, call.record)
        if self._replay is not None:
            call = self._replay
            self._replay.rewind(counted(metadata, self._made))
        elif span is not None:
            call.metadata = metadata
        heeded: Heeded | None = None
        if node.record is not None:
            call = heeded = Heeded(call, node.record)
        clock = self._upstream.clock
        began = clock()
        if call.record is not None:
            call.record.tries(node.channel.address, began)
        node.started()
        try:
            trailers = await node.channel.stream(call)
        except NotSentError as unsent:
            node.left()
            self._note(node, began, unsent.status.code, unsent, span)
            raise
        except RpcError as failure:
            self._made += 1
            self._note(node, began, failure.status.code, failure, span)
            answered = heeded is not None and heeded.answered
            node.stream_ended(failure, clock() - began, answered=answered)
            raise
        except BaseException:
            node.left()
            self._note(node, began, None, None, span)
            raise
        node.stream_ended(trailers, clock() - began)
        self._note(node, began, Code.OK, None, span)
        return trailers

    def _note(
        self,
        node: Node,
        began: float,
        code: Code | None,
        failure: RpcError | None,
        span: str | None,
    ) -> None:
        """Takes down how an attempt ended, where somebody asks."""
        record = self._call.record
        if record is not None:
            record.tried(
                AttemptRecord(
                    record.upstream,
                    node.channel.address,
                    began,
                    self._upstream.clock(),
                    code,
                    failure,
                    seen=not isinstance(failure, NotSentError),
                    span=span,
                    out=node.out_for,
                )
            )

    def _wait(self, failure: RpcError) -> float | None:
        """Returns the seconds until the call is made again, which is paid for; None for never."""
        upstream, policy = self._upstream, self._policy
        if self._made and (self._replay is None or self._replay.committed):
            return None
        if self._tries >= policy.attempts:
            return None
        if not is_retryable(failure, policy.on, timed_out=False):
            return None
        wait = pushback_of(failure.metadata)
        if wait == NEVER:
            return None
        if wait is None:
            self._waits += 1
            wait = backoff(policy, self._waits, upstream.random)
        else:
            self._waits = 0
        now = upstream.clock()
        deadline = self._call.deadline
        if deadline is not None and deadline.at <= now + wait:
            return None
        return wait if reserve(upstream, now, self._call.record) else None

    async def _pause(self, seconds: float) -> None:
        """Waits; whoever does not want the call any more leaves with what was paid for it."""
        upstream = self._upstream
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def ring() -> None:
            if not over.done():
                over.set_result(None)

        alarm = upstream.alarms.set(upstream.clock() + seconds, ring)
        try:
            await over
        except BaseException:
            upstream.alarms.turn_off(alarm)
            upstream.breaker.retries -= 1
            raise
