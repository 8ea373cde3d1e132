"""How many calls there may be at a time: of a method, of an upstream, of one caller.

A bound refuses at once and never waits: what is one too many is told so while the answer is still
worth something (`policies.adaptive` is where calls wait). A permit is taken when a call is admitted
and given back at its end, whatever the end; a stream holds its own for as long as it lives.

Two kinds of refusal. Who has too many calls of its own is told RESOURCE_EXHAUSTED (429), as by
Kubernetes' priority and fairness, Traefik's `inFlightReq` and the concurrency quotas of cloud APIs:
it is the caller's doing, and another replica would say the same. A method or an upstream that is
full is UNAVAILABLE (503), as an overflow of Envoy's circuit breakers: it is nobody's doing, gRPC's
clients may try again on it, and balancers in front may go elsewhere. Both say when to come back.

Each process counts by itself: with N workers there may be N times as many.
"""

from __future__ import annotations

from typing import Final

from gateway.call import Call, Outcome
from gateway.errors import error
from gateway.policies.caller import caller_of

AGAIN: Final = 1.0
"""Seconds after which a refused call may be tried again."""


class Running:
    """How many calls of a method or of an upstream run: what a reload must not forget.

    Attributes:
        calls: Their number.
    """

    __slots__ = ("calls",)

    def __init__(self) -> None:
        self.calls = 0


class Bound:
    """Admits so many calls at a time, and no more (a Gate and an Observer).

    Args:
        running: What is counted; bounds may share it, each with a number of its own.
        most: Calls at a time, 1 or more.
        of: Whose calls, as in a sentence: `the method`, `the upstream`.
    """

    __slots__ = ("_most", "_of", "_running")

    def __init__(self, running: Running, most: int, of: str) -> None:
        self._running = running
        self._most = most
        self._of = of

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        return f"Refuses a call while {_running(self._most, self._of)} in this process."

    def admit(self, call: Call) -> None:  # noqa: ARG002  one call is like another
        """Takes a permit.

        Raises:
            RpcError: OVERLOADED: there is none.
        """
        running = self._running
        if running.calls >= self._most:
            text = f"{self._of.capitalize()} has as many calls as it takes at a time."
            raise error("OVERLOADED", text, retry_after=AGAIN)
        running.calls += 1

    def ended(self, call: Call, outcome: Outcome) -> None:  # noqa: ARG002  whatever the end
        """Gives the permit back."""
        self._running.calls -= 1


class RunningOf:
    """How many calls of each caller run; of those without any, nothing is kept."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: dict[str, int] = {}

    def __len__(self) -> int:
        """The callers that have calls."""
        return len(self._calls)

    def of(self, caller: str) -> int:
        """Returns how many calls a caller has."""
        return self._calls.get(caller, 0)

    def take(self, caller: str) -> None:
        """Counts one more."""
        self._calls[caller] = self.of(caller) + 1

    def give_back(self, caller: str) -> None:
        """Counts one less."""
        left = self._calls[caller] - 1
        if left:
            self._calls[caller] = left
        else:
            del self._calls[caller]


class BoundOfEach:
    """Admits so many calls of each caller at a time, and no more (a Gate and an Observer).

    Args:
        running: What is counted; bounds may share it, each with a number of its own.
        most: Calls of one caller at a time, 1 or more.
    """

    __slots__ = ("_callers", "_most", "_running")

    def __init__(self, running: RunningOf, most: int) -> None:
        self._running = running
        self._most = most
        # By the call's identity: who calls may change while a stream runs, with another token.
        self._callers: dict[int, str] = {}

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        running = _running(self._most, "the method and its caller")
        return f"Refuses a call while {running} in this process."

    def admit(self, call: Call) -> None:
        """Takes one of the caller's permits.

        Raises:
            RpcError: TOO_MANY_CALLS: it has none left.
        """
        caller = caller_of(call)
        if self._running.of(caller) >= self._most:
            have = "has" if self._most == 1 else "have"
            text = f"The caller has {_calls(self._most)} of this method that {have} not ended."
            raise error("TOO_MANY_CALLS", text, retry_after=AGAIN)
        self._running.take(caller)
        self._callers[id(call)] = caller

    def ended(self, call: Call, outcome: Outcome) -> None:  # noqa: ARG002  whatever the end
        """Gives the permit back."""
        self._running.give_back(self._callers.pop(id(call)))


def _running(number: int, of: str) -> str:
    """Returns the words for so many calls of something: `1 call of the method runs`."""
    return f"{_calls(number)} of {of} {'runs' if number == 1 else 'run'}"


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"
