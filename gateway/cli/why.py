"""`gateway why`: why a request went as it did, asked of the gateway that served it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from gateway.cli import options
from gateway.cli.admin_client import Admin, Token, get, other_release, place
from gateway.cli.entry_file import table
from gateway.cli.failure import Exit, Failure
from gateway.cli.sessions import Format
from gateway.cli.why_words import lines_of, nothing_lines, reload_lines
from gateway.config.problems import printable
from gateway.config.units import say_time
from gateway.operations.reloads import RELOAD

app = typer.Typer(add_completion=False)

_USUAL: Final = 20
_HEADS: Final = ("TIME", "ID", "FRONT", "WHAT", "STATUS", "CODE", "REASON", "TOOK")


@app.command()
def why(
    *,
    id_: Annotated[
        str | None,
        typer.Argument(
            metavar="REQUEST_ID",
            show_default=False,
            help="The x-request-id of the answer; or `reload`, for why the last one was refused.",
        ),
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="List the last requests that are kept instead.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Of --last, so many.")] = _USUAL,
    failed: Annotated[bool, typer.Option("--failed", help="Of --last, failures alone.")] = False,
    method: Annotated[
        str | None, typer.Option(metavar="GLOB", help="Of --last, of these methods alone.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
    admin: Admin = None,
    token: Token = None,
    config: options.Config = None,
    settings: options.Set = None,
) -> None:
    """Tell why a request went as it did: what was asked, how it ended, where the time went.

    It asks the gateway that runs, at its admin listener, which keeps the last failures and a sample
    of the rest (telemetry.recorder). Workers of that gateway are all asked.
    """
    if (id_ is None) == (not last):
        raise typer.BadParameter("give one of REQUEST_ID and --last")
    if not last and (failed or method is not None or limit != _USUAL):
        raise typer.BadParameter("--limit, --failed and --method say what of --last is listed")
    where = place(admin, config, settings, token)
    if id_ is None:
        query = {"limit": str(limit), **({"failed": "1"} if failed else {})}
        query |= {} if method is None else {"method": method}
        body = get(where, "/recent", query)
    else:
        body = get(where, f"/why/{quote(id_, safe='')}", {})
    try:
        told = json.loads(body)
        if form is Format.JSON:
            typer.echo(json.dumps(told))  # in ASCII: nothing in it moves a cursor
            return
        if id_ is None:
            _print_rows(told)
        else:
            _print_why(id_, told)
    except (LookupError, TypeError, AttributeError, ValueError):
        raise other_release(where) from None


def _print_why(id_: str, told: Mapping[str, Any]) -> None:
    if id_ == RELOAD:
        for line in reload_lines(told["reload"]):
            typer.echo(line)
        return
    rows = told["rows"]
    for number, row in enumerate(rows):
        if number:
            typer.echo()
        for line in lines_of(row):
            typer.echo(line)
    if silent := told.get("unanswered"):
        typer.echo(f"{silent} workers did not answer", err=True)
    if not rows:
        raise Failure(*nothing_lines(id_, told["kept"]), code=Exit.FAILED)


def _print_rows(told: Mapping[str, Any]) -> None:
    rows = [_cells(row) for row in told["rows"]]
    for line in table(_HEADS, rows) if rows else ():
        typer.echo(line)
    kept = told["kept"]
    typer.echo(
        f"{kept['failures']:,} failures and {kept['others']:,} others are kept, of "
        f"{kept['seen']:,} requests",
        err=True,
    )


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    status = row["close"] or row["status"]
    told = (
        *(row["time"], row["request_id"], row["front"], row["what"], status, row["code"]),
        *(row["reason"], say_time(row["seconds"])),
    )
    return tuple(printable(str(each or "-")) for each in told)
