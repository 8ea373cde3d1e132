"""`gateway routes`: every REST route, GraphQL field and WebSocket, and what it calls."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.app.inventory import MULTIPLEXED, VIEW, Row, as_json, rows_of, unserved
from gateway.app.views import UnknownHostError
from gateway.cli import options
from gateway.cli.building import examined
from gateway.cli.configuration import reader
from gateway.cli.failure import Failure

app = typer.Typer(add_completion=False)

_NOT_SERVED = "(not served)"


@app.command()
def routes(
    *,
    config: options.Config = None,
    set_: options.Set = None,
    host: options.Host = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Also list services that no upstream takes."),
    ] = False,
    in_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every REST route, root field of the graph and WebSocket, and the RPC that it calls.

    Backends need not run, but for those that `schema.reflection` names.
    """
    generation = asyncio.run(examined(reader(config, set_)))
    try:
        rows = rows_of(generation, host)
    except UnknownHostError as unknown:
        raise Failure(str(unknown)) from unknown
    rows += unserved(generation) if every else ()
    if in_json:
        typer.echo(json.dumps([as_json(row) for row in rows], indent=2))
    elif not rows:
        typer.echo("nothing is served: the config has no front on, or no method", err=True)
    else:
        _print_table(rows)


def _absent(row: Row) -> str:
    return "-" if row.kind in {VIEW, MULTIPLEXED} else _NOT_SERVED


def _print_table(rows: Sequence[Row]) -> None:
    head: tuple[str, ...] = ("REACHED BY", "PATH, FIELD", "RPC", "KIND", "UPSTREAM")
    texts: list[tuple[str, ...]] = [(*row[:4], row.upstream or _absent(row)) for row in rows]
    if any(row.hosts for row in rows):
        head = ("HOST", *head)
        texts = [
            (", ".join(row.hosts) or "-", *text) for row, text in zip(rows, texts, strict=True)
        ]
    if sys.stdout.isatty():
        # Only terminals need it, and only then is its import worth its time.
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in head:
            table.add_column(title, overflow="fold")
        for text in texts:
            table.add_row(*text)
        Console(markup=False, emoji=False, highlight=False).print(table)
        return
    widths = [max(map(len, column)) for column in zip(head, *texts, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *texts)
    )
    typer.echo("\n".join(lines))
