"""Runs a gateway of several processes until it is told to end: this one is their supervisor."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable

from gateway.cli.failure import Exit, Failure
from gateway.cli.logs import Logs
from gateway.cli.reloading import Read, reload_when_told
from gateway.cli.running import (
    Announce,
    all_cancelled,
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
from gateway.supervisor.reloading import ReloadError
from gateway.supervisor.snapshot import Snapshot
from gateway.supervisor.supervisor import StartError, Supervisor

log = logging.getLogger("gateway")


async def supervise(
    snapshot: Snapshot,
    config: Config,
    workers: int,
    *,
    take: Callable[[], Snapshot],
    read: Read,
    signals: Signals,
    logs: Logs,
    announce: Announce | None,
) -> None:
    """Has workers serve until `signals.end`, then has them drain.

    Args:
        snapshot: What they start with.
        config: What it makes.
        workers: How many.
        take: Reads the config at each reload. Raises ConfigError.
        read: What that of the start was read from.
        signals: Ends and reloads them.
        logs: What they log.
        announce: Told when they serve.

    Raises:
        Failure: They can't start.
    """
    supervisor = Supervisor(
        snapshot,
        config,
        workers,
        command=_command(),
        logs=(logs.level.value, logs.form.value),
    )
    signals.at_once = supervisor.kill
    signals.reopen = supervisor.reopen
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
        reloads = _Reloads(supervisor, take)
        reloading = reload_when_told(
            signals.reload, reloads.reload, lambda: supervisor.config, read
        )
        beside.append(asyncio.ensure_future(reloading))
        if announce is not None:
            beside.append(asyncio.ensure_future(announced(supervisor, announce)))
        await ended
        log.info("draining")
    finally:
        ended.cancel()
        try:
            await all_cancelled(beside)
        finally:
            if cut := await supervisor.drain():
                log.warning("%d requests were cut", cut)


def _check(started: asyncio.Future[None], config: Config) -> None:
    try:
        started.result()
    except ListenError as error:
        raise not_listening(config, error) from error
    except StartError as error:
        raise Failure(*error.lines, code=Exit(error.code)) from error


class _Reloads:
    """Reloads a supervisor, and says what comes of it."""

    def __init__(self, supervisor: Supervisor, take: Callable[[], Snapshot]) -> None:
        self._supervisor = supervisor
        self._take = take

    async def _taken(self) -> Snapshot:
        """Returns the config as it is now.

        Raises:
            ConfigError: It can't be read; that counts as a reload that is refused.
        """
        try:
            return await asyncio.to_thread(self._take)
        except ConfigError as mistake:
            self._supervisor.refuse(mistake.problems)
            raise

    async def reload(self) -> bool:
        """Returns whether the new config is served."""
        try:
            said = await self._supervisor.reload(await self._taken())
        except ConfigError as mistake:
            not_reloaded(map(str, mistake.problems))
            return False
        except ReloadError as mistake:
            not_reloaded(mistake.lines)
            return False
        except Exception:
            log.exception("the config was not reloaded, on a bug: the old one goes on")
            return False
        if said is None:
            log.warning("no worker is ready: they start with the new config")
        else:
            reloaded(
                said.summary,
                said.warnings,
                later=said.later,
                opened=said.opened,
                changed=said.changed,
            )
        return True


def _command() -> list[str]:
    """Returns what runs a worker: this interpreter, which finds modules where this one does."""
    # `-m` looks into the current folder first; who started the command `gateway` does not want it.
    by_name = getattr(sys.modules["__main__"], "__spec__", None) is not None
    safe = [] if by_name and not sys.flags.safe_path else ["-P"]
    return [sys.executable, *safe, "-m", "gateway.cli.worker"]
