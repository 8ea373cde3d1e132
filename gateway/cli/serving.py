"""Runs a gateway until it is told to end: signals, reload, drain, and the lines it prints.

SIGTERM and SIGINT drain; a second SIGINT ends at once. SIGHUP reloads. What is printed on standard
output is a contract: `admin on URL`, then `listening on URL` for each address, once requests are
served.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import typer

from gateway.app import App, Generation
from gateway.cli.building import MISTAKES, lines_of, reported
from gateway.cli.failure import Exit, Failure
from gateway.cli.terminal import progress
from gateway.config import Loaded
from gateway.listener import ListenError

log = logging.getLogger("gateway")

_ANONYMOUS = "note: every caller is anonymous: this version has no authentication"
_INTERRUPTED = 128 + signal.SIGINT


class Signals:
    """What the process has been told. Made inside a running loop; replaces its handlers.

    Attributes:
        end: Set at the first SIGTERM or SIGINT.
        reload: Set at each SIGHUP; whoever reloads clears it.
    """

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.reload = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.end.set)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)

    def _interrupt(self) -> None:
        if self.end.is_set():
            sys.stderr.flush()
            os._exit(_INTERRUPTED)
        self.end.set()


async def serve(
    read: Callable[[], Loaded],
    signals: Signals,
    announce: Callable[[App], Awaitable[None]] | None = None,
) -> None:
    """Serves until `signals.end`, then drains.

    Args:
        read: Reads the config, at the start and at each reload.
        signals: Ends and reloads it.
        announce: Called once requests are served, after the addresses are printed.

    Raises:
        Failure: It can't start.
    """
    app = App(read)
    ended = asyncio.ensure_future(signals.end.wait())
    starting = asyncio.ensure_future(_start(app))
    await asyncio.wait((ended, starting), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        await _cancelled(starting)
        return
    ended.cancel()
    await starting
    _print_addresses(app)
    beside = [asyncio.ensure_future(_reload_when_told(app, signals.reload))]
    if announce is not None:
        beside.append(asyncio.ensure_future(_announced(app, announce)))
    await signals.end.wait()
    log.info("draining")
    for task in beside:
        await _cancelled(task)
    if cut := await app.stop():
        log.warning("%d requests were cut", cut)


async def _start(app: App) -> None:
    with reported():
        try:
            with progress() as tell:
                await app.start(tell)
        except ListenError as error:
            raise Failure(str(error), *_advice(app, str(error)), code=Exit.FAILED) from error
    for warning in app.current.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(_ANONYMOUS, err=True)


def _advice(app: App, error: str) -> list[str]:
    """Returns what to do about an address that can't be listened on."""
    config = app.current.config
    if config.admin is not None and str(config.admin.address) in error:
        return ["Choose another for the admin listener, e.g. --set admin.address=127.0.0.1:0"]
    return ["Choose another, e.g. --set listener.address=127.0.0.1:0 for a free port"]


def _print_addresses(app: App) -> None:
    if app.admin_url:
        typer.echo(f"admin on {app.admin_url}")
    for url in app.urls:
        typer.echo(f"listening on {url}")


async def _reload_when_told(app: App, told: asyncio.Event) -> None:
    while True:
        await told.wait()
        told.clear()
        try:
            await app.reload()
        except MISTAKES as mistake:
            for line in lines_of(mistake):
                typer.echo(line, err=True)
            log.error("the config was not reloaded: the old one goes on")  # noqa: TRY400  its lines are printed
        except Exception:
            log.exception("the config was not reloaded, on a bug: the old one goes on")
        else:
            for warning in app.current.warnings:
                typer.echo(f"warning: {warning}", err=True)
            log.info("reloaded: %s", summary(app.current))


async def _announced(app: App, announce: Callable[[App], Awaitable[None]]) -> None:
    try:
        await announce(app)
    except Exception:
        log.exception("a bug in what is only said at the start; the gateway goes on")


async def _cancelled(task: asyncio.Future[None]) -> None:
    """Cancels a task and waits for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def summary(generation: Generation) -> str:
    """Returns what a generation serves, in a line."""
    services = {name.partition("/")[0] for name in generation.methods}
    return (
        f"{_counted(len(services), 'service')}, {_counted(len(generation.methods), 'method')}, "
        f"{_counted(len(generation.routes), 'route')}"
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
