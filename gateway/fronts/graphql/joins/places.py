"""Where something is written, and how it is told that something is wrong there."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphql import Node

from gateway.schema.problem import Problem


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file.

    Attributes:
        where: The file as the user named it, or a place of the configuration.
        line: From 1; 0 where there is none.
        column: From 1; 0 where there is none.
    """

    where: str = "graphql.lookups"
    line: int = 0
    column: int = 0

    @classmethod
    def of(cls, origin: str, node: Node) -> Place:
        """Returns where a node of a parsed file begins."""
        if node.loc is None:
            return cls(origin)
        token = node.loc.start_token
        return cls(origin, token.line, token.column)

    def __str__(self) -> str:
        """The file and the line: `schema/joins.graphql:3`."""
        return f"{self.where}:{self.line}" if self.line else self.where


@dataclass(slots=True)
class Findings:
    """What was found in all files and lookups, so that everything is told at once."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def wrong(self, place: Place, message: str, hint: str = "") -> None:
        """Notes what makes the graph impossible."""
        self.problems.append(Problem(place.where, place.line, place.column, message, hint))

    def warn(self, place: Place, message: str, hint: str = "") -> None:
        """Notes what an operator should know and can live with."""
        self.warnings.append(Problem(place.where, place.line, place.column, message, hint))
