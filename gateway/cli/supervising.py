"""Runs a gateway of several processes until it is told to end: this one is their supervisor."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable

from gateway.cli.failure import Exit, Failure
from gateway.cli.options import Level
from gateway.cli.running import (
    Announce,
    announced,
    cancelled,
    not_listening,
    not_reloaded,
    print_addresses,
    print_notes,
    reloaded,
)
from gateway.cli.signals import Signals
from gateway.config import Config, ConfigError
from gateway.listener import ListenError
from gateway.supervisor.snapshot import Snapshot
from gateway.supervisor.supervisor import ReloadError, StartError, Supervisor

log = logging.getLogger("gateway")


async def supervise(
    snapshot: Snapshot,
    config: Config,
    workers: int,
    *,
    take: Callable[[], Snapshot],
    signals: Signals,
    level: Level,
    announce: Announce | None,
) -> None:
    """Has workers serve until `signals.end`, then has them drain.

    Args:
        snapshot: What they start with.
        config: What it makes.
        workers: How many.
        take: Reads the config at each reload. Raises ConfigError.
        signals: Ends and reloads them.
        level: The least that they log.
        announce: Told when they serve.

    Raises:
        Failure: They can't start.
    """
    supervisor = Supervisor(snapshot, config, workers, command=_command(), log_level=level.value)
    signals.at_once = supervisor.kill
    ended = asyncio.ensure_future(signals.end.wait())
    starting = asyncio.ensure_future(supervisor.start())
    beside: list[asyncio.Future[None]] = []
    try:
        await asyncio.wait((ended, starting), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            await cancelled(starting)
            return
        _check(starting, config)
        print_notes(supervisor.warnings, config)
        print_addresses(supervisor.admin_url, supervisor.urls)
        beside.append(asyncio.ensure_future(_reload_when_told(supervisor, take, signals.reload)))
        if announce is not None:
            beside.append(asyncio.ensure_future(announced(supervisor, announce)))
        await ended
        log.info("draining")
    finally:
        ended.cancel()
        for task in beside:
            await cancelled(task)
        if cut := await supervisor.drain():
            log.warning("%d requests were cut", cut)


def _check(started: asyncio.Future[None], config: Config) -> None:
    try:
        started.result()
    except ListenError as error:
        raise not_listening(config, error) from error
    except StartError as error:
        raise Failure(*error.lines, code=Exit(error.code)) from error


async def _reload_when_told(
    supervisor: Supervisor, take: Callable[[], Snapshot], told: asyncio.Event
) -> None:
    while True:
        await told.wait()
        told.clear()
        try:
            said = await supervisor.reload(await asyncio.to_thread(take))
        except ConfigError as mistake:
            not_reloaded(map(str, mistake.problems))
        except ReloadError as mistake:
            not_reloaded(mistake.lines)
        except Exception:
            log.exception("the config was not reloaded, on a bug: the old one goes on")
        else:
            if said is None:
                log.warning("no worker is ready: they start with the new config")
            else:
                reloaded(said.summary, said.warnings, said.unchanged)


def _command() -> list[str]:
    """Returns what runs a worker: this interpreter, which finds modules where this one does."""
    # `-m` looks into the current folder first; who started the command `gateway` does not want it.
    by_name = getattr(sys.modules["__main__"], "__spec__", None) is not None
    safe = [] if by_name and not sys.flags.safe_path else ["-P"]
    return [sys.executable, *safe, "-m", "gateway.cli.worker"]
