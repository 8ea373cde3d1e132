"""`gateway log-level`: has a gateway that runs log more, or less, for a while."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from gateway.cli import options
from gateway.cli.admin_client import Admin, Token, other_release, place, post
from gateway.config.units import format_duration

app = typer.Typer(add_completion=False)


class Level(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    USUAL = "usual"


@app.command("log-level")
def log_level(
    *,
    level: Annotated[
        Level | None,
        typer.Argument(
            help="The least that is logged; usual falls back at once.",
            show_default="tell what is changed",
        ),
    ] = None,
    logger: Annotated[
        str, typer.Option(metavar="NAME", help="Of this logger, and of those below it.")
    ] = "gateway",
    lasts: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="Then it falls back.")
    ] = "10m",
    admin: Admin = None,
    token: Token = None,
    config: options.Config = None,
    settings: options.Set = None,
) -> None:
    """Have more logged, or less, for a while: no restart, and nobody forgets to undo it.

    It asks the gateway that runs, at its admin listener: the one that the config names, or that
    --admin does. Workers of that gateway are all asked.
    """
    where = place(admin, config, settings, token)
    asked = {} if level is None else {"level": level.value, "logger": logger, "for": lasts}
    answer = json.loads(post(where, "/log", asked))
    try:
        lines = [
            f"{each['logger']} logs from {each['level']} on, for another "
            f"{format_duration(max(1, round(each['seconds'])))}"
            for each in answer["levels"]
        ]
    except (LookupError, TypeError):
        raise other_release(where) from None
    typer.echo("\n".join(lines) or "all loggers have their usual levels")
