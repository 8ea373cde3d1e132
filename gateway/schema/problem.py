"""What is wrong with a schema, for the person who runs the gateway. Never shown to clients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        where: A path as the user wrote it (`protos/shop/v1/shop.proto`), a place in the
            configuration (`schema.http_rules[3]`), or a source (`reflection of upstream 'shop'`).
        line: 1-based line in the file, 0 where there is none.
        column: 1-based column in the line, 0 where there is none.
        message: What is wrong, and what was expected.
        hint: What to do about it, or empty.
    """

    where: str
    line: int = 0
    column: int = 0
    message: str = ""
    hint: str = ""

    def __str__(self) -> str:
        place = ":".join([self.where, *(str(n) for n in (self.line, self.column) if n)])
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class SchemaError(Exception):
    """A schema that can't be used. Its text lists every problem that was found, one a line.

    Attributes:
        problems: What is wrong: at least one, in the order of files and lines, none twice.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))
