"""`gateway diff`: what a new config would change in effect, in the words of a reload's log."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gateway.app.effects import Effect, effects_of
from gateway.cli import options
from gateway.cli.building import examined
from gateway.cli.configuration import config_in
from gateway.cli.failure import Exit
from gateway.cli.older import logged_as
from gateway.config import load

app = typer.Typer(add_completion=False)


class Form(StrEnum):
    """How effects are told."""

    TEXT = "text"
    JSON = "json"


_CONFIG = "A config, or a folder with a gateway.yaml."


@app.command()
def diff(
    *,
    old: Annotated[Path, typer.Argument(metavar="OLD", show_default=False, help=_CONFIG)],
    new: Annotated[Path, typer.Argument(metavar="NEW", show_default=False, help=_CONFIG)],
    format_: Annotated[
        Form, typer.Option("--format", help="Lines, or JSON with the names of all methods.")
    ] = Form.TEXT,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if anything changes in effect.")
    ] = False,
    set_: options.Set = None,
) -> None:
    """Tell what NEW changes in effect that OLD says, as a reload would.

    Methods that become anonymous come first, with all else by which somebody may do more than
    before: their lines begin with `opened: `. What both say in other words is no change. Each is
    read with the protos, documents and files that it names as they are on disk now; nothing is
    served. --set holds for both.
    """
    effects = asyncio.run(_compared(old, new, set_ or ()))
    if format_ is Form.JSON:
        typer.echo(json.dumps({"effects": [_as_json(each) for each in effects]}, indent=2))
    else:
        for each in sorted(effects, key=lambda each: not each.opens):
            typer.echo(f"opened: {each}" if each.opens else str(each))
        if not effects:
            typer.echo("nothing changes in effect")
    if exit_code and effects:
        raise typer.Exit(Exit.FAILED)


async def _compared(old: Path, new: Path, settings: list[str] | tuple[str, ...]) -> list[Effect]:
    found = []
    for each in (old, new):
        with logged_as(str(each)):
            found.append(await examined(partial(load, config_in(each), overrides=settings)))
    before, after = found
    return await effects_of(before, after)


def _as_json(effect: Effect) -> dict[str, object]:
    return {
        "kind": effect.kind,
        "text": effect.text,
        "names": list(effect.names),
        "opens": effect.opens,
        "at_next_start": effect.later,
    }
