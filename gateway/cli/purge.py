"""`gateway purge`: has a gateway that runs let go of replies that it keeps."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gateway.cli import options
from gateway.cli.admin_client import Admin, Token, place, post

app = typer.Typer(add_completion=False)


@app.command()
def purge(
    *,
    tag: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="Replies with this tag, such as product:p1."),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(metavar="GLOB", help="Replies of methods, such as 'shop.catalog.v1.*'."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All replies.")] = False,
    admin: Admin = None,
    token: Token = None,
    config: options.Config = None,
    settings: options.Set = None,
) -> None:
    """Let go of replies that are kept: those with a tag, those of some methods, or all.

    It asks the gateway that runs, at its admin listener: the one that the config names, or that
    --admin does. Workers of that gateway are all asked. What clients keep themselves, they keep.
    """
    given = {"tag": tag, "method": method, "all": "true" if everything else None}
    asked = {name: value for name, value in given.items() if value is not None}
    if len(asked) != 1:
        raise typer.BadParameter("give one of --tag, --method and --all")
    answer = json.loads(post(place(admin, config, settings, token), "/cache/purge", asked))
    gone = answer["purged"]
    typer.echo(f"purged {gone:,} {'reply' if gone == 1 else 'replies'}")
