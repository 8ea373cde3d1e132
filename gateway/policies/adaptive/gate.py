"""Adaptive concurrency as a policy of unary calls.

It stands behind the cache and before the backend: what is answered from there costs the backend
nothing and must not wait for it, nor tell how fast it is; and a call that waits here holds nothing
that another could use. A call that finds a place costs no task; one that waits costs the task that
gates that wait have.

Streams pass it by: their length says nothing of the backend, most of them are idle most of the
time, and a thousand that are open would leave no place for calls that end. They have the fixed
bounds (`policies.concurrency`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from math import inf
from typing import Any, Final

from gateway.call import Call, Code, Outcome, RpcError
from gateway.errors import error
from gateway.policies.adaptive.lines import Priority, Waiter
from gateway.policies.adaptive.turns import Turns
from gateway.policies.concurrency import AGAIN

PRIORITIES: Final = {each.name.lower(): each for each in Priority}
"""By their names in the config and in headers."""

_TELLING: Final = {Code.OK: False, Code.CANCELLED: True, Code.DEADLINE_EXCEEDED: True}
"""The ends that tell how long calls take, and whether they are ends without an answer. Other errors
may come faster than any answer."""


class AdaptiveConcurrency:
    """Admits as many calls as the upstream takes without slowing down (a Gate and an Observer).

    Args:
        turns: The calls of the upstream, of all methods.
        priority: The method's.
        header: In which trusted proxies say another, in lower case; None for none.
        clock: The loop's, in seconds, by which deadlines are. Some loops stand still while they
            call back, so what calls take is by the turns' own.
    """

    __slots__ = ("_began", "_clock", "_header", "_priority", "_turns")

    def __init__(
        self, turns: Turns, priority: Priority, header: str | None, clock: Callable[[], float]
    ) -> None:
        self._turns = turns
        self._priority = priority
        self._header = header
        self._clock = clock
        self._began: dict[int, float] = {}  # by the call's identity

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        said = f", or as {self._header} of a trusted proxy says" if self._header else ""
        return (
            "Admits as many calls of the upstream as it takes without slowing down; some more "
            f"wait a moment, this method's with {self._priority.name.lower()} priority{said}."
        )

    def admit(self, call: Call) -> Awaitable[None] | None:
        """Takes a permit; returns what to await where the call must wait for one.

        Raises:
            RpcError: OVERLOADED: there is none, nor a place to wait for one in time.
        """
        if self._turns.go():
            self.begin(call)
            return None
        turn = Turn(self, self._turns, call)
        waiter = self._turns.wait(self._priority_of(call), self.left(call), turn.wake)
        if waiter is None:
            raise _overloaded()
        turn.waiter = waiter
        return turn

    def ended(self, call: Call, outcome: Outcome) -> None:
        """Gives the permit back."""
        began = self._began.pop(id(call))
        dropped = _TELLING.get(outcome.status.code)
        if dropped is None:
            self._turns.give_back()
        else:
            self._turns.end(call.method, began, dropped=dropped)

    def begin(self, call: Call) -> None:
        """Takes note of when a call went."""
        self._began[id(call)] = self._turns.now()

    def left(self, call: Call) -> float:
        """Returns the seconds that a call has; without end for one without a deadline."""
        return inf if call.deadline is None else call.deadline.remaining(self._clock())

    def _priority_of(self, call: Call) -> Priority:
        if self._header is None:
            return self._priority
        return priority_of(self._header, self._priority, call)


def priority_of(header: str, usual: Priority, call: Call) -> Priority:
    """Returns the priority of a call, by what a trusted proxy says of it.

    Args:
        header: In which it is said, in lower case.
        usual: Where nobody says one.
        call: The call.
    """
    head = call.head
    if head is None or not head.is_trusted:
        return usual
    said = head.headers.get(header) or ""
    return PRIORITIES.get(said.strip().lower(), usual)


class Turn:
    """A call that waits, as what is awaited. To be awaited once, or closed.

    Attributes:
        waiter: Its place in the line.
    """

    __slots__ = ("_call", "_gate", "_loop", "_permitted", "_turns", "_woken", "waiter")

    waiter: Waiter

    def __init__(self, gate: AdaptiveConcurrency, turns: Turns, call: Call) -> None:
        self._gate = gate
        self._turns = turns
        self._call = call
        self._permitted = False
        self._loop = asyncio.get_running_loop()
        self._woken: asyncio.Future[None] = self._loop.create_future()

    def wake(self, permitted: bool) -> None:  # noqa: FBT001  called by what woke it
        """Ends the wait: with a permit, or without."""
        self._permitted = permitted
        if not self._woken.done():  # it may have been cancelled a moment before
            self._woken.set_result(None)

    def close(self) -> None:
        """Ends the wait of a call that nobody wants any more; its permit goes to another."""
        if not self._turns.leave(self.waiter) and self._permitted:
            self._turns.give_back()

    def __await__(self) -> Generator[Any, None, None]:
        return self._wait().__await__()

    async def _wait(self) -> None:
        """Returns when the call may go.

        Raises:
            RpcError: OVERLOADED: it was shed, or waited as long as it may. DEADLINE_EXCEEDED.
        """
        expiry = self._loop.call_later(self._turns.left(self.waiter), self._expired)
        try:
            await self._woken
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            expiry.cancel()
        if self._permitted:
            self._gate.begin(self._call)
        elif self._gate.left(self._call) <= 0:
            raise error("DEADLINE_EXCEEDED", "The deadline passed before the call had its turn.")
        else:
            raise _overloaded()

    def _expired(self) -> None:
        if self._turns.leave(self.waiter):
            self.wake(False)


def _overloaded() -> RpcError:
    text = "The service has more calls than it can answer in time."
    return error("OVERLOADED", text, retry_after=AGAIN)
