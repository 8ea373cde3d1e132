"""The running gateway: its listeners, its current generation, reload and drain."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.app import settings
from gateway.app.build_error import BuildError
from gateway.app.generation import Generation, build
from gateway.app.lasting import Lasting
from gateway.app.pool import UpstreamPool
from gateway.app.providers import ProviderPool
from gateway.config import Config, Loaded
from gateway.fronts.websocket.relay import Relay
from gateway.fronts.websocket.relay_records import Arrival
from gateway.fronts.websocket.sessions import Sessions
from gateway.http import Handler, WebSocket
from gateway.listener.admin import Page, Routes, admin, jwks_page
from gateway.listener.server import Listener
from gateway.operations import pages
from gateway.schema.progress import Progress
from gateway.state.usage.counts import Row

log = logging.getLogger("gateway")


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
    """

    sockets: Iterable[socket.socket]
    started: Config
    worker: int
    meeting: Path
    memory: int
    counted: Callable[[Sequence[Row]], Awaitable[None]]


class App:
    """A gateway from its first generation to its drain.

    Attributes:
        current: What answers the next request.
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
        self._draining = False
        self._reloading = asyncio.Lock()
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
        """Builds the first generation and opens the listeners.

        Raises:
            ConfigError: The config is wrong.
            BuildError: What it names is wrong.
            ListenError: An address can't be listened on.
            TlsError: The listener's TLS files can't be used.
        """
        self.current = await build(
            self._load(),
            self._pool,
            progress,
            current=lambda: self.current,
            sessions=self._sessions,
            providers=self._providers,
            lasting=self._lasting,
            counted=self._counted,
        )
        await self._open_lasting(self.current)
        # What a generation is made of lives as long as it: the collector need not look at it.
        gc.collect()
        gc.freeze()
        config, adopted = self.current.config, self._adopted
        self._limit_sessions(config)
        self._started = adopted.started if adopted else config
        if config.admin is not None and adopted is None:
            routes: Routes = {
                "/healthz": self._healthz,
                "/readyz": self._readyz,
                "/jwks.json": lambda: jwks_page(self.current.jwks),
                **pages(self.operate),
            }
            self._admin = await admin(str(config.admin.address), routes)
        addresses = () if adopted else config.listener.address
        self._listener = Listener(
            self._handler,
            addresses=[str(address) for address in addresses],
            tls=settings.listener_tls(self._started.listener),
            limits=settings.limits(config.listener),
            trusted_proxies=[str(network) for network in config.listener.trusted_proxies],
        )
        if adopted is not None:
            await self._meet(adopted)
        await self._listener.open(adopted.sockets if adopted else ())

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
        parts = self.current.websocket
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

    async def reload(self) -> list[str]:
        """Replaces the generation; nothing in flight is dropped.

        Returns:
            The keys that changed and that take effect at the next start only.

        Raises:
            ConfigError: The config is wrong; the old generation goes on.
            BuildError: What it names is wrong, or nothing would be served; the old one goes on.
        """
        async with self._reloading:
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
            listener = fresh.config.listener
            if self._listener is not None:
                self._listener.configure(
                    settings.limits(listener), map(str, listener.trusted_proxies)
                )
            await self._open_lasting(fresh)
            self.current = fresh
            rate = fresh.config.listener.limits.unauthenticated
            self._providers.settle(fresh.identities.providers, rate)
            await self._lasting.settle(fresh.taken)
            self._limit_sessions(fresh.config)
            # What of the old one is in cycles would stay frozen for ever.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            return unchangeable(self._started, fresh.config)

    async def operate(self, name: str, arguments: Mapping[str, str]) -> dict[str, Any]:
        """Does an operation.

        Raises:
            OperationError: It can't be done, or can't be done so.
        """
        return await self.current.operations.run(name, arguments)

    async def stop(self) -> int:
        """Drains and ends: no new connections; calls in flight have the config's `drain_timeout`.

        Returns:
            How many requests were cut.
        """
        self._draining = True
        cut = 0
        if self._listener is not None:
            seconds = self.current.config.listener.drain_timeout
            relayed = self._relay.drain(seconds) if self._relay else _nothing()
            cut, _ = await asyncio.gather(self._listener.drain(seconds), relayed)
        self._sessions.close()
        await self._providers.close()
        await self._lasting.close()
        await self._pool.close(grace=0)
        if self._admin is not None:
            await self._admin.drain(0)
        return cut

    def _healthz(self) -> Page:
        return _page(200, "serving")

    def _readyz(self) -> Page:
        return _page(503, "draining") if self._draining else _page(200, "ready")


async def _nothing() -> None:
    """Drains nothing."""


def unchangeable(old: Config, new: Config) -> list[str]:
    """Returns the keys that differ and that a reload can't change."""
    before, after = old.listener, new.listener
    pairs = {
        "listener.address": (before.address, after.address),
        "listener.tls": (before.tls, after.tls),
        "workers": (old.workers, new.workers),
        "admin": (old.admin, new.admin),
    }
    if old.workers != 1:
        pairs["limits.keys"] = (old.limits.keys, new.limits.keys)
    return [key for key, (one, other) in pairs.items() if one != other]


def _page(status: int, state: str) -> Page:
    return Page(status, "application/json", json.dumps({"status": state}).encode())
