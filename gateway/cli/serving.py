"""Runs a gateway in this process until it is told to end: reload, drain, and what it prints."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from gateway.app import App, Generation
from gateway.cli.building import MISTAKES, lines_of, reported
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
from gateway.cli.terminal import progress
from gateway.config import Loaded
from gateway.listener import ListenError

log = logging.getLogger("gateway")


class Alone:
    """A gateway of one process."""

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def urls(self) -> tuple[str, ...]:
        """Where clients find it."""
        return self._app.urls

    @property
    def admin_url(self) -> str | None:
        """Where operators find it, if anywhere."""
        return self._app.admin_url

    async def suggest(self, *, calls: bool) -> Sequence[str]:
        """Returns calls to try."""
        # Most gateways never need it.
        from gateway.cli.suggest import suggestions  # noqa: PLC0415  see above

        return await suggestions(self._app.current, self._app.urls[0], calls=calls)


async def serve(
    load: Callable[[], Loaded], read: Read, signals: Signals, announce: Announce | None = None
) -> None:
    """Serves until `signals.end`, then drains.

    Args:
        load: Reads the config, at the start and at each reload.
        read: What that of the start was read from.
        signals: Ends and reloads it.
        announce: Told when it serves.

    Raises:
        Failure: It can't start.
    """
    app = App(load)
    signals.reopen = app.reopen
    ended = asyncio.ensure_future(signals.end.wait())
    starting = asyncio.ensure_future(_start(app))
    await asyncio.wait((ended, starting), return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        await cancelled(starting)
        return
    ended.cancel()
    await starting
    beside: list[asyncio.Future[None]] = []
    try:
        print_addresses(app.admin_url, app.urls)
        reloading = reload_when_told(
            signals.reload, lambda: _reload(app), lambda: app.current.config, read
        )
        beside.append(asyncio.ensure_future(reloading))
        if announce is not None:
            beside.append(asyncio.ensure_future(announced(Alone(app), announce)))
        await signals.end.wait()
        log.info("draining")
    finally:
        try:
            await all_cancelled(beside)
        finally:
            if cut := await app.stop():
                log.warning("%d requests were cut", cut)


async def _start(app: App) -> None:
    with reported():
        try:
            with progress() as tell:
                await app.start(tell)
        except ListenError as error:
            raise not_listening(app.config, error) from error
    print_notes(app.current.warnings, app.current.config)


async def _reload(app: App) -> bool:
    """Reloads, and says what comes of it; returns whether the new config is served."""
    try:
        done = await app.reload()
    except MISTAKES as mistake:
        not_reloaded(lines_of(mistake))
        return False
    except Exception:
        log.exception("the config was not reloaded, on a bug: the old one goes on")
        return False
    reloaded(
        summary(app.current),
        app.current.warnings,
        later=done.later,
        opened=done.opened,
        changed=done.changed,
    )
    return True


def summary(generation: Generation) -> str:
    """Returns what a generation serves, in a line."""
    services = {name.partition("/")[0] for name in generation.methods}
    hosts = [] if generation.hosts is None else [*generation.hosts.sites.values()]
    fronts = [each.fronts for each in hosts] or [generation.fronts]
    routes = {(each.verb, each.template) for one in fronts for each in one.routes}
    return (
        f"{_counted(len(services), 'service')}, {_counted(len(generation.methods), 'method')}, "
        f"{_counted(len(routes), 'route')}" + (f", {_counted(len(hosts), 'host')}" if hosts else "")
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
