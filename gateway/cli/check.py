"""`gateway check`: every mistake at once, and nothing started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gateway.app import settings
from gateway.cli import options
from gateway.cli.building import MISTAKES, examined, lines_of
from gateway.cli.configuration import reader
from gateway.cli.failure import Exit, Failure
from gateway.cli.graph_changes import changes_since
from gateway.cli.running import print_notes
from gateway.cli.serving import summary
from gateway.config import Loaded
from gateway.listener import TlsError
from gateway.listener.tls import context

app = typer.Typer(add_completion=False)


@app.command()
def check(
    *,
    schema_diff: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also compare the graph with this one (as `generate graphql` writes it), and fail "
            "on changes that break clients.",
        ),
    ] = None,
    config: options.Config = None,
    set_: options.Set = None,
) -> None:
    """Report every mistake in the config, protos, HTTP rules and the graph; start nothing.

    Each is a line on standard error, `file:line:column: path: message`, and the exit code is 2.
    The config comes first: what it names can be looked at only when it can be read. TLS files are
    read; backends are asked only where the config says `schema.reflection`.
    """
    asyncio.run(_check(reader(config, set_), schema_diff))


async def _check(read: Callable[[], Loaded], schema_diff: Path | None) -> None:
    try:
        loaded = read()
    except MISTAKES as mistake:
        raise Failure(*lines_of(mistake)) from mistake
    problems = _tls_problems(loaded)
    try:
        generation = await examined(lambda: loaded)
    except Failure as failure:
        raise Failure(*problems, *failure.lines) from failure
    if problems:
        raise Failure(*problems)
    print_notes(generation.warnings, generation.config)
    for note in generation.notes:
        typer.echo(f"note: {note}", err=True)
    if schema_diff is not None:
        changes = changes_since(schema_diff, generation)
        for change in changes.dangerous:
            typer.echo(f"warning: {change}", err=True)
        if changes.breaking:
            raise Failure(*changes.breaking, code=Exit.FAILED)
    typer.echo(f"ok: {summary(generation)}")


def _tls_problems(loaded: Loaded) -> list[str]:
    """Returns what is wrong with the listener's TLS files."""
    tls = settings.listener_tls(loaded.config.listener)
    if tls is None:
        return []
    try:
        context(tls)
    except TlsError as error:
        return [f"{loaded.source.locate('listener.tls')}: listener.tls: {error}"]
    return []
