"""What the config's reader, the schema's loader and the app tell, as findings.

Some of them tell problems with their places apart, some tell lines, `file:line:column: path: text`,
which are a contract of what the gateway prints: a line is taken apart here, and written as it was
when its finding is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Final

from gateway.app.findings import Finding, Severity
from gateway.cli.building import lines_of
from gateway.config import Config
from gateway.config.problems import Problem as ConfigProblem
from gateway.config.problems import printable
from gateway.schema.problem import Problem as SchemaProblem

_SECTIONS: Final = "|".join(each.name for each in fields(Config))
_PART: Final = r'(?:\.(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9_-]+))'
_PATH: Final = re.compile(rf"(?P<path>(?:{_SECTIONS}){_PART}*): (?=.)", re.DOTALL)
_SECTION: Final = re.compile(rf"(?P<section>{_SECTIONS})(?=[.\[: ])")
_PLACE: Final = re.compile(
    r"(?P<file>(?:--\S+ )?[^\s:]+)(?::(?P<line>\d+)(?::(?P<column>\d+))?): (?=.)"
    r"|(?P<whole>--set \S+?…|default|\S+\.(?:ya?ml|json|proto|graphql|binpb|pem|crt|key|py)): (?=.)"
)
_KINDS: Final = {"proto": "proto", "binpb": "proto", "graphql": "document"}


def of_mistake(mistake: Exception) -> list[Finding]:
    """Returns what is wrong, by what was raised for it (`gateway.cli.building.MISTAKES`)."""
    problems: Iterable[object] = getattr(mistake, "problems", None) or lines_of(mistake)
    return [_of(each) for each in problems]


def of_line(line: str, severity: Severity) -> Finding:
    """Returns what a line tells that the gateway would print; `str` gives the line again.

    Args:
        line: `gateway.yaml:12:5: policies.0.timeout: …`, a place and words, or words alone.
        severity: How bad it is.
    """
    place = _PLACE.match(line)
    file, rest = ("", line) if place is None else (_file(place), line[place.end() :])
    numbers = (0, 0) if place is None else (int(place["line"] or 0), int(place["column"] or 0))
    path = _PATH.match(rest)
    name = path["path"] if path else ""
    return Finding(
        _rule(file, rest),
        severity,
        rest[path.end() :] if path else rest,
        file,
        *numbers,
        path=name,
    )


def _of(problem: object) -> Finding:
    if isinstance(problem, ConfigProblem):
        return Finding(
            _rule(problem.file, f"{problem.path}: "),
            Severity.ERROR,
            printable(problem.message),
            printable(problem.file),
            problem.line or 0,
            problem.column or 0,
            printable(problem.path),
        )
    if isinstance(problem, SchemaProblem):
        hint = f" ({problem.hint})" if problem.hint else ""
        return Finding(
            _rule(problem.where, ""),
            Severity.ERROR,
            f"{problem.message}{hint}",
            problem.where,
            problem.line,
            problem.column,
        )
    return of_line(str(problem), Severity.ERROR)


def _file(place: re.Match[str]) -> str:
    return place["whole"] or place["file"]


def _rule(file: str, text: str) -> str:
    """Returns the kind of a finding: by the config's section that it is of, or by its file."""
    if section := _SECTION.match(text):
        return f"config.{section['section']}"
    ending = file.rpartition(".")[2]
    if ending in _KINDS:
        return _KINDS[ending]
    return "config" if file else "serving"
