"""What is wrong with a configuration, and where: the one form in which every error is reported.

It decides nothing; it only holds and prints. The caller prints the problems and exits.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_SHOWN = 5  # mistakes of a file that are told at once
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written.

    Attributes:
        file: The file as the user named it, or another origin such as `--set a.b=…`.
        line: From 1; None where the origin has no lines.
        column: From 1; None where the origin has no lines.
    """

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: `file:line:column: path: message` on one line.

    Attributes:
        file: As in `Place`.
        line: As in `Place`.
        column: As in `Place`.
        path: The key's dotted path; empty when the file as a whole is at fault.
        message: What was found, what was expected. Never the value of a secret.
    """

    file: str
    line: int | None
    column: int | None
    path: str
    message: str

    @classmethod
    def at(cls, place: Place, path: Path, message: str) -> "Problem":
        """The problem of the key at `path`, written at `place`."""
        return cls(place.file, place.line, place.column, format_path(path), message)

    def __str__(self) -> str:
        place = str(Place(self.file, self.line, self.column))
        return printable(": ".join(part for part in (place, self.path, self.message) if part))


class ConfigError(Exception):
    """A configuration that cannot be used, with everything that is wrong with it.

    Attributes:
        problems: At least one, in the order of the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def on_one_line(problems: Sequence[Problem]) -> str:
    """Mistakes as they go into a log, or after the place of a key: the first few of them."""
    lines = [str(problem) for problem in problems[:_SHOWN]]
    more = len(problems) - len(lines)
    return "; ".join([*lines, *([f"and {more} more"] if more else [])])


def printable(text: str) -> str:
    """`text` with what would move a terminal's cursor escaped."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def format_path(path: Path) -> str:
    """The dotted form of a key's path; names that hold more than letters are quoted."""
    return ".".join(
        str(part)
        if isinstance(part, int) or _PLAIN_NAME.match(part)
        else json.dumps(part, ensure_ascii=False)
        for part in path
    )


def parse_path(text: str) -> Path:
    """The path that `format_path` prints. Digits stay text: only the tree knows its lists.

    Raises:
        ValueError: Where a part is empty or a quote is not closed.
    """
    parts: list[str | int] = []
    rest = text
    while True:
        if rest.startswith('"'):
            part, length = json.JSONDecoder().raw_decode(rest)
            rest = rest[length:]
        else:
            part = rest.partition(".")[0]
            rest = rest[len(part) :]
        if not part:
            raise ValueError("an empty name in the path")
        parts.append(part)
        if not rest:
            return tuple(parts)
        if not rest.startswith("."):
            raise ValueError("expected a dot after a quoted name")
        rest = rest[1:]
