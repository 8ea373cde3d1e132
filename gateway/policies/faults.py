"""Makes a share of calls slow, or has them fail, on purpose: to see what clients do then.

Stands behind all that says whether a call may be made, so that nobody learns more by it, and before
all that costs something: a call that fails so takes no permit, and asks neither a cache nor a
backend. Who is held up waits no longer than its deadline. Off unless a policy gives a share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from gateway.call import Call, Code, RpcError
from gateway.errors import error

Sleep: TypeAlias = "Callable[[float], Awaitable[None]]"
"""Returns after so many seconds."""

_WHOLE: Final = 100.0  # percent


class InjectFaults:
    """Holds up a share of the calls, has them fail, or both (a Gate).

    Args:
        percent: The share, from 0 to 100.
        delay: Seconds for which they are held up; 0 for not at all.
        code: What they fail with, after that; None for not.
        random: Returns a number in [0, 1).
        clock: The loop's, in seconds.
        sleep: Waits.
    """

    __slots__ = ("_clock", "_code", "_delay", "_percent", "_random", "_sleep")

    def __init__(
        self,
        percent: float,
        delay: float,
        code: Code | None,
        *,
        random: Callable[[], float],
        clock: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._percent = percent
        self._delay = delay
        self._code = code
        self._random = random
        self._clock = clock
        self._sleep = sleep

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        said = [f"are delayed by {self._delay * 1000:g} ms"] if self._delay else []
        said += [f"fail with {self._code.name}"] if self._code is not None else []
        return f"On purpose, {self._percent:g} % of the calls {' and '.join(said)}."

    def admit(self, call: Call) -> Awaitable[None] | None:
        """Lets the call pass, refuses it, or returns what to await before that.

        Raises:
            RpcError: FAULT_INJECTED, with the code.
        """
        if self._random() * _WHOLE >= self._percent:
            return None
        if self._delay:
            return self._held_up(call)
        if self._code is not None:
            raise self._failure(self._code)
        return None

    async def _held_up(self, call: Call) -> None:
        left = None if call.deadline is None else call.deadline.remaining(self._clock())
        if left is not None and left < self._delay:
            await self._sleep(max(left, 0.0))
            raise error("DEADLINE_EXCEEDED", "The deadline passed before the call was made.")
        await self._sleep(self._delay)
        if self._code is not None:
            raise self._failure(self._code)

    def _failure(self, code: Code) -> RpcError:
        return error("FAULT_INJECTED", "The gateway fails some calls on purpose.", code=code)
