"""Upstreams outlive generations: connections and their state survive a reload.

A generation holds a Lease on the upstreams it uses, and so does every request that it began. An
upstream whose channels would be the same is shared by old and new generations: endpoints that both
list keep their connections. One that no lease holds any more has no call that could still come, and
is closed.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from gateway.call import Unary
from gateway.upstream.spec import ChannelSpec, UpstreamSpec
from gateway.upstream.upstream import Upstream
from gateway.upstream.upstream import build as build_upstream

log = logging.getLogger(__name__)

_Key: TypeAlias = tuple[str, ChannelSpec]
"""What an upstream can't change: its name, and what its channels are made of."""

_CLOSING_GRACE = 5.0  # seconds; calls of a lease that is gone have ended, this is for stragglers


class Lease:
    """Holds upstreams in use. Letting go of the last reference gives them back.

    Attributes:
        upstreams: By name.
    """

    __slots__ = ("__weakref__", "_specs", "upstreams")

    def __init__(self, upstreams: Mapping[str, Upstream], specs: Iterable[UpstreamSpec]) -> None:
        self.upstreams = upstreams
        self._specs = tuple(specs)

    def settle(self) -> None:
        """Has the upstreams take over what the generation says of them: it is about to serve."""
        for spec in self._specs:
            self.upstreams[spec.name].configure(spec)

    def handler(self, name: str) -> Unary:
        """Returns what starts unary calls to an upstream."""
        return self.upstreams[name].start


class UpstreamPool:
    """All upstreams of the process. To be made and used inside one running loop."""

    def __init__(self, build: Callable[[UpstreamSpec], Upstream] = build_upstream) -> None:
        self._build = build
        self._loop = asyncio.get_running_loop()
        self._open: dict[_Key, Upstream] = {}
        self._holders: Counter[_Key] = Counter()
        self._closing: set[asyncio.Task[None]] = set()

    def lease(self, specs: Iterable[UpstreamSpec]) -> Lease:
        """Returns the upstreams of these specs: those that are there, and new ones.

        Those that are there go on as they are, until the lease is settled.
        """
        specs = tuple(specs)
        held: list[_Key] = []
        try:
            for spec in specs:
                key = _key(spec)
                if key not in self._open:
                    self._open[key] = self._build(spec)
                self._holders[key] += 1
                held.append(key)
        except BaseException:
            self._release(tuple(held))
            raise
        lease = Lease({spec.name: self._open[_key(spec)] for spec in specs}, specs)
        weakref.finalize(lease, self._given_back, tuple(held)).atexit = False
        return lease

    def _given_back(self, keys: tuple[_Key, ...]) -> None:
        # The garbage collector may call this anywhere, even in another thread.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._release, keys)

    def _release(self, keys: tuple[_Key, ...]) -> None:
        for key in keys:
            self._holders[key] -= 1
            if not self._holders[key]:
                del self._holders[key]
                if upstream := self._open.pop(key, None):
                    task = self._loop.create_task(upstream.close(_CLOSING_GRACE))
                    self._closing.add(task)
                    task.add_done_callback(self._closed)

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        if not task.cancelled() and (failure := task.exception()):
            log.error("an upstream could not be closed", exc_info=failure)

    async def close(self, grace: float) -> None:
        """Closes every upstream; calls in flight have `grace` seconds to end."""
        upstreams = list(self._open.values())
        self._open.clear()
        await asyncio.gather(*(each.close(grace) for each in upstreams), *self._closing)


def _key(spec: UpstreamSpec) -> _Key:
    return spec.name, spec.channel
