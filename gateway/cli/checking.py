"""Looks at all that a config makes, and gathers what is found; nothing is served.

What a config is compared with is looked at once it is right itself: a command says what that is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Final, NamedTuple

import typer

from gateway.app import Generation, settings
from gateway.app.findings import Finding, Severity
from gateway.cli.building import MISTAKES, looked_at
from gateway.cli.failure import Exit, Failure
from gateway.cli.findings import of_line, of_mistake
from gateway.cli.reports import Report
from gateway.cli.running import openness
from gateway.cli.serving import summary
from gateway.config import Loaded
from gateway.listener import TlsError
from gateway.listener.tls import context

_PREFIXES: Final = {Severity.WARNING: "warning: ", Severity.NOTE: "note: "}


class Checked(NamedTuple):
    """What a check comes to.

    Attributes:
        report: What was found.
        code: What the command exits with; None where all is well.
    """

    report: Report
    code: Exit | None


async def checked(
    read: Callable[[], Loaded], compared: Callable[[Generation], Awaitable[Iterable[Finding]]]
) -> Checked:
    """Looks at all that a config makes.

    Args:
        read: Reads the config.
        compared: What changed since something older; asked of what can be served. An error in it
            breaks clients, and is no mistake.

    What it can't be compared with is a mistake, too: no report is left unwritten.
    """
    try:
        loaded = read()
    except MISTAKES as mistake:
        return Checked(Report(tuple(of_mistake(mistake))), Exit.MISTAKE)
    config = loaded.source.root.place.file
    wrong = _tls_problems(loaded)
    try:
        generation = await looked_at(loaded)
    except MISTAKES as mistake:
        return Checked(Report((*wrong, *of_mistake(mistake)), config), Exit.MISTAKE)
    if wrong:
        return Checked(Report(tuple(wrong), config), Exit.MISTAKE)
    try:
        changes = tuple(await compared(generation))
    except Failure as failure:
        lines = (of_line(each, Severity.ERROR) for each in failure.lines)
        return Checked(Report((*_told(generation), *lines), config), failure.code)
    broken = any(each.severity is Severity.ERROR for each in changes)
    found = (*_told(generation), *changes)
    return Checked(Report(found, config, summary(generation)), Exit.FAILED if broken else None)


def strictly(report: Report, code: Exit | None) -> Checked:
    """Returns what a check comes to where every warning is an error."""
    found = tuple(
        replace(each, severity=Severity.ERROR) if each.severity is Severity.WARNING else each
        for each in report.findings
    )
    if found == report.findings:
        return Checked(report, code)
    return Checked(replace(report, findings=found), code or Exit.FAILED)


def print_findings(report: Report) -> None:
    """Prints a report for people: findings on standard error, errors last, or that all is well.

    A line of an error is as the gateway prints it anywhere.
    """
    errors = []
    for each in report.findings:
        if each.severity is Severity.ERROR:
            errors.append(str(each))
        else:
            typer.echo(f"{_PREFIXES[each.severity]}{each}", err=True)
    for line in errors:
        typer.echo(line, err=True)
    if not errors:
        typer.echo(f"ok: {report.summary}")


def _told(generation: Generation) -> list[Finding]:
    """Returns what an operator should know of what can be served."""
    found = [of_line(each, Severity.WARNING) for each in generation.warnings]
    if note := openness(generation.config):
        found.append(Finding("serving", Severity.NOTE, note))
    return [*found, *(of_line(each, Severity.NOTE) for each in generation.notes)]


def _tls_problems(loaded: Loaded) -> list[Finding]:
    """Returns what is wrong with the listener's TLS files."""
    tls = settings.listener_tls(loaded.config.listener)
    if tls is None:
        return []
    try:
        context(tls)
    except TlsError as error:
        line = f"{loaded.source.locate('listener.tls')}: listener.tls: {error}"
        return [of_line(line, Severity.ERROR)]
    return []
