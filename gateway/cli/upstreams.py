"""`gateway upstreams`: the backends of a gateway that runs, and how each does."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli import options
from gateway.cli.admin_client import Admin, Place, Token, get, no_gateway, other_release, place
from gateway.cli.entry_file import table
from gateway.cli.interrupting import until_interrupted
from gateway.cli.upstream_table import (
    SPARE,
    TEXTS,
    TOTALS,
    Seen,
    idle,
    narrowed,
    reasons,
    rows,
    settled,
    silent,
    totals,
)

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

app = typer.Typer(add_completion=False)

_INTERVAL: Final = 1.0  # seconds between two looks
_GOOD: Final = frozenset({"ready", "idle"})
_COMING: Final = frozenset({"connecting", "draining"})


class Format(StrEnum):
    """How it is written."""

    TABLE = "table"
    JSON = "json"


@app.command()
def upstreams(
    *,
    name: Annotated[
        str | None, typer.Argument(metavar="[UPSTREAM]", help="This one only.", show_default="all")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print it, and end.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TABLE,
    admin: Admin = None,
    token: Token = None,
    config: options.Config = None,
    settings: options.Set = None,
) -> None:
    """Tell how the backends do: state, calls in flight, latency, failures, ejections, and why.

    In a terminal it goes on until Ctrl-C, and looks each second. It asks the gateway that runs, at
    its admin listener: the one that the config names, or that --admin does. Of several workers the
    numbers are added up, and the worst is told.
    """
    where = place(admin, config, settings, token)
    query = {} if name is None else {"upstream": name}
    if form is Format.JSON:
        typer.echo(get(where, "/upstreams", query).decode(), nl=False)
    elif once or not sys.stdout.isatty():
        _print(_seen(where, query))
    else:
        with until_interrupted() as interrupted:
            _watch(where, query, interrupted)


def _seen(where: Place, query: Mapping[str, str]) -> Seen:
    try:
        answer = json.loads(get(where, "/upstreams", query))
    except (ValueError, RecursionError):  # the latter is of what is nested too deep
        raise no_gateway(where) from None
    if not isinstance(answer, dict) or "upstreams" not in answer:
        raise no_gateway(where)
    seen = Seen(answer, time.monotonic())
    try:
        rows(seen)
        totals(answer)
    except (LookupError, TypeError, ValueError, AttributeError):
        raise other_release(where) from None
    return seen


def _print(now: Seen) -> None:
    if missing := silent(now.answer):
        typer.echo(missing, err=True)
    for heads, texts in (settled(rows(now)), totals(now.answer)):
        for line in table(heads, texts):
            typer.echo(line)
        typer.echo()


def _watch(where: Place, query: Mapping[str, str], interrupted: Callable[[], bool]) -> None:
    """Shows it until it is interrupted; a gateway that ends, ends it."""
    # Only terminals need it, and only then is its import worth its time.
    from rich.console import Console  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415

    now = _seen(where, query)
    console = Console(markup=False, emoji=False, highlight=False)
    with Live(
        _shown(now, None, console.width), console=console, auto_refresh=False, screen=True
    ) as live:
        while not interrupted():
            time.sleep(_INTERVAL)
            before, now = now, _seen(where, query)
            live.update(_shown(now, before, console.width), refresh=True)


def _shown(now: Seen, before: Seen | None, width: int) -> Group:
    """Returns what a terminal shows; of a narrow one, why endpoints are out stands below."""
    from rich.console import Group  # noqa: PLC0415  as above
    from rich.text import Text  # noqa: PLC0415  as above

    found = rows(now, before)
    heads, texts = narrowed(*settled(found), width, SPARE)
    why = [] if "WHY" in heads else [Text(each) for each in reasons(found)]
    whole, counted = totals(now.answer)
    whole, counted = narrowed(whole, counted, width, idle(whole, counted))
    below = _columns(whole, counted, frozenset(TOTALS[:2]))
    missing = silent(now.answer)
    above = [Text(missing, "yellow")] if missing else []
    return Group(*above, _columns(heads, texts, TEXTS), *why, "", below)


def _columns(heads: Sequence[str], texts: Sequence[Sequence[str]], left: frozenset[str]) -> Table:
    from rich.table import Table  # noqa: PLC0415  as above
    from rich.text import Text  # noqa: PLC0415  as above

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for title in heads:
        shown.add_column(title, overflow="fold", justify="left" if title in left else "right")
    for row in texts:
        cells = zip(heads, row, strict=True)
        shown.add_row(
            *(Text(text, _style(text) if head == "STATE" else "") for head, text in cells)
        )
    return shown


def _style(state: str) -> str:
    if state in _GOOD:
        return "green"
    return "yellow" if state in _COMING else "red"
