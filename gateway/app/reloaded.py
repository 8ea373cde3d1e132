"""What a reload says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.app.effects import Effect, bounded

_OPENED = 20
_CHANGED = 40


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A reload that took place.

    Attributes:
        later: The keys that differ from those of the start, and take effect at the next one.
        effects: What it changed.
    """

    later: Sequence[str]
    effects: Sequence[Effect]

    @property
    def opened(self) -> list[str]:
        """What somebody may do now who could not before, as lines; not too many."""
        return bounded([each for each in self.effects if each.opens], _OPENED)

    @property
    def changed(self) -> list[str]:
        """All else that holds from now on, as lines; not too many."""
        return bounded([each for each in self.effects if not (each.opens or each.later)], _CHANGED)
