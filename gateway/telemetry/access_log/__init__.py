"""The access log: a line for each thing that a client asked, written beside the event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from gateway.record import CallRecord, RequestRecord
from gateway.telemetry.access_log.json_lines import JsonLines
from gateway.telemetry.access_log.ncsa import NcsaLines
from gateway.telemetry.access_log.redaction import Redaction
from gateway.telemetry.access_log.writer import Writer


class Lines(Protocol):
    """Writes records as lines."""

    def line(self, record: RequestRecord, *, brief: bool = False) -> str | None:
        """Returns the line of a record that is complete; None for what has none.

        A brief one is what a pipe takes in one piece, below 4 KiB.
        """


FORMATS: Final[Mapping[str, Callable[[Redaction], Lines]]] = {
    "json": JsonLines,
    "ncsa": NcsaLines,
}
"""What writes lines, by the config's name of the form."""


class AccessLog:
    """Writes what was asked (`gateway.record.Keeper`).

    Args:
        lines: How.
        writer: Where to.
    """

    def __init__(self, lines: Lines, writer: Writer) -> None:
        self._line = lines.line
        self._write = writer.write
        self.writer = writer

    def called(self, call: CallRecord) -> None:
        """See Keeper: calls are in the lines of what made them."""

    def asked(self, request: RequestRecord) -> None:
        """See Keeper."""
        line = self._line(request)
        if line is not None and len(line) > self.writer.most:
            line = self._line(request, brief=True)
        if line is not None:
            self._write(line)


def lines_of(form: str, redact: Sequence[str]) -> Lines:
    """Returns what writes lines in a form, without the values of these query parameters."""
    return FORMATS[form](Redaction(redact))
