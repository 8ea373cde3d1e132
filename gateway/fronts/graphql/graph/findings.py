"""What is found while the graph is made: what can be lived with, and what can't."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from gateway.schema.problem import Problem


def near(name: str, known: Iterable[str]) -> str:
    """Returns a hint that names what was probably meant, or nothing."""
    found = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {found[0]}?" if found else ""


class Findings:
    """Collects warnings and problems, none twice.

    Attributes:
        warnings: Sentences for the operator, in the order of their finding.
        streaming: Methods that are left out as their requests are streams.
        problems: What the graph can't be made with.
    """

    def __init__(self, *, clashes_fail: bool) -> None:
        self.warnings: dict[str, None] = {}
        self.streaming: list[str] = []
        self.problems: dict[Problem, None] = {}
        self._clashes_fail = clashes_fail

    def warn(self, text: str) -> None:
        """Notes what an operator should know and can live with."""
        self.warnings[text] = None

    def refuse(self, where: str, message: str, hint: str = "") -> None:
        """Notes what is wrong."""
        self.problems[Problem(where, message=message, hint=hint)] = None

    def clash(
        self, where: str, name: str, sources: Sequence[str], names: Sequence[str], *, taken: bool
    ) -> None:
        """Notes that several would have one name, and what they are called instead.

        Args:
            where: Where the first of them is declared.
            name: The name that they would have.
            sources: What they are in the protos.
            names: What each is called.
            taken: Whether the name is one that the graph needs for itself.
        """
        told = ", ".join(f"{s} is {n}" for s, n in zip(sources, names, strict=True))
        text = (
            f"{name} would be the name of {' and '.join(sources)}"
            + (", and is the graph's own" if taken else "")
            + f": {told}"
        )
        if self._clashes_fail:
            self.refuse(where, text, "names: fail forbids it; give them names by option")
        else:
            self.warn(text)
