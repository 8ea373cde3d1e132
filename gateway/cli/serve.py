"""`gateway serve`: serves what a config says, or what a running backend says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer
import uvloop

from gateway.cli import logs, options
from gateway.cli.configuration import advised, reflected, taker
from gateway.cli.running import Announce, Running, run
from gateway.cli.signals import Signals
from gateway.supervisor.snapshot import Snapshot

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    *,
    config: options.Config = None,
    set_: options.Set = None,
    reflect: Annotated[
        str | None,
        typer.Option(
            "--reflect",
            metavar="HOST:PORT",
            help="Use no config: ask the gRPC server there for its services by reflection, serve "
            "them all, and print three calls to try.",
        ),
    ] = None,
    no_try: Annotated[
        bool,
        typer.Option(
            "--no-try", help="With --reflect: call nothing at start; print calls that are untried."
        ),
    ] = False,
    log_level: options.LogLevel = options.Level.INFO,
) -> None:
    """Serve gRPC backends over HTTP.

    Once requests are served, `admin on URL` and `listening on URL` are printed on standard output.
    Port 0 takes a free port: `--set listener.address=127.0.0.1:0`.

    SIGTERM and Ctrl-C drain: calls in flight have `listener.drain_timeout`, a second Ctrl-C ends at
    once. SIGHUP reads the config again; if it is wrong, that is said on standard error and the old
    one goes on. No connection and no stream is dropped.

    With --reflect, the gateway makes a few calls at start to find values for the three calls: of
    RPCs that have a rule of GET or are marked as free of side effects; and with an empty request of
    those without any annotation that are named List… or Search…. --no-try makes none.
    """
    if reflect is not None and config is not None:
        raise typer.BadParameter("--reflect uses no config: give one of --reflect and --config")
    if no_try and reflect is None:
        raise typer.BadParameter("--no-try is for --reflect: nothing else makes calls at start")
    logs.configure(log_level)
    if reflect is None:
        uvloop.run(_serve(taker(config, set_), log_level, None))
        return
    snapshot = reflected(reflect, set_)
    announce = _suggest if not no_try else _suggest_untried
    with advised():
        uvloop.run(_serve(lambda: snapshot, log_level, announce))


async def _serve(
    take: Callable[[], Snapshot], level: options.Level, announce: Announce | None
) -> None:
    await run(take, Signals(), level, announce)


async def _suggest(running: Running) -> None:
    _print("Try:", await running.suggest(calls=True))


async def _suggest_untried(running: Running) -> None:
    _print("Try, with values of your own:", await running.suggest(calls=False))


def _print(title: str, lines: Sequence[str]) -> None:
    if lines:
        typer.echo("\n".join(["", title, *(f"  {line}" for line in lines)]))
