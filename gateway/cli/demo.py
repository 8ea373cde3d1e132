"""`gateway demo`: the example, and a gateway in front of it, to be tried at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
import uvloop

from gateway.cli import demo_config, demo_lines, logs, options
from gateway.cli.example import Served, backends, issuer, root
from gateway.cli.failure import Exit, Failure
from gateway.cli.running import Running, run
from gateway.cli.signals import Signals
from gateway.supervisor.snapshot import Snapshot

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    replicas: Annotated[
        int, typer.Option(min=1, max=16, help="How many backends, each a process.")
    ] = 2,
    set_: options.Set = None,
    log_level: options.LogLevel = options.Level.INFO,
    log_format: options.LogFormat = options.LogForm.TEXT,
) -> None:
    """Start example backends (a shop on grpcio) and a gateway in front of them.

    Prints calls to try, some of which need a caller, with a token of a local issuer or a key; and
    where the pages are: GraphiQL, and a chat beside a stock ticker on one WebSocket. It listens on
    127.0.0.1:8080, the issuer on 8081, or on a free port where that is taken; the backends take
    free ports. Ctrl-C ends everything.
    """
    said = logs.Logs(log_level, log_format)
    logs.configure(said)
    uvloop.run(_demo(replicas, set_ or (), said))


async def _demo(replicas: int, settings: Sequence[str], said: logs.Logs) -> None:
    signals, example = Signals(), root()
    with TemporaryDirectory(prefix="gateway-demo-") as name:
        folder = Path(name)
        async with (
            issuer(example, demo_config.ISSUER_PORT) as issuing,
            backends(example, replicas) as serving,
        ):
            keys, key = demo_config.write_keys(folder)
            parts = demo_config.Parts(example, serving.addresses, issuing.addresses[0], keys)
            file = demo_config.write(folder, parts)

            async def say(running: Running) -> None:
                places = demo_lines.Places(
                    url=running.urls[0],
                    admin=running.admin_url or "",
                    issuer=issuing.addresses[0],
                    key=key,
                    config=file,
                    backend=serving.pids[0],
                )
                typer.echo(demo_lines.text(places))

            def take() -> Snapshot:
                return Snapshot.of_file(file, settings)

            watching = asyncio.ensure_future(_watch(signals, issuing=issuing, serving=serving))
            try:
                await run(take, signals, said, say)
            finally:
                watching.cancel()
    if watching.done() and not watching.cancelled():
        raise Failure(watching.result(), code=Exit.FAILED)


async def _watch(signals: Signals, *, issuing: Served, serving: Served) -> str:
    """Ends the gateway when the backends or the issuer have ended; returns which."""
    waiting = {
        asyncio.ensure_future(issuing.process.wait()): "the example's issuer ended",
        asyncio.ensure_future(serving.process.wait()): "the example backends ended",
    }
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
    signals.end.set()
    return waiting[done.pop()]
