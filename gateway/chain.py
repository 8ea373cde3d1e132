"""A method as fronts see it: what the proto says of it, and the chain that its calls pass.

A chain is composed once, when a generation is built, from the method's policies in order. A policy
is a Gate, an Observer, both, or an Around (`gateway.call`). Neighbouring gates and observers become
one function, so a unary call costs no task and no future but where an Around stands; a method
without policies *is* its upstream.

What holds for every chain:
- gates are asked in order; the first refusal ends the call;
- observers hear in reverse order, exactly once, and only of calls that came as far as they stand;
- an exception that is no RpcError is a bug: it is logged, and the client sees INTERNAL.

This module decides no order: `gateway.app` does, where the generation is built.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import TypeAlias, cast

from gateway.call import (
    OK,
    Around,
    Call,
    Cancel,
    Code,
    Done,
    Gate,
    Metadata,
    Observer,
    Outcome,
    Reply,
    RpcError,
    Status,
    Stream,
    StreamCall,
    Unary,
)
from gateway.errors import error
from gateway.schema.method import MethodDescriptor

log = logging.getLogger(__name__)

Policy: TypeAlias = Gate | Observer | Around

_CANCELLED = Outcome(Status(Code.CANCELLED, "The client cancelled the call."))


class Method:
    """One RPC, ready to be called: its descriptor and its composed chain.

    Attributes:
        descriptor: What the proto says.
        policies: What its calls pass, in order.
        start: Makes a unary call (`gateway.call.Unary`).
        stream: Runs a streaming call (`gateway.call.Stream`).
    """

    __slots__ = ("descriptor", "policies", "start", "stream")

    def __init__(
        self, descriptor: MethodDescriptor, policies: Sequence[Policy], unary: Unary, stream: Stream
    ) -> None:
        self.descriptor = descriptor
        self.policies = tuple(policies)
        self.start = compose_unary(policies, unary)
        self.stream = compose_stream(policies, stream)

    def __repr__(self) -> str:
        return f"Method({self.descriptor.name})"

    async def call(self, call: Call) -> Reply:
        """Makes a unary call and waits for its reply; cancelling the waiter cancels the call.

        Raises:
            RpcError: The call ended with another status than OK.
        """
        return await _awaited(self.start, call)


def compose_unary(policies: Sequence[Policy], upstream: Unary) -> Unary:
    """Returns `upstream` behind `policies`; `upstream` itself when there are none."""
    inner = upstream
    for is_around, group in _groups(policies):
        if is_around:
            for around in reversed(group):
                inner = _around_unary(cast("Around", around), inner)
        else:
            inner = _gated_unary(group, inner)
    return inner


def compose_stream(policies: Sequence[Policy], upstream: Stream) -> Stream:
    """Returns `upstream` behind `policies`; `upstream` itself when there are none."""
    inner = upstream
    for is_around, group in _groups(policies):
        if is_around:
            for around in reversed(group):
                inner = _around_stream(cast("Around", around), inner)
        else:
            inner = _gated_stream(group, inner)
    return inner


def _groups(policies: Sequence[Policy]) -> list[tuple[bool, list[Policy]]]:
    """Returns runs of Arounds and runs of others, the innermost first."""
    runs = groupby(policies, key=lambda policy: hasattr(policy, "unary"))
    return [(is_around, list(run)) for is_around, run in runs][::-1]


class _Links:
    """A run of gates and observers, as two flat lists of bound methods."""

    __slots__ = ("_admits", "_ended")

    def __init__(self, policies: Sequence[Policy]) -> None:
        # Each gate with the number of observers that stand before it.
        self._admits: list[tuple[Callable[[Call], None], int]] = []
        self._ended: list[Callable[[Call, Outcome], None]] = []
        for policy in policies:
            if hasattr(policy, "admit"):
                self._admits.append((policy.admit, len(self._ended)))
            if hasattr(policy, "ended"):
                self._ended.append(policy.ended)

    @property
    def observed(self) -> bool:
        return bool(self._ended)

    @property
    def gates(self) -> tuple[Callable[[Call], None], ...]:
        return tuple(admit for admit, _ in self._admits)

    def admit(self, call: Call) -> RpcError | None:
        """Asks every gate; returns the refusal of the first that refuses, having told observers."""
        for admit, before in self._admits:
            try:
                admit(call)
            except Exception as refusal:  # noqa: BLE001 - as_error logs what is not an RpcError
                failure = as_error(refusal)
                self.tell(call, Outcome(failure.status), before)
                return failure
        return None

    def tell(self, call: Call, outcome: Outcome, upto: int | None = None) -> None:
        """Tells the observers, or the first `upto` of them, the innermost first."""
        for ended in reversed(self._ended[:upto]):
            try:
                ended(call, outcome)
            except Exception:
                log.exception("an observer failed at the end of %s", call.method)


def as_error(failure: Exception) -> RpcError:
    """Returns the RpcError that a client is told of `failure`; logs what is a bug."""
    if isinstance(failure, RpcError):
        return failure
    log.error("a call failed on a bug", exc_info=failure)
    return error("INTERNAL", "The gateway failed on this call.")


def _outcome(result: Reply | RpcError) -> Outcome:
    if isinstance(result, RpcError):
        return Outcome(result.status)
    return Outcome(OK, result)


def _nothing() -> None:
    """Cancels what has ended already."""


def _gated_unary(policies: Sequence[Policy], inner: Unary) -> Unary:
    links = _Links(policies)
    admits = links.gates

    def start(call: Call, done: Done) -> Cancel:
        try:
            for admit in admits:
                admit(call)
        except Exception as refusal:  # noqa: BLE001 - as_error logs what is not an RpcError
            done(as_error(refusal))
            return _nothing
        return inner(call, done)

    def start_observed(call: Call, done: Done) -> Cancel:
        if refusal := links.admit(call):
            done(refusal)
            return _nothing
        running = True

        def finish(result: Reply | RpcError) -> None:
            nonlocal running
            running = False
            links.tell(call, _outcome(result))
            done(result)

        cancel = inner(call, finish)

        def stop() -> None:
            nonlocal running
            if running:
                running = False
                cancel()
                links.tell(call, _CANCELLED)

        return stop

    return start_observed if links.observed else start


def _gated_stream(policies: Sequence[Policy], inner: Stream) -> Stream:
    links = _Links(policies)

    async def run(call: StreamCall) -> Metadata:
        if refusal := links.admit(call):
            raise refusal
        outcome = _CANCELLED
        try:
            trailers = await inner(call)
            outcome = Outcome(OK)
        except Exception as failure:
            known = as_error(failure)
            outcome = Outcome(known.status)
            if known is failure:
                raise
            raise known from failure
        finally:
            links.tell(call, outcome)
        return trailers

    return run


async def _awaited(start: Unary, call: Call) -> Reply:
    """Bridges the callback form to `await`."""
    future: asyncio.Future[Reply | RpcError] = asyncio.get_running_loop().create_future()

    def done(result: Reply | RpcError) -> None:
        if not future.done():
            future.set_result(result)

    cancel = start(call, done)
    try:
        result = await future
    except asyncio.CancelledError:
        cancel()
        raise
    if isinstance(result, RpcError):
        raise result
    return result


def _around_unary(around: Around, inner: Unary) -> Unary:
    async def proceed(call: Call) -> Reply:
        return await _awaited(inner, call)

    async def run(call: Call) -> Reply | RpcError:
        try:
            return await around.unary(call, proceed)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            return as_error(failure)

    def start(call: Call, done: Done) -> Cancel:
        task = asyncio.get_running_loop().create_task(run(call))
        wanted = True

        def ended(task: asyncio.Task[Reply | RpcError]) -> None:
            if wanted and not task.cancelled():
                done(task.result())

        task.add_done_callback(ended)

        def cancel() -> None:
            # The callback can't be taken back once the task has ended and the loop is to call it.
            nonlocal wanted
            wanted = False
            task.cancel()

        return cancel

    return start


def _around_stream(around: Around, inner: Stream) -> Stream:
    async def proceed(call: StreamCall) -> Metadata:
        return await inner(call)

    def run(call: StreamCall) -> Awaitable[Metadata]:
        return around.stream(call, proceed)

    return run
