"""`gateway usage`: what callers used, asked of a gateway that runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from gateway.cli import options
from gateway.cli.admin_client import JSON, Admin, Token, get, no_gateway, place
from gateway.cli.entry_file import table
from gateway.state.usage.counts import NUMBERS
from gateway.state.usage.formats import columns_of

app = typer.Typer(add_completion=False)

_HEADS: Final[Mapping[str, str]] = {
    "calls": "CALLS",
    "errors": "ERRORS",
    "request_messages": "MESSAGES IN",
    "request_bytes": "BYTES IN",
    "reply_messages": "MESSAGES OUT",
    "reply_bytes": "BYTES OUT",
}


class Format(StrEnum):
    """How it is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PROMETHEUS = "prometheus"


_KINDS: Final = {Format.JSON: JSON, Format.CSV: "text/csv", Format.PROMETHEUS: "text/plain"}


@app.command()
def usage(
    *,
    period: Annotated[
        str,
        typer.Option(
            metavar="PERIOD",
            help="today, month, a day such as 2026-11-21 or a month such as 2026-11; all in UTC.",
        ),
    ] = "today",
    by: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="What is told apart: any of principal, plan, method; '' for one sum.",
        ),
    ] = "principal,plan,method",
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
    admin: Admin = None,
    token: Token = None,
    config: options.Config = None,
    settings: options.Set = None,
) -> None:
    """Tell what callers used: calls, messages and bytes, of a day or a month.

    It asks the gateway that runs, at its admin listener: the one that the config names, or that
    --admin does.
    """
    where = place(admin, config, settings, token)
    written = Format.JSON if form is Format.TABLE else form
    asked = {"period": period, "by": by, "format": written.value}
    body = get(where, "/usage", asked, _KINDS[written]).decode()
    if form is not Format.TABLE:
        typer.echo(body, nl=False)
        return
    answer = json.loads(body)
    if not isinstance(answer, dict) or "rows" not in answer:
        raise no_gateway(where)
    _print(answer)


def _print(answer: Mapping[str, Any]) -> None:
    rows: Sequence[Mapping[str, Any]] = answer["rows"]
    if not rows:
        typer.echo(f"nothing was used in {answer['period']}", err=True)
        return
    columns = columns_of(dict(answer))
    heads = [*(name.upper() for name in columns), *(_HEADS[name] for name in NUMBERS)]
    most_first = sorted(rows, key=lambda row: -row["calls"])
    texts = [
        (*(_shown(row, name) for name in columns), *(f"{row[name]:,}" for name in NUMBERS))
        for row in most_first
    ]
    if sys.stdout.isatty():
        _print_for_people(heads, len(columns), texts)
        return
    for line in table(tuple(heads), texts):
        typer.echo(line)


def _shown(row: Mapping[str, Any], column: str) -> str:
    """Returns what tells a row apart, without what would move a terminal's cursor."""
    text = str(row[column])
    if not text:
        unknown = column == "subject" and not row["provider"]
        return "(anonymous)" if unknown else "-"
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _print_for_people(heads: Sequence[str], columns: int, texts: Sequence[Sequence[str]]) -> None:
    # Only terminals need it, and only then is its import worth its time.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for at, title in enumerate(heads):
        shown.add_column(title, overflow="fold", justify="left" if at < columns else "right")
    for text in texts:
        shown.add_row(*text)
    Console(markup=False, emoji=False, highlight=False).print(shown)
