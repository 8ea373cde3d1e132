"""`gateway check`: every mistake at once, and nothing started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import typer

from gateway.app import settings
from gateway.cli import options
from gateway.cli.building import MISTAKES, examined, lines_of
from gateway.cli.configuration import reader
from gateway.cli.failure import Failure
from gateway.cli.serving import summary
from gateway.config import Loaded
from gateway.listener import TlsError
from gateway.listener.tls import context

app = typer.Typer(add_completion=False)


@app.command()
def check(config: options.Config = None, set_: options.Set = None) -> None:
    """Report every mistake in the config, the protos and their HTTP rules; start nothing.

    Each is a line on standard error, `file:line:column: path: message`, and the exit code is 2.
    The config comes first: what it names can be looked at only when it can be read. TLS files are
    read; backends are asked only where the config says `schema.reflection`.
    """
    asyncio.run(_check(reader(config, set_)))


async def _check(read: Callable[[], Loaded]) -> None:
    try:
        loaded = read()
    except MISTAKES as mistake:
        raise Failure(*lines_of(mistake)) from mistake
    problems = _tls_problems(loaded)
    try:
        generation = await examined(lambda: loaded)
    except Failure as failure:
        raise Failure(*problems, *failure.lines) from failure
    if problems:
        raise Failure(*problems)
    for warning in generation.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"ok: {summary(generation)}")


def _tls_problems(loaded: Loaded) -> list[str]:
    """Returns what is wrong with the listener's TLS files."""
    tls = settings.listener_tls(loaded.config.listener)
    if tls is None:
        return []
    try:
        context(tls)
    except TlsError as error:
        return [f"{loaded.source.locate('listener.tls')}: listener.tls: {error}"]
    return []
