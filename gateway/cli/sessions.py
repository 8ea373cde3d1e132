"""`gateway sessions`: the WebSockets that a gateway that runs has open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from gateway.cli import options
from gateway.cli.admin_client import Admin, Token, get, other_release, place
from gateway.cli.entry_file import table
from gateway.config.problems import printable
from gateway.config.units import format_duration

app = typer.Typer(add_completion=False)

_HEADS: Final = (
    *("ID", "FORM", "CALLER", "PEER", "HOST", "PATH", "AGE", "STREAMS", "CREDIT"),
    *("BYTES IN", "BYTES OUT"),
)


class Format(StrEnum):
    """How it is written."""

    TABLE = "table"
    JSON = "json"


@app.command()
def sessions(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many at most.")] = 100,
    after: Annotated[
        str | None, typer.Option(metavar="ID", help="Those that were opened after this one.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
    admin: Admin = None,
    token: Token = None,
    config: options.Config = None,
    settings: options.Set = None,
) -> None:
    """List the WebSockets that are open: whose they are, since when, and what runs over them.

    It asks the gateway that runs, at its admin listener: the one that the config names, or that
    --admin does. Workers of that gateway are all asked.
    """
    where = place(admin, config, settings, token)
    query = {"limit": str(limit), **({} if after is None else {"after": after})}
    body = get(where, "/sessions", query).decode()
    if form is Format.JSON:
        typer.echo(body, nl=False)
        return
    answer = json.loads(body)
    try:
        rows = [_cells(row) for row in answer["rows"]]
        open_, waiting, rest = answer["count"], answer["waiting"], answer.get("after")
    except (LookupError, TypeError, AttributeError):
        raise other_release(where) from None
    for line in table(_HEADS, rows) if rows else ():
        typer.echo(line)
    typer.echo(f"{open_:,} open, {waiting:,} sessions wait for their clients", err=True)
    if rest is not None:
        typer.echo(f"there are more: --after {rest}", err=True)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    caller = row["principal"]
    told = (
        *(row["id"], row["form"], _name(caller), row["peer"], row["host"], row["path"]),
        *(format_duration(round(row["age"])), _number(row, "streams"), _number(row, "credit")),
        *(_number(row, "received"), _number(row, "sent")),
    )
    return tuple(printable(str(each)) or "-" for each in told)


def _name(caller: Mapping[str, str] | None) -> str:
    return "(anonymous)" if caller is None else f"{caller['provider']}:{caller['subject']}"


def _number(row: Mapping[str, Any], name: str) -> str:
    return f"{row[name]:,}" if name in row else "-"
