"""A request passes a gate before it is answered: what is no call has no chain that would ask.

Pages, introspection, and what must know who asks before it begins. Gates are handed in; whom they
let in is not decided here, nor how a refusal reads. A gate that must wait costs the request a task,
which ends when the client goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateway.call import Call, Gate, Principal
from gateway.http import Exchange, Request


def asking(request: Request, front: str) -> Call:
    """Returns what a gate is asked with: a call of no method, made by a request."""
    return Call("", peer=request.peer, front=front, head=request)


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
                return self._rest(call, pending, number)
        return None

    async def _rest(self, call: Call, pending: Awaitable[None], start: int) -> None:
        await pending
        for gate in self._gates[start:]:
            further = gate.admit(call)
            if further is not None:
                await further


def admit(
    exchange: Exchange,
    gate: Gate | None,
    then: Callable[[Principal | None], None],
    refuse: Callable[[Exception], None],
    *,
    front: str,
) -> None:
    """Has the sender of a request pass a gate; exactly one of `then` and `refuse` goes on.

    Args:
        exchange: The request, not answered yet.
        gate: What it must pass; None admits everybody.
        then: Answers, given who asks. What it raises is given to `refuse`.
        refuse: Answers with the error: an RpcError of the gate's, with its `WWW-Authenticate`.
        front: The front that asks, `graphql`.
    """
    call = asking(exchange.request, front)
    try:
        pending = None if gate is None else gate.admit(call)
        if pending is None:
            then(call.principal)
    except Exception as failure:  # noqa: BLE001 - `refuse` knows what is a bug
        refuse(failure)
        return
    if pending is not None:
        task = asyncio.get_running_loop().create_task(_after(pending, call, then, refuse))
        exchange.on_gone(lambda: _cancel(task))


async def _after(
    pending: Awaitable[None],
    call: Call,
    then: Callable[[Principal | None], None],
    refuse: Callable[[Exception], None],
) -> None:
    try:
        await pending
        then(call.principal)
    except Exception as failure:  # noqa: BLE001 - as above
        refuse(failure)


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
