"""`gateway check`: every mistake at once, and nothing started."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from gateway.app import Generation
from gateway.app.findings import Finding, Severity
from gateway.cli import options
from gateway.cli.against import changed_since
from gateway.cli.checking import checked, print_findings, strictly
from gateway.cli.configuration import reader
from gateway.cli.graph_changes import changes_since
from gateway.cli.hosts import with_one_graph
from gateway.cli.opened import opened_since
from gateway.cli.reports import FORMS, Format

app = typer.Typer(add_completion=False)


@app.command()
def check(
    *,
    format_: Annotated[
        Format,
        typer.Option(
            "--format",
            help="How findings are told: as lines on standard error, or as a report on standard "
            "output for other programs.",
        ),
    ] = Format.TEXT,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="OLD",
            help="Also compare with an older config, a folder that has one, or a file of `generate "
            "api`, and fail on changes that break clients of REST, GraphQL or WebSocket.",
        ),
    ] = None,
    accept: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A list of changes, with reasons, that --against lets pass."
        ),
    ] = None,
    schema_diff: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also compare the graph with this one (as `generate graphql` writes it), and fail "
            "on changes that break clients.",
        ),
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(
            metavar="OLD",
            help="Also tell by what methods and pages are open to more callers than with an older "
            "config, or that of a folder; --set holds for both.",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Fail on what --since tells; without --since, on every warning."
        ),
    ] = False,
    config: options.Config = None,
    set_: options.Set = None,
    host: options.Host = None,
) -> None:
    """Report every mistake in the config, protos, HTTP rules and the graph; start nothing.

    Each is a line on standard error, `file:line:column: path: message`, and the exit code is 2.
    The config comes first: what it names can be looked at only when it can be read. TLS files are
    read; backends are asked only where the config says `schema.reflection`.
    """
    if host is not None and schema_diff is None:
        raise typer.BadParameter("--host says whose graph --schema-diff is compared with")
    if accept is not None and against is None:
        raise typer.BadParameter("--accept is of the changes that --against finds")

    async def compared(generation: Generation) -> list[Finding]:
        found = []
        if schema_diff is not None:
            found += changes_since(schema_diff, with_one_graph(generation, host))
        if against is not None:
            found += await changed_since(against, generation, accept)
        if since is not None:
            severity = Severity.ERROR if strict else Severity.WARNING
            found += await opened_since(since, generation, severity, set_ or ())
        return found

    report, code = asyncio.run(checked(reader(config, set_), compared))
    if strict and since is None:
        report, code = strictly(report, code)
    if format_ is Format.TEXT:
        print_findings(report)
    else:
        typer.echo(FORMS[format_](report), nl=False)
    if code is not None:
        raise typer.Exit(code)
