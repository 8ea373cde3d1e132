"""A run of gates and observers: what they are asked and told, and in which order.

How a call is made behind them is not known here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias

from gateway.call import (
    Call,
    Code,
    Filter,
    Gate,
    Observer,
    Outcome,
    RpcError,
    Status,
    StreamAround,
    UnaryAround,
)
from gateway.chain.failure import as_error

log = logging.getLogger(__name__)

Policy: TypeAlias = Gate | Observer | Filter | UnaryAround | StreamAround
"""What stands in a chain."""

CANCELLED: Final = Outcome(Status(Code.CANCELLED, "The client cancelled the call."))

_FLAT: Final = ("admit", "ended")


def groups(policies: Sequence[Policy], *around: str) -> list[tuple[str, list[Policy]]]:
    """Returns runs of policies of one kind, innermost first.

    Args:
        policies: In order. What concerns no such call is left out.
        around: The names of what stands around the calls that are meant.

    Returns:
        The name of what each of a run does; empty for gates and observers.
    """
    concerned = [
        each for each in policies if any(hasattr(each, name) for name in (*around, *_FLAT))
    ]
    runs = groupby(
        concerned, key=lambda policy: next((name for name in around if hasattr(policy, name)), "")
    )
    return [(name, list(run)) for name, run in runs][::-1]


Admit: TypeAlias = "Callable[[Call], Awaitable[None] | None]"
"""Asks a gate (`gateway.call.Gate`)."""


def _gate(admit: Admit) -> str:
    """Returns what a gate is called in a record of what waited for it."""
    return type(getattr(admit, "__self__", admit)).__name__


class Waiting(NamedTuple):
    """A gate that must wait: what for, and which of its run it is."""

    pending: Awaitable[None]
    gate: int


class Links:
    """A run of gates and observers, as two flat lists of bound methods."""

    __slots__ = ("_admits", "_ended")

    def __init__(self, policies: Sequence[Policy]) -> None:
        # Each gate with the number of observers that stand before it.
        self._admits: list[tuple[Admit, int]] = []
        self._ended: list[Callable[[Call, Outcome], None]] = []
        for policy in policies:
            if hasattr(policy, "admit"):
                self._admits.append((policy.admit, len(self._ended)))
            if hasattr(policy, "ended"):
                self._ended.append(policy.ended)

    @property
    def observed(self) -> bool:
        """Whether anybody is to be told of the end."""
        return bool(self._ended)

    @property
    def gates(self) -> tuple[Admit, ...]:
        """What asks each gate, in order; numbers of gates count in it."""
        return tuple(admit for admit, _ in self._admits)

    def admit(self, call: Call, start: int = 0) -> Waiting | None:
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
                return Waiting(pending, number)
        return None

    async def admit_after(self, call: Call, waiting: Waiting | None) -> None:
        """Waits for a gate, and asks those behind it, however many must wait.

        Raises:
            RpcError: As of `admit`.
        """
        while waiting is not None:
            admit, before = self._admits[waiting.gate]
            record = call.record
            began = 0.0 if record is None else record.clock()
            try:
                await waiting.pending
            except asyncio.CancelledError:
                self.tell(call, CANCELLED, before)
                raise
            except Exception as refusal:  # noqa: BLE001 - as_error logs what is not an RpcError
                raise self._refused(call, refusal, before) from None
            finally:
                if record is not None:
                    record.waited(_gate(admit), began)
            waiting = self.admit(call, waiting.gate + 1)

    def drop(self, call: Call, waiting: Waiting) -> None:
        """Ends a call that waits for a gate, and for which nobody waits any more."""
        # A coroutine that is not awaited would warn of it; what holds one closes it.
        close = getattr(waiting.pending, "close", None)
        if close is not None:
            close()
        self.tell(call, CANCELLED, self._admits[waiting.gate][1])

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
