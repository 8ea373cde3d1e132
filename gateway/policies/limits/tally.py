"""What a limit decided, in numbers. They only grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """The decisions of one limit, of all methods and plans.

    Attributes:
        allowed: Calls, and messages where those are charged, that went on at once.
        delayed: Those that went on after a wait.
        refused: Those that did not.
        dark: Those that would not have, if the limit did not only count.
    """

    allowed: int = 0
    delayed: int = 0
    refused: int = 0
    dark: int = 0
