"""Equal calls that are under way at a time are one: a flight, which those who asked for it share.

A flight belongs to nobody. Who leaves is not told of its end, and takes it from nobody else; when
all have left, it is cancelled. It has the time that any call of the method may have, not that of
who came first, so nobody's short deadline fails the others: each has its own, which a timer keeps
where it comes before the flight's end. How a flight ends, is told to all who wait, so many in one
turn of the loop, and kept by nobody here.

Some ends are not for all. Who may wait longer than the flight could, since it came later, has
another one when its time is over, with all that may. Where the backend is told of one caller for
all and refuses that one (`onecaller`), the others have another one, and where that is refused too,
each caller has one of its own: a crowd of those who may not call holds up the others once. Calls of
another priority have a flight of their own from the start: those that may go first must not wait,
or be shed, with those that may not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from gateway.call import Call, Cancel, Code, Deadline, RpcError
from gateway.errors import error
from gateway.policies.cache.onecaller import ToldOf, is_refusal

R = TypeVar("R")

Start: TypeAlias = "Callable[[Call, Callable[[R | RpcError], None]], Cancel]"
"""Starts the call of a flight; it completes with a result, once at most, as `call.Unary` does."""

_SLACK: Final = 0.001
"""Seconds by which deadlines may differ and be one: it takes that long to fail a flight."""

_AT_ONCE: Final = 256
"""Who is told of an end in one turn of the loop."""

Rank: TypeAlias = "Callable[[Call], Hashable]"
"""Returns a call's priority, whatever that is."""


class Timer(Protocol):
    """What ends a wait."""

    def cancel(self) -> None:
        """Does not end it."""


At: TypeAlias = "Callable[[float, Callable[[], None]], Timer]"
"""Calls a function at a time of the loop's clock."""


def loop_timer(at: float, then: Callable[[], None]) -> Timer:
    """Calls a function at a time of the running loop (`At`)."""
    return asyncio.get_running_loop().call_at(at, then)


def nothing() -> None:
    """Cancels what has not begun, or has ended."""


class _Waiter(Generic[R]):
    """Who waits for a flight."""

    __slots__ = ("call", "deadline", "done", "flight", "key", "refused", "start", "timer")

    def __init__(
        self,
        key: Hashable,
        call: Call,
        done: Callable[[R | RpcError], None],
        start: Start[R],
    ) -> None:
        self.key = key
        self.call = call
        self.start = start  # its own: what equal flights are begun with need not be
        self.deadline = call.deadline
        self.done: Callable[[R | RpcError], None] | None = done
        self.flight: _Flight[R] | None = None
        self.timer: Timer | None = None
        self.refused = False  # a flight that it waited for, for another caller

    def cancel(self) -> None:
        """Leaves."""
        self.done = None
        if self.timer is not None:
            self.timer.cancel()
        if self.flight is not None:
            self.flight.leave(self)

    def late(self) -> None:
        """Leaves, since its deadline has passed."""
        done, self.timer = self.done, None
        if done is not None:
            self.cancel()
            done(error("DEADLINE_EXCEEDED", "The call did not end before its deadline."))

    def take(self, result: R | RpcError) -> None:
        """Is told of the end."""
        done, self.done, self.flight = self.done, None, None
        if self.timer is not None:
            self.timer.cancel()
        if done is not None:
            done(result)


class _Flight(Generic[R]):
    """One call for all who wait."""

    __slots__ = ("_cancel", "_flights", "_key", "_stays", "_told", "deadline", "waiters")

    def __init__(
        self,
        flights: Flights[R],
        key: Hashable,
        deadline: Deadline | None,
        *,
        stays: bool,
    ) -> None:
        self._flights = flights
        self._key = key
        self._stays = stays
        self._cancel: Cancel = nothing
        self._told: Hashable = None
        self.deadline = deadline
        self.waiters: dict[_Waiter[R], None] = {}

    def begin(self, call: Call, start: Start[R]) -> None:
        """Makes the call: a copy, for who asked may leave and take its own with it."""
        own = Call(**call.parts())
        self._told = self._flights.told_of(call)
        own.deadline, own.reply_headers, own.cookies = self.deadline, None, None
        cancel = start(own, self._ended)
        if self._flights.is_under_way(self._key, self):
            self._cancel = cancel

    def leave(self, waiter: _Waiter[R]) -> None:
        """Lets one go; ends the call when that was the last."""
        self.waiters.pop(waiter, None)
        if not self.waiters and not self._stays:
            self._flights.over(self._key, self)
            cancel, self._cancel = self._cancel, nothing
            cancel()

    def _ended(self, result: R | RpcError) -> None:
        self._cancel = nothing
        self._flights.over(self._key, self)
        late = isinstance(result, RpcError) and result.status.code is Code.DEADLINE_EXCEEDED
        if late and self._flights.is_over(self.deadline):
            self._tell(result, self._may_wait)
        elif is_refusal(result):
            self._tell(result, self._is_another)
        else:
            self._tell(result, None)

    def _tell(
        self, result: R | RpcError, is_for_others: Callable[[_Waiter[R]], bool] | None
    ) -> None:
        """Tells all who wait, some now and the rest in other turns.

        Args:
            result: The end.
            is_for_others: Whether it is not for one, who waits for another flight then; None where
                it is for all.
        """
        again = []
        left = _AT_ONCE
        while self.waiters and left:  # who is told may have others leave
            left -= 1
            waiter = next(iter(self.waiters))
            del self.waiters[waiter]
            if is_for_others is not None and is_for_others(waiter):
                waiter.flight = None
                again.append(waiter)
            else:
                waiter.take(result)
        for waiter in again:
            if waiter.done is not None:
                self._flights.wait(waiter)
        if self.waiters:
            self._flights.soon(partial(self._tell, result, is_for_others))

    def _is_another(self, waiter: _Waiter[R]) -> bool:
        """Whether a waiter is another caller than the backend was told of."""
        told = self._flights.told_of(waiter.call)
        if told == self._told:
            return False
        if waiter.refused:
            waiter.key = (waiter.key, told)
        waiter.refused = True
        return True

    def _may_wait(self, waiter: _Waiter[R]) -> bool:
        """Whether a waiter has more time than the flight had."""
        return self.deadline is not None and (
            waiter.deadline is None or waiter.deadline.at > self.deadline.at + _SLACK
        )


