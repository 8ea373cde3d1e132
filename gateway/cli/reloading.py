"""Reloads when it is told to: by a signal, and with `reload: watch` by a change on disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.config import Config
from gateway.config.named import followed
from gateway.config.noting import noting

if TYPE_CHECKING:
    from gateway.cli.watching import Watching

log = logging.getLogger("gateway")


@dataclass(frozen=True, slots=True)
class Read:
    """What a config was read from.

    Attributes:
        paths: Files and folders that were looked at, there or not.
        since: When that began, in nanoseconds since 1970.
    """

    paths: frozenset[Path]
    since: int


async def reload_when_told(
    told: asyncio.Event,
    reload: Callable[[], Awaitable[bool]],
    config: Callable[[], Config],
    read: Read,
) -> None:
    """Reloads until it is cancelled. A bug in one reload is logged, and does not prevent the next.

    Args:
        told: Set when there is to be a reload; it clears it.
        reload: Reads the config and serves it; says itself what comes of it, and returns whether it
            is served.
        config: Returns the one that is served.
        read: What that was read from.
    """
    watching: Watching | None = None
    try:
        while True:
            try:
                watching = await _watch(watching, told, config(), read)
            except Exception:
                log.exception("a bug in what watches files: SIGHUP reloads all the same")
            await told.wait()
            told.clear()
            try:
                read = await _reload(reload, watching, read)
            except Exception:
                log.exception("a bug in a reload: there can be another all the same")
    finally:
        if watching is not None:
            await watching.close()


async def _reload(
    reload: Callable[[], Awaitable[bool]], watching: Watching | None, before: Read
) -> Read:
    """Reloads once; returns what is read from then on."""
    if watching is not None:
        await watching.rebase()
    since = time.time_ns()
    with noting() as noted:
        served = await reload()
    # Of one that was refused, a change may make it right; and so may taking it back.
    return Read((frozenset() if served else before.paths) | noted, since)


async def _watch(
    watching: Watching | None, told: asyncio.Event, config: Config, read: Read
) -> Watching | None:
    """Watches as the config says; returns what does, None for nothing."""
    if config.reload != "watch":
        if watching is not None:
            await watching.close()
        return None
    if watching is None:
        from gateway.cli.watching import Watching  # noqa: PLC0415  only who watches pays for it

        watching = Watching(told.set)
    # What takes effect without a reload needs none.
    await watching.follow(read.paths - followed(config), read.since)
    return watching
