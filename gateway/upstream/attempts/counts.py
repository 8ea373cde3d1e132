"""What became of the calls of an upstream, in numbers. They only grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """The counts of one upstream, since it was opened.

    Attributes:
        calls: Calls, unary and streaming, those that were refused too.
        attempts: What endpoints were asked for them.
        unsent: Attempts of which no endpoint saw anything.
        retries: Attempts after a failure.
        hedges: Attempts beside one that was slow, or in its place.
        moved: Attempts in place of one whose endpoint was taken out.
        refused: Calls that the circuit breaker refused.
        exhausted: Attempts that were not made, for the budget was used up.
        held: Attempts that were not made, for as many are in flight as the breaker allows.
    """

    calls: int = 0
    attempts: int = 0
    unsent: int = 0
    retries: int = 0
    hedges: int = 0
    moved: int = 0
    refused: int = 0
    exhausted: int = 0
    held: int = 0
