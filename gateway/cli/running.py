"""Runs a gateway in one process or in several, as its config says; and what both print.

What is printed on standard output is a contract: `admin on URL`, then `listening on URL` for each
address, once requests are served.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

import typer

from gateway.cli.failure import Exit, Failure
from gateway.cli.logs import Logs
from gateway.cli.reloading import Read
from gateway.cli.signals import Signals
from gateway.config import Config, ConfigError, Loaded
from gateway.config.identity_checks import NONE
from gateway.config.noting import noting
from gateway.supervisor.snapshot import Snapshot

log = logging.getLogger("gateway")

_ANONYMOUS = "every caller is anonymous: there are no auth.providers"
_OPEN_PAGES = "the gateway's pages are open to everybody: pages.authenticate has none"


class Running(Protocol):
    """A gateway that serves."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Where clients find it."""

    @property
    def admin_url(self) -> str | None:
        """Where operators find it, if anywhere."""

    async def suggest(self, *, calls: bool) -> Sequence[str]:
        """Returns calls to try; `calls` says whether backends may be called to find them."""


Announce: TypeAlias = Callable[[Running], Awaitable[None]]
"""Called once requests are served, after the addresses are printed."""


async def run(
    take: Callable[[], Snapshot], signals: Signals, logs: Logs, announce: Announce | None = None
) -> None:
    """Serves until it is told to end.

    Args:
        take: Reads the config, at the start and at each reload. Raises ConfigError.
        signals: Ends and reloads it.
        logs: What workers log.
        announce: Told when it serves.

    Raises:
        Failure: It can't start.
    """
    since = time.time_ns()
    try:
        with noting() as noted:
            snapshot = take()
            loaded = snapshot.load()
    except ConfigError as mistake:
        raise Failure(*map(str, mistake.problems)) from mistake
    read = Read(frozenset(noted), since)
    # Each with all that it imports: the supervisor needs nothing of what serves.
    if (workers := count(loaded.config.workers)) == 1:
        from gateway.cli.serving import serve  # noqa: PLC0415  see above

        await serve(_first(loaded, take), read, signals, announce)
    else:
        from gateway.cli.supervising import supervise  # noqa: PLC0415  see above

        await supervise(
            snapshot,
            loaded.config,
            workers,
            take=take,
            read=read,
            signals=signals,
            logs=logs,
            announce=announce,
        )


def count(workers: int) -> int:
    """Returns how many processes a config asks for: 0 is one for each core that may be used."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return workers or cores or 1


def _first(loaded: Loaded, take: Callable[[], Snapshot]) -> Callable[[], Loaded]:
    """Returns what reads the config, but for the first time, when it was read already."""
    read = [loaded]
    return lambda: read.pop() if read else take().load()


def print_addresses(admin_url: str | None, urls: Iterable[str]) -> None:
    """Prints where the gateway is found."""
    if admin_url:
        typer.echo(f"admin on {admin_url}")
    for url in urls:
        typer.echo(f"listening on {url}")


def print_notes(warnings: Iterable[str], config: Config) -> None:
    """Prints what an operator should know at the start."""
    print_warnings(warnings)
    if note := openness(config):
        typer.echo(f"note: {note}", err=True)


def openness(config: Config) -> str | None:
    """Returns what an operator should know of how open a config is; None for nothing."""
    if not config.auth.providers:
        return _ANONYMOUS
    return _OPEN_PAGES if NONE in config.pages.authenticate else None


def print_warnings(warnings: Iterable[str]) -> None:
    """Prints what an operator should know and can live with."""
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)


def not_listening(config: Config, error: Exception) -> Failure:
    """Returns the failure of a gateway that can't listen, with what to do about it."""
    text = str(error)
    advice = "Choose another, e.g. --set listener.address=127.0.0.1:0 for a free port"
    if config.admin is not None and str(config.admin.address) in text:
        advice = "Choose another for the admin listener, e.g. --set admin.address=127.0.0.1:0"
    return Failure(text, advice, code=Exit.FAILED)


def reloaded(
    summary: str,
    warnings: Iterable[str],
    *,
    later: Iterable[str],
    opened: Iterable[str],
    changed: Iterable[str],
) -> None:
    """Says that a new config is served, and what that changes.

    Args:
        summary: What is served, in a line.
        warnings: What an operator should know and can live with.
        later: The keys that take effect at the next start only.
        opened: What somebody may do now who could not before, as lines.
        changed: All else that holds from now on, as lines.
    """
    for key in later:
        log.warning("%s changed: it takes effect at the next start", key)
    print_warnings(warnings)
    nothing = True
    for line in opened:
        log.warning("opened: %s", line)
        nothing = False
    for line in changed:
        log.info("changed: %s", line)
        nothing = False
    if nothing:
        log.info("nothing changed in effect")
    log.info("reloaded: %s", summary)


def not_reloaded(lines: Iterable[str]) -> None:
    """Says what is wrong with a config that is not taken."""
    for line in lines:
        typer.echo(line, err=True)
    log.error("the config was not reloaded: the old one goes on")


async def announced(running: Running, announce: Announce) -> None:
    """Announces, and goes on whatever becomes of it."""
    try:
        await announce(running)
    except Exception:
        log.exception("a bug in what is only said at the start; the gateway goes on")


async def cancelled(task: asyncio.Future[Any]) -> None:
    """Cancels a task and waits for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def all_cancelled(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancels tasks and waits for their end. What one failed on is logged; the rest goes on."""
    for task in tasks:
        task.cancel()
    for failure in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(failure, Exception):
            log.error("a bug beside what is served", exc_info=failure)
