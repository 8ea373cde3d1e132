"""How the calls of one method are made: how often, and what keeps some of them together. Data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from gateway.call import Call


class Repeats(IntEnum):
    """What becomes of a call that is made more than once. Each allows what those below it allow."""

    NEVER = 0
    """Nobody knows: it is made again only if no backend saw it."""

    IDEMPOTENT = 1
    """The same as of one: it may be made again when it has failed."""

    SAFE = 2
    """Nothing: two may be under way at a time, and one be given up for another."""


KeyOf: TypeAlias = "Callable[[Call], bytes | None]"
"""Returns what calls that are to go to one node have in common; None for nothing."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the calls of a method are made.

    Attributes:
        repeats: Whether a call may be made more than once.
        key: What keeps calls together; None for nothing.
    """

    repeats: Repeats = Repeats.NEVER
    key: KeyOf | None = None
