"""What is raised for a config that can be read and can't be served."""

import re
from collections.abc import Iterable
from typing import Final

_PLACED: Final = re.compile(r"(?P<file>[^\s:]+):(?P<line>\d+)(?::(?P<column>\d+))?: ")


class BuildError(Exception):
    """A config that can't be served.

    Attributes:
        problems: Everything that is wrong, each a line for the person who wrote it. Those of one
            file are in the order of its lines.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = in_order(problems)
        super().__init__("\n".join(self.problems))


def in_order(problems: Iterable[str]) -> tuple[str, ...]:
    """Returns problems by file and line; files, and what has no line, in the order of the first.

    Args:
        problems: Lines, `gateway.yaml:12:5: policies: …`.
    """
    lines = tuple(problems)
    files: dict[str, int] = {}
    keys = []
    for line in lines:
        placed = _PLACED.match(line)
        file = placed["file"] if placed else ""
        at = (int(placed["line"]), int(placed["column"] or 0)) if placed else (0, 0)
        keys.append((files.setdefault(file, len(files)), at))
    return tuple(
        line for _, line in sorted(zip(keys, lines, strict=True), key=lambda each: each[0])
    )
