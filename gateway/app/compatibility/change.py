"""A change of a surface, and a place to gather them in which none is told twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum


class Effect(Enum):
    """What a change does to clients that were right before, the worst first."""

    BREAKING = "breaking"
    """Some of what they do fails, or means something else."""

    DANGEROUS = "dangerous"
    """Whether it harms them, depends on what they do."""

    SAFE = "safe"
    """It harms nobody."""


_ORDER = list(Effect)


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        rule: The kind of it, `rest.route-removed`; its first part is the front, or what several
            fronts have in common. One of `rules.RULES`.
        effect: What it does to clients.
        subject: What has changed, `GET /v1/users/{id}`: with the rule, it names the change.
        message: What was, what is, and why that matters.
        element: The full name of a method, message, enum or field in whose proto it is best shown;
            empty where it is the config's.
        met: Where clients meet it, `GET /v1/users`; empty where the subject says so.
    """

    rule: str
    effect: Effect
    subject: str
    message: str
    element: str = ""
    met: tuple[str, ...] = field(default=(), compare=False)

    @property
    def id(self) -> str:
        """What names it from one run to the next, for a file of changes that are accepted."""
        return f"{self.rule} {self.subject}"


class Changes:
    """Changes by what names them. Of one that is found twice, both places are kept."""

    def __init__(self) -> None:
        self._found: dict[str, Change] = {}
        self._met: dict[str, dict[str, None]] = {}

    def __iter__(self) -> Iterator[Change]:
        """Yields them: the worst first, then by their names."""
        for each in sorted(
            self._found.values(), key=lambda each: (_ORDER.index(each.effect), each.id)
        ):
            yield replace(each, met=tuple(self._met[each.id]))

    def add(self, changes: Iterable[Change], *met: str) -> None:
        """Takes changes.

        Args:
            changes: What was found.
            met: Where clients meet them, beside what they say themselves.
        """
        for each in changes:
            name = each.id
            known = self._found.setdefault(name, each)
            if _ORDER.index(each.effect) < _ORDER.index(known.effect):
                self._found[name] = each
            places = self._met.setdefault(name, {})
            for place in (*each.met, *met):
                places[place] = None
