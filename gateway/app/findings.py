"""What is found in a config, its protos, or a change of them: one form for all who report it.

A finding is data: a rule, how bad it is, where it is written, and words. How it is printed, and
what a command exits with, is `gateway.cli`'s to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is, the worst first."""

    ERROR = "error"
    """It can't be served, or breaks who relies on it."""

    WARNING = "warning"
    """It can be served; an operator should know."""

    NOTE = "note"
    """It is so by design."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        rule: The kind of it, in lower case: `config.listener`, `rest.route-removed`. Stable: tools
            count and mute findings by it.
        severity: How bad it is.
        message: What is so, and what was expected. It may have several lines.
        file: The file that has its cause, as the user named it, or another origin such as
            `--set a.b=…`; empty where it has none.
        line: From 1; 0 where there is none.
        column: From 1; 0 where there is none.
        path: The config's key, dotted, or what else the message is about (`GET /v1/users/{id}`);
            empty for none.
    """

    rule: str
    severity: Severity
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""

    @property
    def place(self) -> str:
        """`file:line:column`, as far as each is known."""
        return ":".join(
            [self.file, *(str(number) for number in (self.line, self.column) if number)]
        )

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.path, self.message) if part)


@dataclass(frozen=True, slots=True)
class About:
    """What a rule is about, for who meets a finding of it in another program.

    Attributes:
        title: In a few words.
        help: Why it matters, and what to do.
    """

    title: str
    help: str
