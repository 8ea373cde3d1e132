"""Upstreams outlive generations: connections and their state survive a reload.

A generation holds a Lease on the upstreams it uses, and so does every request that it began. An
upstream whose spec has not changed is shared by old and new generations; one that no lease holds
any more has no call that could still come, and is closed.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from gateway.call import Unary
from gateway.upstream.spec import UpstreamSpec
from gateway.upstream.upstream import Upstream
from gateway.upstream.upstream import build as build_upstream

log = logging.getLogger(__name__)

_CLOSING_GRACE = 5.0  # seconds; calls of a lease that is gone have ended, this is for stragglers


class Lease:
    """Holds upstreams in use. Letting go of the last reference gives them back.

    Attributes:
        upstreams: By name.
    """

    __slots__ = ("__weakref__", "upstreams")

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self.upstreams = upstreams

    def handler(self, name: str) -> Unary:
        """Returns what starts unary calls to an upstream."""
        return self.upstreams[name].start


class UpstreamPool:
    """All upstreams of the process. To be made and used inside one running loop."""

    def __init__(self, build: Callable[[UpstreamSpec], Upstream] = build_upstream) -> None:
        self._build = build
        self._loop = asyncio.get_running_loop()
        self._open: dict[UpstreamSpec, Upstream] = {}
        self._holders: Counter[UpstreamSpec] = Counter()
        self._closing: set[asyncio.Task[None]] = set()

    def lease(self, specs: Iterable[UpstreamSpec]) -> Lease:
        """Returns the upstreams of these specs: those that are there, and new ones."""
        specs = tuple(specs)
        held: list[UpstreamSpec] = []
        try:
            for spec in specs:
                if spec not in self._open:
                    self._open[spec] = self._build(spec)
                self._holders[spec] += 1
                held.append(spec)
        except BaseException:
            self._release(tuple(held))
            raise
        lease = Lease({spec.name: self._open[spec] for spec in specs})
        weakref.finalize(lease, self._given_back, specs).atexit = False
        return lease

    def _given_back(self, specs: tuple[UpstreamSpec, ...]) -> None:
        # The garbage collector may call this anywhere, even in another thread.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._release, specs)

    def _release(self, specs: tuple[UpstreamSpec, ...]) -> None:
        for spec in specs:
            self._holders[spec] -= 1
            if not self._holders[spec]:
                del self._holders[spec]
                if upstream := self._open.pop(spec, None):
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
