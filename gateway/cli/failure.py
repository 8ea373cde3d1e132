"""What goes wrong for a user: lines to read instead of a traceback, and an exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, beside 0."""

    FAILED = 1
    """Something did not work: a port is taken, a call failed."""

    MISTAKE = 2
    """The config, the protos or the command line are wrong. Nothing was started."""


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
