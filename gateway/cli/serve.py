"""`gateway serve`: serves what a config says, or what a running backend says of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import logs, options
from gateway.cli.configuration import advised, folder, made_up, reflected, taker
from gateway.cli.last_threads import run_to_its_end
from gateway.cli.mocking import mocking_of
from gateway.cli.running import Announce, Running, run
from gateway.cli.signals import Signals
from gateway.config.mocking import SEED
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
    mock: Annotated[
        bool,
        typer.Option(
            "--mock",
            help="Call no backend: make all answers up from the protos. Not for production.",
        ),
    ] = False,
    protos: Annotated[
        Path | None,
        typer.Option(
            "--protos",
            metavar="DIR",
            help="With --mock: use no config, and serve all services of the protos there.",
        ),
    ] = None,
    mock_seed: Annotated[
        str, typer.Option("--mock-seed", metavar="TEXT", help="Another one: other answers.")
    ] = SEED,
    mock_files: Annotated[
        Path | None,
        typer.Option(
            "--mock-files",
            metavar="DIR",
            help="Answers that you wrote: a file a method, package.Service.Method.yaml.",
        ),
    ] = None,
    mock_latency: Annotated[
        str, typer.Option("--mock-latency", metavar="50ms|20ms-80ms", help="How slow answers are.")
    ] = "0s",
    mock_errors: Annotated[
        str, typer.Option("--mock-errors", metavar="1%", help="How many calls fail (UNAVAILABLE).")
    ] = "0%",
    mock_interval: Annotated[
        str,
        typer.Option("--mock-interval", metavar="200ms", help="Between two messages of a stream."),
    ] = "200ms",
    no_try: Annotated[
        bool,
        typer.Option(
            "--no-try", help="With --reflect: call nothing at start; print calls that are untried."
        ),
    ] = False,
    log_level: options.LogLevel = options.Level.INFO,
    log_format: options.LogFormat = options.LogForm.TEXT,
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

    With --mock, no backend is needed: the config holds, and what backends would answer is made up,
    each request's answer the same at every start. With --protos DIR it needs no config either.
    """
    if reflect is not None and config is not None:
        raise typer.BadParameter("--reflect uses no config: give one of --reflect and --config")
    if no_try and reflect is None:
        raise typer.BadParameter("--no-try is for --reflect: nothing else makes calls at start")
    mocking = mocking_of(
        on=mock,
        seed=mock_seed,
        files=mock_files,
        latency=mock_latency,
        errors=mock_errors,
        interval=mock_interval,
    )
    if mock and reflect is not None:
        raise typer.BadParameter("--mock asks no backend: give --protos in place of --reflect")
    if protos is not None and (not mock or config is not None):
        raise typer.BadParameter("--protos goes with --mock, and without --config")
    said = logs.Logs(log_level, log_format)
    logs.configure(said)
    if protos is not None:
        alone = folder(protos, set_)
        run_to_its_end(_serve(lambda: made_up(alone, mocking), said, _suggest_untried))
        return
    if reflect is None:
        take = taker(config, set_)
        run_to_its_end(_serve(lambda: made_up(take(), mocking), said, None))
        return
    snapshot = reflected(reflect, set_)
    announce = _suggest if not no_try else _suggest_untried
    with advised():
        run_to_its_end(_serve(lambda: snapshot, said, announce))


async def _serve(take: Callable[[], Snapshot], said: logs.Logs, announce: Announce | None) -> None:
    await run(take, Signals(), said, announce)


async def _suggest(running: Running) -> None:
    _print("Try:", await running.suggest(calls=True))


async def _suggest_untried(running: Running) -> None:
    _print("Try, with values of your own:", await running.suggest(calls=False))


def _print(title: str, lines: Sequence[str]) -> None:
    if lines:
        typer.echo("\n".join(["", title, *(f"  {line}" for line in lines)]))
