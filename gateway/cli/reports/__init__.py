"""Reports of findings: one for people, and the forms that other programs read.

Each form is a function from a report to text. What is in a report, the command decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from gateway.cli.reports import as_json, junit, sarif
from gateway.cli.reports.report import Report


class Format(StrEnum):
    """What a report can be written as."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


FORMS: Final[Mapping[Format, Callable[[Report], str]]] = {
    Format.JSON: as_json.written,
    Format.SARIF: sarif.written,
    Format.JUNIT: junit.written,
}
"""What writes each form for programs; `TEXT` is lines on standard error and is the command's."""

__all__ = ["FORMS", "Format", "Report"]