class Flights(Generic[R]):
    """The flights of a method.

    Args:
        timeout: Seconds that a call of the method may take; 0 for any time.
        clock: The loop's, in seconds.
        at: Calls a function at a time of that clock.
        rank: What priority a call has; None where all have one.
        told: What backends are told of a call's caller, where callers share; None for nothing.
    """

    __slots__ = ("_at", "_clock", "_rank", "_timeout", "_told", "_under_way")

    def __init__(
        self,
        timeout: float,
        clock: Callable[[], float],
        at: At = loop_timer,
        *,
        rank: Rank | None = None,
        told: ToldOf | None = None,
    ) -> None:
        self._timeout = timeout
        self._clock = clock
        self._at = at
        self._rank = rank
        self._told = told
        self._under_way: dict[Hashable, _Flight[R]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def join(
        self, key: Hashable, call: Call, done: Callable[[R | RpcError], None], start: Start[R]
    ) -> Cancel:
        """Waits for the flight of a key, which begins if there is none.

        Args:
            key: Equal for equal calls.
            call: Which a new flight makes a copy of.
            done: Is told of the end, once at most, maybe before this returns.
            start: Starts a new flight's call.

        Returns:
            What leaves it.
        """
        waiter: _Waiter[R] = _Waiter(self._ranked(key, call), call, done, start)
        self.wait(waiter)
        return waiter.cancel

    def has(self, key: Hashable, call: Call) -> bool:
        """Whether there is a flight that a call would wait for."""
        return self._ranked(key, call) in self._under_way

    def begin(self, key: Hashable, call: Call, start: Start[R]) -> None:
        """Begins the flight of a key, of which there is none; it goes on when nobody waits."""
        self._new(self._ranked(key, call), stays=True).begin(call, start)

    def wait(self, waiter: _Waiter[R]) -> None:
        """Has a waiter wait for the flight of its key, which begins if there is none."""
        flight = self._under_way.get(waiter.key)
        new = flight is None
        if flight is None:
            flight = self._new(waiter.key, stays=False)
        waiter.flight = flight
        flight.waiters[waiter] = None
        own, common = waiter.deadline, flight.deadline
        if own is not None and waiter.timer is None and (common is None or own.at < common.at):
            waiter.timer = self._at(own.at, waiter.late)
        if new:
            flight.begin(waiter.call, waiter.start)

    def is_under_way(self, key: Hashable, flight: _Flight[R]) -> bool:
        """Whether a flight has not ended."""
        return self._under_way.get(key) is flight

    def is_over(self, deadline: Deadline | None) -> bool:
        """Whether a deadline has passed, or nearly so."""
        return deadline is not None and deadline.remaining(self._clock()) < _SLACK

    def over(self, key: Hashable, flight: _Flight[R]) -> None:
        """Takes note of a flight's end."""
        if self._under_way.get(key) is flight:
            del self._under_way[key]

    def told_of(self, call: Call) -> Hashable:
        """Returns what a backend is told of a call's caller."""
        return None if self._told is None else self._told(call)

    def soon(self, then: Callable[[], None]) -> None:
        """Calls a function in another turn of the loop."""
        self._at(self._clock(), then)

    def _ranked(self, key: Hashable, call: Call) -> Hashable:
        return key if self._rank is None else (key, self._rank(call))

    def _new(self, key: Hashable, *, stays: bool) -> _Flight[R]:
        deadline = Deadline(self._clock() + self._timeout) if self._timeout else None
        flight = self._under_way[key] = _Flight(self, key, deadline, stays=stays)
        return flight
