"""`gateway drain`: has a gateway that runs send its clients elsewhere, before it is ended."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gateway.cli import options
from gateway.cli.admin_client import Admin, Token, other_release, place, post

app = typer.Typer(add_completion=False)


@app.command()
def drain(
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Take clients again.")] = False,
    admin: Admin = None,
    token: Token = None,
    config: options.Config = None,
    settings: options.Set = None,
) -> None:
    """Send clients elsewhere: /readyz says 503, connections are closed as they get idle.

    Who comes all the same is served: the gateway ends by SIGTERM only. It asks the gateway that
    runs, at its admin listener: the one that the config names, or that --admin does.
    """
    where = place(admin, config, settings, token)
    answer = json.loads(post(where, "/undrain" if undo else "/drain", {}))
    try:
        state = "draining" if answer["draining"] else "taking clients"
        left = answer["connections"]
    except (LookupError, TypeError):
        raise other_release(where) from None
    typer.echo(f"{state}: {left:,} {'connection' if left == 1 else 'connections'} open")
