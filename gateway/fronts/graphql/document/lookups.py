"""How often documents and plans were there when they were asked for, in numbers. They only grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Lookups:
    """The lookups of all graphs of a process.

    Attributes:
        hits: Documents that were kept, those that are refused among them.
        misses: Documents that were not.
        evictions: Documents that made room for others.
        plan_hits: Plans of operations that were kept.
        plan_misses: Plans that were made.
    """

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    plan_hits: int = 0
    plan_misses: int = 0
