"""`gateway log-level`: has a gateway that runs log more, or less, for a while."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

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
        lines = list(_lines(answer["levels"], logger if level is Level.USUAL else None))
    except (LookupError, TypeError):
        raise other_release(where) from None
    typer.echo("\n".join(lines) or "all loggers have their usual levels")


def _lines(changed: Iterable[Mapping[str, Any]], reset: str | None) -> Iterator[str]:
    """Yields what is told where there are levels that are not the usual ones.

    Args:
        changed: Of each such logger, its name, its level, and for how many seconds.
        reset: The logger that fell back just now, if one did: the others did not with it.
    """
    for number, each in enumerate(changed):
        lasts = format_duration(max(1, round(each["seconds"])))
        text = f"logs from {each['level']} on, for another {lasts}"
        if reset is None:
            yield f"{each['logger']} {text}"
            continue
        if not number:
            yield f"{reset} has its usual level"
        yield (
            f"{each['logger']} still {text}; "
            f"to end that: gateway log-level usual --logger {each['logger']}"
        )
