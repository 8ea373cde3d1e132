"""What became of reloads: counts and times, for metrics and the admin listener.

A gateway of one process keeps them itself. Of several workers the supervisor does, as what it
refuses may never come to a worker; each worker keeps which config it serves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

RELOAD: Final = "reload"
"""Asked for in place of a request's id: why the last reload was refused."""

_MOST: Final = 100  # problems of a config that are kept


@dataclass(slots=True)
class Reloads:
    """What became of all reloads since the start.

    Attributes:
        digest: Of the config that serves; see `gateway.app.digest`.
        generation: How many configs have served, this one included.
        succeeded: How many reloads there were.
        failed: How many were refused: the config before went on.
        last: When the last one ended, in seconds since 1970; None before the first.
        last_failed: Whether that one was refused, by one worker at least.
        is_partial: Whether others serve what that one brought.
        problems: Why, as lines; empty where it was not.
    """

    digest: str = ""
    generation: int = 1
    succeeded: int = 0
    failed: int = 0
    last: float | None = None
    last_failed: bool = False
    is_partial: bool = False
    problems: tuple[str, ...] = ()

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How many there were of each outcome, as metrics name it."""
        return {"ok": self.succeeded, "failed": self.failed}

    def began(self, digest: str) -> None:
        """Takes note of the config of the start."""
        self.digest = digest

    def succeed(self, now: float, *, digest: str = "", generation: int | None = None) -> None:
        """Takes note of a config that serves now.

        Args:
            now: Seconds since 1970.
            digest: The config's; nothing where only workers tell it.
            generation: Its number, if not the next.
        """
        self.succeeded += 1
        self.generation = self.generation + 1 if generation is None else generation
        self.digest, self.last, self.last_failed = digest, now, False
        self.is_partial, self.problems = False, ()

    def fail(
        self, now: float, problems: Iterable[object] = (), *, is_partial: bool = False
    ) -> None:
        """Takes note of a config that was refused, and why.

        Args:
            now: Seconds since 1970.
            problems: Why.
            is_partial: Whether only some workers refused it, and the others serve it.
        """
        self.failed += 1
        self.is_partial = is_partial
        self.problems = tuple(map(str, islice(problems, _MOST)))
        self.last, self.last_failed = now, True

    def told(self) -> dict[str, object]:
        """Returns what is answered to why: whether the last was `refused`, when, the `problems`."""
        return {"refused": self.last_failed, "at": self.last, "problems": list(self.problems)}
