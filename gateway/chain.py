"""A method as fronts see it: what the proto says of it, and the chain that its calls pass.

A chain is composed once, when a generation is built, from the method's policies in order. A policy
is a Gate, an Observer, both, or stands around calls (`gateway.call`): one that has only `unary` or
only `stream` does so for that kind of method, and is no part of the other's chain. Neighbouring
gates and observers become one function, so a unary call costs no task and no future but where
something stands around it; a method without policies *is* its upstream.

What holds for every chain:
- gates are asked in order; the first refusal ends the call; one that must wait holds up its own
  call only, which costs a task then;
- observers hear in reverse order, exactly once, and only of calls that came as far as they stand;
- an exception that is no RpcError is a bug: it is logged, and the client sees INTERNAL.

This module decides no order: `gateway.app` does, where the generation is built.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple, TypeAlias, cast

from gateway.call import (
    OK,
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
    StreamAround,
    StreamCall,
    Unary,
    UnaryAround,
)
from gateway.errors import error
from gateway.schema.method import MethodDescriptor

log = logging.getLogger(__name__)

Policy: TypeAlias = Gate | Observer | UnaryAround | StreamAround

_FLAT = ("admit", "ended")
_CANCELLED = Outcome(Status(Code.CANCELLED, "The client cancelled the call."))


class Method:
    """One RPC, ready to be called: its descriptor and its composed chain.

    Attributes:
        descriptor: What the proto says.
        policies: What its calls pass, in order.
        authenticate: The one of them that finds out who calls, for fronts that must know before
            they have a call; None for none. It needs no more of a call than its `head`.
        start: Makes a unary call (`gateway.call.Unary`).
        stream: Runs a streaming call (`gateway.call.Stream`).
    """

    __slots__ = ("authenticate", "descriptor", "policies", "start", "stream")

    def __init__(
        self,
        descriptor: MethodDescriptor,
        policies: Sequence[Policy],
        unary: Unary,
        stream: Stream,
        *,
        authenticate: Gate | None = None,
    ) -> None:
        self.descriptor = descriptor
        self.authenticate = authenticate
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
    for is_around, group in _groups(policies, "unary"):
        if is_around:
            for around in reversed(group):
                inner = _around_unary(cast("UnaryAround", around), inner)
        else:
            inner = _gated_unary(group, inner)
    return inner


def compose_stream(policies: Sequence[Policy], upstream: Stream) -> Stream:
    """Returns `upstream` behind `policies`; `upstream` itself when there are none."""
    inner = upstream
    for is_around, group in _groups(policies, "stream"):
        if is_around:
            for around in reversed(group):
                inner = _around_stream(cast("StreamAround", around), inner)
        else:
            inner = _gated_stream(group, inner)
    return inner


def _groups(policies: Sequence[Policy], kind: str) -> list[tuple[bool, list[Policy]]]:
    """Returns runs of policies that stand around calls of a kind, and of others, innermost first.

    What is neither, for this kind, is left out.
    """
    concerned = [each for each in policies if any(hasattr(each, name) for name in (kind, *_FLAT))]
    runs = groupby(concerned, key=lambda policy: hasattr(policy, kind))
    return [(is_around, list(run)) for is_around, run in runs][::-1]


_Admit: TypeAlias = "Callable[[Call], Awaitable[None] | None]"


class _Waiting(NamedTuple):
    """A gate that must wait: what for, and which of its run it is."""

    pending: Awaitable[None]
    gate: int


class _Links:
    """A run of gates and observers, as two flat lists of bound methods."""

    __slots__ = ("_admits", "_ended")

    def __init__(self, policies: Sequence[Policy]) -> None:
        # Each gate with the number of observers that stand before it.
        self._admits: list[tuple[_Admit, int]] = []
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
    def gates(self) -> tuple[_Admit, ...]:
        return tuple(admit for admit, _ in self._admits)

    def admit(self, call: Call, start: int = 0) -> _Waiting | None:
        """Asks every gate from the one numbered `start`, until one must wait.

        Raises:
            RpcError: The refusal of the first that refuses; the observers before it were told.
        """
        for number, (admit, before) in enumerate(self._admits[start:], start):
            try:
                pending = admit(call)
            except Exception as refusal:  # noqa: BLE001 - as_error logs what is not an RpcError
                raise self._refused(call, refusal, before) from None
            if pending is not None:
                return _Waiting(pending, number)
        return None

    async def admit_after(self, call: Call, waiting: _Waiting | None) -> None:
        """Waits for a gate, and asks those behind it, however many must wait.

        Raises:
            RpcError: As of `admit`.
        """
        while waiting is not None:
            before = self._admits[waiting.gate][1]
            try:
                await waiting.pending
            except asyncio.CancelledError:
                self.tell(call, _CANCELLED, before)
                raise
            except Exception as refusal:  # noqa: BLE001 - as_error logs what is not an RpcError
                raise self._refused(call, refusal, before) from None
            waiting = self.admit(call, waiting.gate + 1)

    def drop(self, call: Call, waiting: _Waiting) -> None:
        """Ends a call that waits for a gate, and for which nobody waits any more."""
        # A coroutine that is not awaited would warn of it; what holds one closes it.
        close = getattr(waiting.pending, "close", None)
        if close is not None:
            close()
        self.tell(call, _CANCELLED, self._admits[waiting.gate][1])

    def _refused(self, call: Call, refusal: Exception, before: int) -> RpcError:
        failure = as_error(refusal)
        self.tell(call, Outcome(failure.status), before)
        return failure

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
        number = 0
        try:
            for admit in admits:
                pending = admit(call)
                if pending is not None:
                    return _held(links, call, _Waiting(pending, number), inner, done)
                number += 1
        except Exception as refusal:  # noqa: BLE001 - as_error logs what is not an RpcError
            done(as_error(refusal))
            return _nothing
        return inner(call, done)

    def start_observed(call: Call, done: Done) -> Cancel:
        try:
            waiting = links.admit(call)
        except RpcError as refusal:
            done(refusal)
            return _nothing
        observed = partial(_observed, links, inner)
        if waiting is not None:
            return _held(links, call, waiting, observed, done)
        return observed(call, done)

    return start_observed if links.observed else start


def _observed(links: _Links, inner: Unary, call: Call, done: Done) -> Cancel:
    """Makes a call that was admitted, and tells the observers of its end."""
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


def _held(links: _Links, call: Call, waiting: _Waiting, inner: Unary, done: Done) -> Cancel:
    """Waits for a gate in a task, then goes on."""
    cancel_inner: Cancel | None = None
    begun, wanted = False, True

    async def run() -> None:
        nonlocal begun, cancel_inner
        begun = True
        try:
            await links.admit_after(call, waiting)
        except RpcError as refusal:
            if wanted:
                done(refusal)
            return
        if wanted:
            cancel_inner = inner(call, done)

    task = asyncio.get_running_loop().create_task(run())

    def cancel() -> None:
        nonlocal wanted
        wanted = False
        if cancel_inner is not None:
            cancel_inner()
            return
        task.cancel()
        if not begun:
            links.drop(call, waiting)

    return cancel


def _gated_stream(policies: Sequence[Policy], inner: Stream) -> Stream:
    links = _Links(policies)

    async def run(call: StreamCall) -> Metadata:
        await links.admit_after(call, links.admit(call))
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


def _around_unary(around: UnaryAround, inner: Unary) -> Unary:
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


def _around_stream(around: StreamAround, inner: Stream) -> Stream:
    async def proceed(call: StreamCall) -> Metadata:
        return await inner(call)

    def run(call: StreamCall) -> Awaitable[Metadata]:
        return around.stream(call, proceed)

    return run
