"""What goes wrong for a user: lines to read instead of a traceback, and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, beside 0."""

    FAILED = 1
    """Something did not work: a port is taken, a call failed."""

    MISTAKE = 2
    """The config, the protos or the command line are wrong. Nothing was started."""


DEBUG = "GATEWAY_DEBUG"
"""The environment variable that asks for tracebacks."""


def bug_lines(bug: Exception) -> Sequence[str]:
    """Returns what a user is told of a bug of the gateway."""
    text = str(bug).partition("\n")[0]
    return (
        f"gateway failed on a bug: {type(bug).__name__}: {text}",
        f"Please report it, with what it prints with {DEBUG}=1 set.",
    )


class Failure(Exception):  # noqa: N818  it is no error of the program
    """Ends the command.

    Attributes:
        lines: What is printed on standard error.
        code: What the process exits with.
    """

    def __init__(self, *lines: str, code: Exit = Exit.MISTAKE) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.code = code
