"""A request passes a gate before it is answered: what is no call has no chain that would ask.

Pages, introspection, and what must know who asks before it begins. Gates are handed in; whom they
let in is not decided here, nor how a refusal reads. A gate that must wait costs the request a task,
which ends when the client goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any

from gateway.call import Call, Gate, Principal
from gateway.http import Exchange, Request


def asking(request: Request, front: str, method: str = "") -> Call:
    """Returns what a gate is asked with: a call made by a request, of no method but a given one."""
    return Call(method, peer=request.peer, front=front, head=request)


class InTurn:
    """Several gates as one (a Gate): each is asked when those before it have admitted the call.

    Args:
        gates: In order; the principal is the last one's.
    """

    __slots__ = ("_gates",)

    def __init__(self, gates: Sequence[Gate]) -> None:
        self._gates = tuple(gates)

    def admit(self, call: Call) -> Awaitable[None] | None:
        """See Gate."""
        for number, gate in enumerate(self._gates, 1):
            pending = gate.admit(call)
            if pending is not None:
                return _Rest(call, pending, self._gates[number:])
        return None


class _Rest:
    """What is left of several gates when one of them must wait; begun when it is awaited."""

    __slots__ = ("_call", "_gates", "_pending")

    def __init__(self, call: Call, pending: Awaitable[None], gates: Sequence[Gate]) -> None:
        self._call = call
        self._pending = pending
        self._gates = gates

    def __await__(self) -> Generator[Any, None, None]:
        return self._run().__await__()

    async def _run(self) -> None:
        await self._pending
        for gate in self._gates:
            further = gate.admit(self._call)
            if further is not None:
                await further

    def close(self) -> None:
        """See `forgo`."""
        forgo(self._pending)


def forgo(pending: Awaitable[None]) -> None:
    """Takes note that nobody awaits (any more) what a gate returned.

    A coroutine that was never begun would warn of it; one that has ended does not mind.
    """
    close = getattr(pending, "close", None)
    if close is not None:
        close()


def admit(
    exchange: Exchange,
    gate: Gate | None,
    then: Callable[[Principal | None], None],
    refuse: Callable[[Exception], None],
    *,
    front: str,
    method: str = "",
    request_id: str = "",
) -> None:
    """Has the sender of a request pass a gate; exactly one of `then` and `refuse` goes on.

    Args:
        exchange: The request, not answered yet.
        gate: What it must pass; None admits everybody.
        then: Answers, given who asks. What it raises is given to `refuse`.
        refuse: Answers with the error: an RpcError of the gate's, with its `WWW-Authenticate`.
        front: The front that asks, `graphql`.
        method: What is to be called, where that is known.
        request_id: What names the request in logs and replies, where anything does.
    """
    call = asking(exchange.request, front, method)
    call.request_id = request_id
    try:
        pending = None if gate is None else gate.admit(call)
        if pending is None:
            _known(exchange, call)
            then(call.principal)
    except Exception as failure:  # noqa: BLE001 - `refuse` knows what is a bug
        refuse(failure)
        return
    if pending is not None:
        admitted = _after(pending, exchange, call, then, refuse)
        task = asyncio.get_running_loop().create_task(admitted)
        task.add_done_callback(lambda _: forgo(pending))  # cancelled before its first step
        exchange.on_gone(lambda: _cancel(task))


async def _after(
    pending: Awaitable[None],
    exchange: Exchange,
    call: Call,
    then: Callable[[Principal | None], None],
    refuse: Callable[[Exception], None],
) -> None:
    try:
        await pending
        _known(exchange, call)
        then(call.principal)
    except Exception as failure:  # noqa: BLE001 - as above
        refuse(failure)


def _known(exchange: Exchange, call: Call) -> None:
    """Notes who asks: a page makes no call that would tell."""
    if exchange.record is not None and call.principal is not None:
        exchange.record.client = call.principal


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
