"""Has an upstream follow its resolver: whole sets become its nodes, failures leave them alone.

It owns the resolver's task, and says in the log what comes and goes. What calls do before anything
is known is `lobby`'s business.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import TYPE_CHECKING, Final

from gateway.call import RpcError
from gateway.upstream.channel import State
from gateway.upstream.channel.faults import CLOSED
from gateway.upstream.endpoints import Listing
from gateway.upstream.lobby import Lobby
from gateway.upstream.node import Node
from gateway.upstream.resolvers import Resolver
from gateway.upstream.resolvers.making import resolver_of
from gateway.upstream.spec import ResolverSpec, UpstreamSpec

if TYPE_CHECKING:
    from gateway.upstream.upstream import Upstream

log = logging.getLogger("gateway.upstream")

_LOST: Final = frozenset({State.IDLE, State.FAILING})
_SHOWN: Final = 8  # endpoints in one line of the log


class Following:
    """An upstream's watcher (`gateway.upstream.upstream.Watcher`) that keeps its nodes up to date.

    Args:
        upstream: Whose nodes.
        make: Makes the resolver of a spec.
    """

    def __init__(
        self,
        upstream: Upstream,
        make: Callable[[ResolverSpec, Callable[[], float]], Resolver] = resolver_of,
    ) -> None:
        self._upstream = upstream
        self._make = make
        self._spec: ResolverSpec | None = None
        self._resolver: Resolver | None = None
        # The newest is at work, those before it are ending.
        self._tasks: list[asyncio.Task[None]] = []

    # A watcher.

    def configure(self, spec: UpstreamSpec) -> None:
        """See Watcher. Nodes that are there stay until the new resolver has found its own."""
        if spec.resolver == self._spec:
            return
        self._spec = spec.resolver
        self._end()
        self._upstream.unresolved = ""
        if spec.resolver is None:
            return
        if not self._upstream.nodes and self._upstream.lobby is None:
            self._upstream.lobby = Lobby(self._upstream.queue, self._upstream.counts)
        self._resolver = self._make(spec.resolver, self._upstream.clock)
        task = asyncio.get_running_loop().create_task(self._run(self._resolver, spec.resolver))
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    def joined(self, node: Node) -> None:
        """See Watcher."""

    def gone(self, node: Node) -> None:
        """See Watcher."""

    def heard(self, node: Node) -> None:
        """See Watcher. Where a connection was lost, the backend may be somewhere else by now."""
        if self._resolver is not None and node.state in _LOST:
            self._resolver.again()

    def checked(self, node: Node, *, well: bool) -> None:
        """See Watcher. Where endpoints are does not follow from how they do."""

    async def close(self) -> None:
        """See Watcher. Calls that still wait are ended."""
        self._end()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._refuse(CLOSED.error)

    # What a resolver tells (`gateway.upstream.resolvers.Told`).

    @property
    def stranded(self) -> bool:
        """See Told."""
        nodes = self._upstream.nodes.values()
        return all(node.state is State.FAILING for node in nodes)

    def listed(self, listings: Sequence[Listing]) -> None:
        """See Told."""
        upstream = self._upstream
        if upstream.unresolved:
            upstream.unresolved = ""
            log.info("upstream %s: %s is resolved again", upstream.name, self._spec)
        if set(listings) == {node.listing for node in upstream.nodes.values()}:
            return
        before = set(map(str, upstream.nodes))
        upstream.update(listings)
        _tell(upstream.name, before, set(map(str, upstream.nodes)))

    def failed(self, why: str) -> None:
        """See Told. Each reason is told once, until there is an answer again."""
        upstream = self._upstream
        if why != upstream.unresolved:
            upstream.unresolved = why
            rest = f"{_counted(upstream.nodes)} stay" if upstream.nodes else "calls fail"
            # %r, for what comes from a name server or a file must not write lines of its own.
            log.warning("upstream %s: %s: %r; %s", upstream.name, self._spec, why, rest)
        self._refuse(upstream.nobody)

    async def _run(self, resolver: Resolver, spec: ResolverSpec) -> None:
        while True:
            try:
                await resolver.run(self)
            except Exception:
                log.exception("upstream %s: its resolver failed on a bug", self._upstream.name)
                self._refuse(self._upstream.nobody)
            await asyncio.sleep(spec.refresh)

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._resolver = None

    def _refuse(self, failure: Callable[[], RpcError]) -> None:
        lobby, self._upstream.lobby = self._upstream.lobby, None
        if lobby is not None:
            lobby.refuse(failure)


def _tell(name: str, before: set[str], after: set[str]) -> None:
    """Says what came and what went."""
    changes: Mapping[str, list[str]] = {
        "new": sorted(after - before),
        "gone": sorted(before - after),
    }
    said = "; ".join(f"{what}: {_shown(which)}" for what, which in changes.items() if which)
    log.info("upstream %s: %s; %s", name, _counted(after), said or "listed otherwise")


def _counted(endpoints: Sized) -> str:
    count = len(endpoints)
    return "1 endpoint" if count == 1 else f"{count} endpoints"


def _shown(addresses: Sequence[str]) -> str:
    more = len(addresses) - _SHOWN
    return ", ".join(addresses[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
