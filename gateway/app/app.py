"""The running gateway: its listeners, its current generation, reload and drain."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.app import replies, settings
from gateway.app.administration import Administration
from gateway.app.build_error import BuildError
from gateway.app.counted.sources import Sources
from gateway.app.digest import digest_of
from gateway.app.effects import effects_of
from gateway.app.generation import Generation, build
from gateway.app.lasting import Lasting
from gateway.app.pool import UpstreamPool
from gateway.app.providers import ProviderPool
from gateway.app.reloaded import Reloaded
from gateway.app.securing import files_to_read, secured, tls_files
from gateway.app.telemetry import Telemetry, is_recorded
from gateway.config import Config, ConfigError, Loaded
from gateway.fronts.websocket.relay import Relay
from gateway.fronts.websocket.relay_records import Arrival
from gateway.fronts.websocket.sessions import Sessions
from gateway.http import Handler, WebSocket
from gateway.listener.admin import admin
from gateway.listener.server import Listener
from gateway.operations.reloads import Reloads
from gateway.operations.site import site
from gateway.schema.progress import Progress
from gateway.state.usage.counts import Row
from gateway.turns import Turn

log = logging.getLogger("gateway")

_SWITCH: Final = 0.0005  # seconds for which a thread that reads or packs may hold up the loop


@dataclass(frozen=True, slots=True)
class Adopted:
    """What a worker is given by its supervisor, which has the admin listener and the sockets.

    Attributes:
        sockets: Listening already; they replace the config's addresses.
        started: The config that the supervisor started with: what it fixes, holds in all workers.
        worker: Its number.
        meeting: A folder for the Unix sockets that workers reach each other by.
        memory: The descriptor of the memory that all workers share.
        counted: Tells the supervisor what was used.
        generation: The number of the config that it starts with.
    """

    sockets: Iterable[socket.socket]
    started: Config
    worker: int
    meeting: Path
    memory: int
    counted: Callable[[Sequence[Row]], Awaitable[None]]
    generation: int = 1


class App:
    """A gateway from its first generation to its drain.

    Attributes:
        config: The one that it started with, or starts with.
        current: What answers the next request.
        reloads: What became of reloads.
        urls: Where clients find it, once started.
        admin_url: Where operators find it, or None.
    """

    def __init__(self, load: Callable[[], Loaded], adopted: Adopted | None = None) -> None:
        """Makes an app, which serves nothing yet. To be called inside a running loop.

        Args:
            load: Reads the config anew; called at start and at each reload. Raises ConfigError.
            adopted: Makes it a worker: it opens no address and no admin listener of its own.
        """
        self._load = load
        self._adopted = adopted
        self._counted = adopted.counted if adopted else None
        self._pool = UpstreamPool()
        self._providers = ProviderPool()
        self._lasting = Lasting(adopted.memory if adopted else None)
        self._sessions = Sessions(str(adopted.worker) if adopted else "0")
        self._relay: Relay | None = None
        self._listener: Listener | None = None
        self._admin: Listener | None = None
        self._reloading = asyncio.Lock()
        self.reloads = Reloads(generation=adopted.generation if adopted else 1)
        self._telemetry = Telemetry(
            Sources(
                adopted.worker if adopted else 0,
                lambda: self._administration.generation,
                lambda: self._listener,
                self._sessions,
                self.reloads,
            )
        )
        self._administration = Administration(
            lambda: self._listener,
            self._sessions,
            self.reloads,
            adopted.worker if adopted else 0,
        )
        self.config: Config
        self.current: Generation
        self._started: Config

    @property
    def urls(self) -> tuple[str, ...]:
        """Where clients find the gateway."""
        return self._listener.urls if self._listener else ()

    @property
    def admin_url(self) -> str | None:
        """Where operators find it."""
        return self._admin.urls[0] if self._admin else None

    async def start(self, progress: Callable[[Progress], None]) -> None:
        """Opens the admin listener, builds the first generation and opens the listener.

        Whoever asks the admin listener meanwhile is told that the gateway starts.

        Raises:
            ConfigError: The config is wrong.
            BuildError: What it names is wrong.
            ListenError: An address can't be listened on.
            TlsError: The listener's TLS files can't be used.
        """
        loaded = self._load()
        self.config = loaded.config
        try:
            await self._open_admin(loaded.config)
            await self._start(loaded, progress)
        except BaseException:
            await self._close_admin()
            await self._telemetry.close()
            raise

    async def _open_admin(self, config: Config) -> None:
        given = config.admin
        if given is None or self._adopted is not None:
            return
        token = None if given.token is None else given.token.get_secret_value()
        routes = site(
            self.operate,
            self._administration.standing,
            lambda: self._administration.jwks,
        )
        self._admin = await admin(str(given.address), routes, token)

    async def _start(self, loaded: Loaded, progress: Callable[[Progress], None]) -> None:
        import_ahead(loaded.config)
        # Modules stay: neither a reload nor the collector in between need look at them again.
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(_SWITCH)
        self.current = await build(
            loaded,
            self._pool,
            progress,
            current=lambda: self.current,
            sessions=self._sessions,
            providers=self._providers,
            lasting=self._lasting,
            counted=self._counted,
        )
        await self._open_lasting(self.current)
        config, adopted = self.current.config, self._adopted
        self._limit_sessions(config)
        self._started = adopted.started if adopted else config
        self.reloads.began(digest_of(config))
        addresses = () if adopted else config.listener.address
        self._listener = Listener(
            self._handler,
            addresses=[str(address) for address in addresses],
            tls=tls_files(self._started, config),
            limits=settings.limits(config.listener),
            trusted_proxies=[str(network) for network in config.listener.trusted_proxies],
        )
        self._listener.offer(config.listener.compression, replies.cors(config.listener))
        await self._observe(loaded)
        if adopted is not None:
            await self._meet(adopted)
        await self._listener.open(adopted.sockets if adopted else ())
        self._administration.took(self.current)

    async def _observe(self, loaded: Loaded) -> None:
        """Has requests noted as a config says.

        Raises:
            BuildError: It says something that can't be used.
        """
        await self._telemetry.open(loaded)
        begin = self._telemetry.records.begin if is_recorded(loaded.config) else None
        if self._listener is not None:
            self._listener.observe(begin)

    def reopen(self) -> None:
        """Has logs go on in new files: the old ones were moved away."""
        self._telemetry.reopen()

    async def _meet(self, adopted: Adopted) -> None:
        """Lets other workers relay sockets here whose sessions this one has, and the reverse."""
        relay = Relay(adopted.meeting, adopted.worker, self._adopt)
        try:
            await relay.open()
        except OSError as failure:
            log.warning("other workers' WebSocket sessions can't be resumed here: %s", failure)
        else:
            self._relay = self._sessions.elsewhere = relay

    def _adopt(self, socket: WebSocket, arrival: Arrival) -> bool:
        fronts = self.current.at(arrival.request)
        parts = None if fronts is None else fronts.websocket
        return parts is not None and parts.front.adopt(socket, arrival)

    async def _open_lasting(self, generation: Generation) -> None:
        """Has the providers of a generation, and what outlives it, begin their work."""
        await self._lasting.open(generation.taken)
        await self._providers.open(
            generation.config, generation.identities.providers, generation.lease.handler
        )

    def _limit_sessions(self, config: Config) -> None:
        """Lets no more sessions wait for their clients than there may be connections."""
        limits = config.listener.limits
        self._sessions.most = limits.connections
        self._sessions.most_of_address = limits.connections_per_address

    def _handler(self) -> Handler:
        return self.current.handle

    async def reload(self, number: int | None = None) -> Reloaded:
        """Replaces the generation; nothing in flight is dropped.

        Args:
            number: What the supervisor counts it as; None for the next.

        Returns:
            What it changed.

        Raises:
            ConfigError: The config is wrong; the old generation goes on.
            BuildError: What it names is wrong, or nothing would be served; the old one goes on.
        """
        async with self._reloading:
            try:
                reloaded = await self._replace()
            except (ConfigError, BuildError) as refused:
                self.reloads.fail(time.time(), refused.problems)
                raise
            except Exception:
                self.reloads.fail(time.time(), ["It failed on something else: see the log."])
                raise
            digest = digest_of(self.current.config)
            self.reloads.succeed(time.time(), digest=digest, generation=number)
            return reloaded

    async def _replace(self) -> Reloaded:
        """See `reload`. All that can be wrong is found before anything changes."""
        loaded = await asyncio.to_thread(self._load)
        fresh = await build(
            loaded,
            self._pool,
            previous=self.current,
            current=lambda: self.current,
            sessions=self._sessions,
            providers=self._providers,
            lasting=self._lasting,
            counted=self._counted,
        )
        if self.current.methods and not fresh.methods:
            # A file that is being written looks so; an operator who means it can restart.
            raise BuildError(["nothing would be served: no upstream has a service"])
        files = files_to_read(self._started, self.current, fresh)
        tls = None if files is None else await asyncio.to_thread(secured, files, fresh.source)
        turn = Turn()
        effects = await effects_of(self.current, fresh)
        await turn.over()
        await self._open_lasting(fresh)  # what it opens in vain is let go at the next reload
        await self._observe(loaded)
        await turn.over()
        listener = fresh.config.listener
        if self._listener is not None:
            if tls is not None:
                await self._listener.secure(tls)
            self._listener.configure(settings.limits(listener), map(str, listener.trusted_proxies))
            self._listener.offer(listener.compression, replies.cors(listener))
        fresh.lease.settle()
        self.current = fresh
        self._administration.took(fresh)
        rate = fresh.config.listener.limits.unauthenticated
        self._providers.settle(fresh.identities.providers, rate)
        await self._lasting.settle(fresh.taken)
        self._limit_sessions(fresh.config)
        await turn.over()
        # What of the old one is in cycles, such as a graph, is as much as the new one again.
        gc.collect()
        return Reloaded(unchangeable(self._started, fresh.config), effects)

    async def operate(self, name: str, arguments: Mapping[str, str]) -> dict[str, Any]:
        """Does an operation.

        Raises:
            OperationError: It can't be done, or can't be done so.
        """
        self._telemetry.records.flush()  # who asks has had the answers that it asks about
        if name in self._telemetry.operations:
            return await self._telemetry.operations.run(name, arguments)
        return await self._administration.run(name, arguments)

    async def stop(self) -> int:
        """Drains and ends: no new connections; calls in flight have the config's `drain_timeout`.

        Returns:
            How many requests were cut.
        """
        self._administration.end()
        cut = 0
        if self._listener is not None:
            seconds = self.current.config.listener.drain_timeout
            relayed = self._relay.drain(seconds) if self._relay else _nothing()
            cut, _ = await asyncio.gather(self._listener.drain(seconds), relayed)
        self._sessions.close()
        await self._providers.close()
        await self._lasting.close()
        await self._pool.close(grace=0)
        await self._telemetry.close()
        await self._close_admin()
        return cut

    async def _close_admin(self) -> None:
        self._administration.close()
        if self._admin is not None:
            await self._admin.drain(0)


async def _nothing() -> None:
    """Drains nothing."""


def import_ahead(config: Config) -> None:
    """Imports what a generation is built with, as far as it is large and only some need it."""
    if config.graphql is not None:
        importlib.import_module("gateway.app.graphql")
        importlib.import_module("gateway.app.effects.graph")


def unchangeable(old: Config, new: Config) -> list[str]:
    """Returns the keys that differ and that a reload can't change."""
    before, after = old.listener, new.listener
    pairs = {
        "listener.address": (before.address, after.address),
        "listener.tls": (before.tls is None, after.tls is None),
        "workers": (old.workers, new.workers),
        "admin": (old.admin, new.admin),
    }
    if old.workers != 1:
        pairs["limits.keys"] = (old.limits.keys, new.limits.keys)
    return [key for key, (one, other) in pairs.items() if one != other]
