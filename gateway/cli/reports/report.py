"""A report: what a command found, and what it looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from urllib.parse import quote

from gateway.app.findings import Finding, Severity

_NO_FILES = ("--", "default")


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Attributes:
        findings: In the order in which they are told.
        config: The config's file; empty where there is none that can be read. What no other file is
            the cause of is told of it: tools that show findings beside lines have no other place.
        summary: What is served, in a line; empty where it can't be.
    """

    findings: tuple[Finding, ...]
    config: str = ""
    summary: str = ""

    def count(self, severity: Severity) -> int:
        """Returns how many findings are as bad as that."""
        return Counter(each.severity for each in self.findings)[severity]


def uri_of(file: str) -> str | None:
    """Returns a file as a relative URI reference (RFC 3986 section 4.2); None for what is no file.

    What is not below the current folder is an absolute one.

    Args:
        file: As a finding names it.
    """
    if not file or file.startswith(_NO_FILES):
        return None
    path = Path(normpath(Path.cwd() / file))  # links stay: a repository names what is in it
    if path.is_relative_to(Path.cwd()):
        return quote(path.relative_to(Path.cwd()).as_posix())
    return path.as_uri()
